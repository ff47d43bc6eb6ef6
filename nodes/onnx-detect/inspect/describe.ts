import { isRecord } from '../../shared/dialog/request';
import { excerpt } from '../../shared/text';
import type { ModelCard } from '../model/card';
import { planInput, type InputPlan } from '../model/input-plan';
import type { ModelFile } from '../model/model-file';
import type { OnnxFile } from '../model/onnx-file';
import type { ServedModel, ServingOptions } from '../model/served-model';
import type { SessionInfo, ValueInfo } from '../runtime/backend';
import type { Scorer } from '../score/parts';
import { partOf, shownName } from './bounds';
import { cardEntries } from './card-entries';
import type {
  KnownFeatures,
  ModelDescription,
  NamedBy,
  ShownFeature,
  ShownFeed,
  ShownFile,
  ShownScoring,
  ShownTensor,
} from './result';
import { sampleText } from './sample';

const MAX_TENSORS = 30;
const MAX_DIMENSIONS = 8;
const MAX_FEATURES = 200;
const MAX_CLASSES = 100;
const MAX_OPSETS = 20;
const MAX_METADATA = 30;
const MAX_METADATA_TEXT = 500;
/** Of all names together, in characters: as many as a person would take over into the dialog. */
const MAX_KNOWN = 20_000;

/** What is known of a model: more, the further it came on its way into service. */
export interface Known {
  file: ModelFile;
  options: ServingOptions;
  /** The card as it was written. */
  card: Record<string, unknown> | undefined;
  /** What the file says of itself, also of one that does not load. */
  outline: OnnxFile | undefined;
  info?: SessionInfo;
  served?: ServedModel;
}

/** Says what a model is and how the node would use it; nothing in it is longer than a dialog can show. */
export function describeModel({ file, options, card, outline, info, served }: Known): ModelDescription {
  const own = info && planOf(info, file.card, []);
  const plan = served?.plan ?? (info && planOf(info, file.card, options.features));
  const usable = plan ?? own;
  const by = plan && options.features.length > 0 ? 'property' : usable && namedBy(usable, file.card);
  return {
    name: shownName(file.card?.name ? file.card.name : file.name),
    version: shownName(file.card?.version ?? ''),
    digest: file.digest,
    bytes: file.bytes.length,
    ...(info && {
      provider: info.provider,
      inputs: partOf(info.inputs, MAX_TENSORS, tensor),
      outputs: partOf(info.outputs, MAX_TENSORS, tensor),
    }),
    ...(outline && { file: shownFile(outline) }),
    ...(card && { card: cardEntries(card) }),
    ...(usable && by && { feed: shownFeed(usable, by, featureNotes(card), own?.names) }),
    ...(served && { scoring: shownScoring(served.scorer, options, file.card) }),
    width: (own ?? plan)?.width,
    known: own && knownFeatures(own, file.card),
    sample: sampleText(file.card?.sample, usable),
  };
}

/** How the model would be fed if its features were these; undefined where it could not be. */
function planOf(
  info: SessionInfo,
  card: ModelCard | undefined,
  features: readonly string[],
): InputPlan | undefined {
  try {
    return planInput(info, card, features);
  } catch {
    return undefined;
  }
}

function tensor({ name, type, shape }: ValueInfo): ShownTensor {
  return {
    name: shownName(name),
    type,
    shape: shape.slice(0, MAX_DIMENSIONS).map((dim) => (typeof dim === 'string' ? excerpt(dim) : dim)),
  };
}

function shownFile({ producer, opsets, metadata }: OnnxFile): ShownFile {
  return {
    producer: shownName(producer),
    opsets: partOf(Object.entries(opsets), MAX_OPSETS, ([domain, version]) => [shownName(domain), version]),
    metadata: partOf(Object.entries(metadata), MAX_METADATA, ([key, value]) => [
      shownName(key),
      excerpt(value, MAX_METADATA_TEXT),
    ]),
  };
}

/** @param namesInCard what the card calls the places, whatever the flow calls them */
function shownFeed(
  { slots, names, mean, scale, window, fixedRows }: InputPlan,
  by: NamedBy,
  notes: ReadonlyMap<string, FeatureNotes>,
  namesInCard: InputPlan['names'] = names,
): ShownFeed {
  const places = slots.flatMap((slot) =>
    Array.from({ length: Math.min(slot.count, MAX_FEATURES) }, (_, at) => ({ slot, place: slot.from + at })),
  );
  const shown = places.slice(0, MAX_FEATURES).map(({ slot, place }): ShownFeature => {
    const name = names[place];
    return {
      ...(name !== undefined && { name: shownName(name) }),
      input: shownName(slot.name),
      type: slot.type,
      mean: mean[place],
      scale: scale[place],
      ...notes.get(namesInCard[place] ?? ''),
    };
  });
  return {
    namedBy: by,
    features: { count: names.length, shown },
    ...(window && { window }),
    ...(fixedRows !== undefined && { fixedRows }),
  };
}

function namedBy(
  { names, slots }: InputPlan,
  card: ModelCard | undefined,
): KnownFeatures['namedBy'] | 'position' {
  if (card?.features) {
    return 'card';
  }
  if (!names.every((name) => name !== undefined)) {
    return 'position';
  }
  return slots.every(({ name, count, from }) => count === 1 && names[from] === name) ? 'inputs' : 'file';
}

type FeatureNotes = Pick<ShownFeature, 'unit' | 'min' | 'max'>;

/** What a card says of its features for people only. */
function featureNotes(card: Record<string, unknown> | undefined): Map<string, FeatureNotes> {
  const features = Array.isArray(card?.features) ? (card.features as unknown[]) : [];
  return new Map(
    features.filter(isRecord).map(({ name, unit, min, max }) => [
      String(name),
      {
        ...(typeof unit === 'string' && unit !== '' && { unit: excerpt(unit) }),
        ...(typeof min === 'number' && { min }),
        ...(typeof max === 'number' && { max }),
      },
    ]),
  );
}

/** Undefined where places have no names, or too long ones. */
function knownFeatures(plan: InputPlan, card: ModelCard | undefined): KnownFeatures | undefined {
  const by = namedBy(plan, card);
  const names = plan.names.filter((name) => name !== undefined);
  const length = names.reduce((sum, name) => sum + name.length + 1, 0);
  return by === 'position' || length > MAX_KNOWN ? undefined : { namedBy: by, names };
}

function shownScoring(
  { task, output, threshold, classes, activation }: Scorer,
  options: ServingOptions,
  card: ModelCard | undefined,
): ShownScoring {
  return {
    task,
    output: shownName(output),
    threshold,
    thresholdFrom:
      options.threshold !== undefined ? 'property' : card?.threshold !== undefined ? 'card' : 'default',
    negated: task === 'regress' && card?.direction === 'below',
    ...(activation && { activation }),
    ...(classes && {
      classes: partOf(classes, MAX_CLASSES, ({ label, failing }) => ({ label: shownName(label), failing })),
    }),
  };
}
