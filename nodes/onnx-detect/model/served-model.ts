import { EdgeError, toEdgeError } from '../../shared/errors';
import type { ModelIdentity } from '../../shared/messages';
import type { InferenceSession, SessionInfo, TensorData } from '../runtime/backend';
import type { SharedSessions } from '../runtime/shared-sessions';
import { outputForms, type OutputForm } from '../score/output-view';
import type { ScoreOptions, Scorer } from '../score/parts';
import { makeScorer } from '../score/scorer';
import { planInput, type InputPlan } from './input-plan';
import type { ModelFolders } from './locate';
import { readModel, type ModelFile, type ModelRequest } from './model-file';
import { allocateInput, inputTensor, packRow, readRow } from './row-reader';

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

/** Loads models from the given folders: read and verify, load, plan, try. */
export function modelLoader(
  folders: ModelFolders,
  sessions: SharedSessions,
  options: ServingOptions,
): ModelLoader {
  return async (request) => serveModel(await readModel(request, folders), sessions, options);
}

/**
 * Loads a verified model and runs it once on the card's sample, or on zeros.
 * @throws EdgeError `RUNTIME_MISSING`, `MODEL_INVALID`, `MODEL_UNSUPPORTED`, `DTYPE`, `CONFIG`
 */
export async function serveModel(
  file: ModelFile,
  sessions: SharedSessions,
  options: ServingOptions,
): Promise<ServedModel> {
  const session = await sessions.acquire(file.digest, options.providers, file.bytes);
  try {
    expectTensors(session.info);
    const plan = planInput(session.info, file.card, options.features);
    const trial = await tryOut(session, plan, file.card?.sample);
    const forms = outputForms(trial.outputs, trial.rows);
    return {
      session,
      plan,
      forms,
      scorer: makeScorer(trial, forms, plan, file.card, options),
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

async function tryOut(
  session: InferenceSession,
  plan: InputPlan,
  sample: unknown,
): Promise<{ outputs: Record<string, TensorData>; values: Float64Array; rows: number }> {
  // Two rows tell the batch dimension of an output from one that happens to be 1.
  const rows = plan.fixedRows ?? 2;
  const values = new Float64Array(rows * plan.width);
  const data = allocateInput(plan, rows);
  try {
    for (let row = 0; row < rows && sample !== undefined && sample !== null; row++) {
      readRow(plan, sample, 'reject', undefined, values, row * plan.width);
      packRow(plan, values, row * plan.width, data);
    }
  } catch (thrown) {
    const { message } = toEdgeError(thrown);
    throw new EdgeError('MODEL_INVALID', `The model card's "sample" does not fit the model: ${message}`, {
      property: 'sample',
    });
  }
  try {
    const outputs = await session.run({ [plan.input]: inputTensor(plan, data, rows) });
    return { outputs, values, rows };
  } catch (thrown) {
    const { message } = toEdgeError(thrown);
    throw new EdgeError('MODEL_INVALID', `The model failed its trial run: ${message}`);
  }
}

function expectTensors(info: SessionInfo): void {
  const sequence = info.outputs.find(({ type }) => type === '');
  if (sequence) {
    throw new EdgeError(
      'MODEL_UNSUPPORTED',
      `The model's output "${sequence.name}" is a sequence of maps (ZipMap), which cannot be served. Export it again without: with skl2onnx options={"zipmap": False}, that is zipmap=False.`,
      { output: sequence.name },
    );
  }
}
