import { EdgeError, toEdgeError } from '../../shared/errors';
import type { InferenceSession } from '../runtime/backend';
import type { Run } from '../score/parts';
import type { InputPlan } from './input-plan';
import { readRow } from './row-reader';
import { newRowValues, type RowValues } from './row-values';
import { TensorBuilder } from './tensors';

/** Values that a trial spreads over the features, to see how far the outputs go. */
const PROBES = [1, -1, 30, -30];

/** What trial runs showed, the card's sample or zeros first. */
export interface Trial {
  runs: readonly Run[];
  /** Rows of each run. */
  rows: number;
}

/**
 * Runs a model on the card's sample, or on zeros, and then on odd values, whose failure means nothing.
 *
 * @throws EdgeError `MODEL_INVALID` when the model fails on the first or the sample does not fit
 */
export async function tryOut(session: InferenceSession, plan: InputPlan, sample: unknown): Promise<Trial> {
  // Two rows tell the dimension that counts rows from one that happens to be 1.
  const rows = plan.fixedRows ?? 2;
  let first: Run;
  try {
    first = await runOn(session, plan, windowOf(plan, sample), rows);
  } catch (thrown) {
    const error = toEdgeError(thrown);
    throw error.code === 'MODEL_INVALID'
      ? error
      : new EdgeError('MODEL_INVALID', `The model failed its trial run: ${error.message}`);
  }
  const runs = [first];
  for (const probe of PROBES) {
    try {
      const readings = readingsOf(plan, (place) => (place % 2 === 0 ? probe : -probe / 2));
      runs.push(await runOn(session, plan, readings, rows));
    } catch {
      // Categories and indices do not take any number.
      break;
    }
  }
  return { runs, rows };
}

async function runOn(
  session: InferenceSession,
  plan: InputPlan,
  readings: readonly RowValues[],
  rows: number,
): Promise<Run> {
  const builder = new TensorBuilder(plan, rows);
  const all = Array.from({ length: rows }, () => readings);
  all.forEach((row) => builder.add(row));
  return { outputs: await session.run(builder.feeds()), rows: all };
}

/** The sample as one window: a row that stands for every reading of it, or a row for each. */
function windowOf(plan: InputPlan, sample: unknown): RowValues[] {
  if (sample === undefined || sample === null) {
    return readingsOf(plan, (place) => plan.mean[place]);
  }
  const size = plan.window?.size ?? 1;
  const isList = plan.window && Array.isArray(sample) && typeof sample[0] === 'object';
  const rows: readonly unknown[] = isList ? sample : new Array<unknown>(size).fill(sample);
  try {
    if (rows.length !== size) {
      throw new EdgeError('SHAPE', `it has ${rows.length} readings, and the window ${size}.`);
    }
    return rows.map((row) => {
      const values = newRowValues(plan.width);
      readRow({ ...plan, names: plan.cardNames }, row, 'reject', undefined, values);
      return values;
    });
  } catch (thrown) {
    throw new EdgeError(
      'MODEL_INVALID',
      `The model card's "sample" does not fit the model: ${toEdgeError(thrown).message}`,
      { property: 'sample' },
    );
  }
}

function readingsOf(plan: InputPlan, value: (place: number) => number): RowValues[] {
  const values = newRowValues(plan.width);
  for (let place = 0; place < plan.width; place++) {
    values.numbers[place] = value(place);
    values.texts[place] = '';
  }
  return new Array<RowValues>(plan.window?.size ?? 1).fill(values);
}
