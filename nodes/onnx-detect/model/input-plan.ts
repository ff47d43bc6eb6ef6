import { EdgeError } from '../../shared/errors';
import type { SessionInfo, ValueInfo } from '../runtime/backend';
import type { CardFeature, ModelCard } from './card';
import { resolveShapes, type SlotShape } from './input-shapes';
import type { WindowPlan } from './window-plan';

/** Element types that channels can be fed as, and outputs be read from. */
export const ELEMENT_TYPES = [
  ...['float32', 'float64', 'float16', 'int8', 'uint8', 'int16', 'uint16'],
  ...['int32', 'uint32', 'int64', 'uint64', 'bool', 'string'],
] as const;
export type InputType = (typeof ELEMENT_TYPES)[number];

/** One input of the model and the values of a row that go into it. */
export interface InputSlot {
  name: string;
  type: InputType;
  /** Its values are those from this place of the row on, so many. */
  from: number;
  count: number;
  /** Dimensions of the tensor without the one that counts rows. */
  shape: readonly number[];
  /** Whether the first dimension counts rows; a model without takes one row at a time. */
  hasRows: boolean;
}

/** How readings become the model's inputs. */
export interface InputPlan {
  slots: readonly InputSlot[];
  /** Values a reading. */
  width: number;
  /** Rows that the model insists on; undefined = any number. */
  fixedRows: number | undefined;
  /** Channel of each place; undefined where a place can only be given by position or with its whole input. */
  names: readonly (string | undefined)[];
  /** The same as the model card calls them, and its sample with it. */
  cardNames: readonly (string | undefined)[];
  /** Which places hold texts. */
  isText: readonly boolean[];
  /** The model gets `(value - mean) / scale`. */
  mean: Float64Array;
  scale: Float64Array;
  /** Set where the model looks at several readings of a source at once. */
  window: WindowPlan | undefined;
}

/**
 * Reads from the model's declared inputs, the card, the file's own metadata and the `features` property how to feed it.
 *
 * @throws EdgeError `MODEL_UNSUPPORTED`, `DTYPE`, `MODEL_INVALID`, `CONFIG`
 */
export function planInput(
  info: SessionInfo,
  card: ModelCard | undefined,
  features: readonly string[],
): InputPlan {
  const types = info.inputs.map(typeOf);
  const cardFeatures = card?.features && inOrderOfInputs(card.features, info.inputs);
  const listed = features.length > 0 ? features : cardFeatures?.map(({ name }) => name);
  const names = listed ?? namesInFile(info);
  const { shapes, window, fixedRows } = resolveShapes(info.inputs, names?.length, card?.window);
  const slots: InputSlot[] = [];
  let width = 0;
  shapes.forEach(({ count, shape, hasRows }: SlotShape, index) => {
    slots.push({ name: info.inputs[index].name, type: types[index], from: width, count, shape, hasRows });
    width += count;
  });
  if (names && names.length !== width) {
    throw wrongCount(names.length, width, features.length > 0, listed !== undefined);
  }
  const isText = slots.flatMap(({ type, count }) => new Array<boolean>(count).fill(type === 'string'));
  if (window && isText.includes(true)) {
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      'The model takes windows of readings and texts, which cannot be served together. Export it with its categories as numbers.',
    );
  }
  const placeNames =
    names ??
    slots.flatMap(({ name, count }) =>
      count === 1 ? [name] : Array.from({ length: count }, () => undefined),
    );
  return {
    slots,
    width,
    fixedRows,
    names: placeNames,
    cardNames: cardFeatures?.length === width ? cardFeatures.map(({ name }) => name) : placeNames,
    isText,
    // Scaling belongs to a place of the input, whatever the flow calls the channel there.
    mean: Float64Array.from({ length: width }, (_, at) => cardFeatures?.at(at)?.mean ?? 0),
    scale: Float64Array.from({ length: width }, (_, at) => cardFeatures?.at(at)?.scale ?? 1),
    window,
  };
}

function typeOf({ name, type }: ValueInfo): InputType {
  if (type === '') {
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `The model's input "${name}" is a sequence, a map or optional, which cannot be fed from channels. Export it with tensor inputs.`,
      { input: name },
    );
  }
  const known = ELEMENT_TYPES.find((candidate) => candidate === type);
  if (!known) {
    throw new EdgeError(
      'DTYPE',
      `The model's input "${name}" takes ${type} tensors; channels can be fed as ${ELEMENT_TYPES.join(', ')}. Export the model with a float32 input.`,
      { input: name, type },
    );
  }
  return known;
}

/** A card may say which input a feature belongs to; the row then goes input by input. */
function inOrderOfInputs(features: readonly CardFeature[], inputs: readonly ValueInfo[]): CardFeature[] {
  const unknown = features.find(
    ({ input }) => input !== undefined && !inputs.some(({ name }) => name === input),
  );
  if (unknown) {
    throw new EdgeError(
      'MODEL_INVALID',
      `The model card's feature "${unknown.name}" names the input "${unknown.input ?? ''}", which the model does not have. It has ${inputs.map(({ name }) => name).join(', ')}.`,
      { property: 'features' },
    );
  }
  const placeOf = ({ input }: CardFeature): number => inputs.findIndex(({ name }) => name === input);
  return features.every(({ input }) => input !== undefined)
    ? [...features].sort((a, b) => placeOf(a) - placeOf(b))
    : [...features];
}

/** Feature names that an exporter wrote into the file. */
function namesInFile({ file }: SessionInfo): string[] | undefined {
  const text = file?.metadata['features'] ?? file?.metadata['feature_names'];
  if (text === undefined) {
    return undefined;
  }
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch {
    names = text.split(',').map((name) => name.trim());
  }
  const usable =
    Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string' && name);
  return usable ? (names as string[]) : undefined;
}

function wrongCount(count: number, width: number, fromProperty: boolean, fromCard: boolean): EdgeError {
  if (fromProperty) {
    return new EdgeError(
      'CONFIG',
      `Property "features" lists ${count} channels, but the model takes ${width}. Enter one channel for each, in the order of the training data.`,
      { property: 'features' },
    );
  }
  return new EdgeError(
    'MODEL_INVALID',
    fromCard
      ? `The model card's "features" lists ${count}, but the model takes ${width}. Correct the card.`
      : `The model's own metadata names ${count} features, but it takes ${width}. Fill in the property "features".`,
    { property: 'features' },
  );
}
