import { EdgeError, toEdgeError } from '../../shared/errors';
import type { ModelIdentity } from '../../shared/messages';
import type { InferenceSession, SessionInfo } from '../runtime/backend';
import { outputForms, type OutputForm } from '../score/output-view';
import type { ScoreOptions, Scorer } from '../score/parts';
import { makeScorer } from '../score/scorer';
import { ELEMENT_TYPES, planInput, type InputPlan } from './input-plan';
import type { ModelFile, ModelRequest } from './model-file';
import { tryOut } from './trial';

/** A model that has passed its trial run and is ready to judge. */
export interface ServedModel {
  session: InferenceSession;
  plan: InputPlan;
  forms: readonly OutputForm[];
  scorer: Scorer;
  identity: ModelIdentity;
  provider: string;
}

/** What the node's properties say about every model that it serves. */
export interface ServingOptions extends ScoreOptions {
  features: readonly string[];
  providers: readonly string[];
}

/** Brings a model into service; whoever gets it releases its session. */
export type ModelLoader = (request: ModelRequest) => Promise<ServedModel>;

/** Gives the session of a verified model; whoever gets it releases it. */
export type SessionSource = (file: ModelFile, providers: readonly string[]) => Promise<InferenceSession>;

/**
 * Loads a verified model and runs it on the card's sample, or on zeros.
 * @throws EdgeError `RUNTIME_MISSING`, `MODEL_INVALID`, `MODEL_UNSUPPORTED`, `DTYPE`, `CONFIG`
 */
export async function serveModel(
  file: ModelFile,
  sessionOf: SessionSource,
  options: ServingOptions,
): Promise<ServedModel> {
  const session = await sessionOf(file, options.providers);
  try {
    expectTensors(session.info);
    const plan = planInput(session.info, file.card, options.features);
    const { runs, rows } = await tryOut(session, plan, file.card?.sample);
    const forms = outputForms(
      runs.map(({ outputs }) => outputs),
      rows,
    );
    return {
      session,
      plan,
      forms,
      scorer: makeScorer(runs, forms, plan, file.card, options, session.info.file?.labels),
      identity: {
        name: file.card?.name ? file.card.name : file.name,
        version: file.card?.version ?? '',
        digest: file.digest,
      },
      provider: session.info.provider,
    };
  } catch (thrown) {
    await session.release();
    throw toEdgeError(thrown);
  }
}

/** Before anything is run: onnxruntime-node ends the whole process over an output of an element type it does not know. */
function expectTensors(info: SessionInfo): void {
  const sequence = info.outputs.find(({ type }) => type === '');
  if (sequence) {
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `The model's output "${sequence.name}" is a sequence, a map or optional, which cannot be served. Export it with tensor outputs; a classifier that ends in ZipMap without it: with skl2onnx options={"zipmap": False}, that is zipmap=False.`,
      { output: sequence.name },
    );
  }
  const foreign = info.outputs.find(({ type }) => !ELEMENT_TYPES.some((known) => known === type));
  if (foreign) {
    const { name, type } = foreign;
    throw new EdgeError(
      'DTYPE',
      `The model's output "${name}" gives ${type} tensors, which cannot be read. Export the model with float32 outputs.`,
      { output: name, type },
    );
  }
}
