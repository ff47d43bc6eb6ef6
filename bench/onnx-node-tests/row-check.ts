import { rowsOf } from '../../nodes/shared/detection/rows';
import { toEdgeError } from '../../nodes/shared/errors';
import { Batch } from '../../nodes/onnx-detect/batch';
import { planInput, type InputPlan, type InputSlot } from '../../nodes/onnx-detect/model/input-plan';
import type { ServedModel, ServingOptions } from '../../nodes/onnx-detect/model/served-model';
import type { SessionInfo, TensorData } from '../../nodes/onnx-detect/runtime/backend';
import { plainRow } from '../../nodes/onnx-detect/score/output-view';
import { Sources } from '../../nodes/onnx-detect/sources';
import { readTensors, type TestCase } from './case-files';
import type { Outcome } from './check';
import { plainDifference } from './compare';
import { load, serve, SERVING } from './serving';

/** Readings in, detections out, with neither a card nor a list of features. */
export async function checkNode(folder: string, test: TestCase): Promise<Outcome> {
  const info = await infoOf(folder, test);
  let plan: InputPlan;
  try {
    plan = planInput(info, undefined, []);
  } catch (thrown) {
    return apart(thrown, false);
  }
  const inputs = readTensors(folder, test, 'input');
  const expected = readTensors(folder, test, 'output');
  const counts = plan.slots.flatMap(({ hasRows }, at) => (hasRows ? [inputs[at].dims[0]] : []));
  const rows = plan.fixedRows ?? counts[0];
  if (counts.some((count) => count !== rows)) {
    return { kind: 'apart', isPlanned: false, code: '', reason: 'an input is empty, and another is not' };
  }
  const payloads = Array.from({ length: rows }, (_, row) => payloadOf(plan.slots, inputs, row));
  const options = { ...SERVING, ...scoring(info, expected, rows) };
  let note = '';
  let model: ServedModel;
  try {
    model = await serve(folder, test, options).catch((thrown: unknown) => {
      if (toEdgeError(thrown).code !== 'MODEL_INVALID') {
        throw thrown;
      }
      note = 'sample';
      return serve(folder, test, options, payloads[0]);
    });
  } catch (thrown) {
    return apart(thrown, true);
  }
  try {
    const difference = await judge(model, payloads, inputs, expected);
    return difference === undefined ? { kind: 'pass', note } : { kind: 'different', reason: difference };
  } finally {
    await model.session.release();
  }
}

function apart(thrown: unknown, isPlanned: boolean): Outcome {
  const { code, message } = toEdgeError(thrown);
  return { kind: 'apart', isPlanned, code, reason: message };
}

/** Puts the rows in as one message; returns how what comes out differs. */
async function judge(
  model: ServedModel,
  payloads: readonly unknown[],
  inputs: readonly TensorData[],
  expected: readonly TensorData[],
): Promise<string | undefined> {
  const numbers = inputs.flatMap(({ type, data }) =>
    type.startsWith('float') ? [...(data as Float64Array)] : [],
  );
  const hasGaps = numbers.some(Number.isNaN) && !numbers.some((value) => Math.abs(value) === Infinity);
  const sources = new Sources('node', { votes: 1, voteWindow: 1, holdOffMs: 0 });
  const batch = new Batch(model, hasGaps ? 'nan' : 'reject', sources, payloads.length);
  const set = rowsOf({ _msgid: '', payload: payloads.length === 1 ? payloads[0] : payloads }, 0);
  const places = batch.add(set.rows, new Map(), 0);
  const run = await batch.run();
  for (const place of places) {
    const plain = plainRow(run.outputs, model.forms, place, payloads.length);
    for (const [at, { name }] of model.session.info.outputs.entries()) {
      const form = model.forms.find((known) => known.name === name);
      const isSplit = form?.rowDims === 1 && expected[at].dims[0] === payloads.length;
      const difference = plainDifference(expected[at], isSplit ? place : undefined, plain[name]);
      if (difference !== undefined) {
        return `${name}, row ${place}: ${difference}`;
      }
    }
    const { score } = model.scorer.score(run, place);
    const value = [plain[model.scorer.output]].flat(9)[0];
    if (model.scorer.task === 'regress' && !Object.is(score, Number(value))) {
      return `the score is ${score}, and the output ${String(value)}`;
    }
  }
  return undefined;
}

/** The first numeric output with something for each row: its value, or P(its first column). */
function scoring(info: SessionInfo, expected: readonly TensorData[], rows: number): Partial<ServingOptions> {
  const at = expected.findIndex(
    ({ type, dims, data }) => type !== 'string' && data.length > 0 && (rows === 1 || dims[0] === rows),
  );
  if (at < 0) {
    return {};
  }
  const output = info.outputs[at].name;
  return expected[at].data.length === rows ? { output } : { output, task: 'classify', positive: '0' };
}

/** A list for one input, else an object with a list or a value for each. */
function payloadOf(slots: readonly InputSlot[], inputs: readonly TensorData[], row: number): unknown {
  const lists = slots.map(({ hasRows, count }, at) => {
    const { type, data } = inputs[at];
    const from = hasRows ? row * count : 0;
    return Array.from({ length: count }, (_, i) => {
      const value = data[from + i];
      return type === 'bool' ? Boolean(value) : typeof value === 'bigint' ? Number(value) : value;
    });
  });
  return slots.length === 1
    ? lists[0]
    : Object.fromEntries(slots.map(({ name, count }, at) => [name, count === 1 ? lists[at][0] : lists[at]]));
}

async function infoOf(folder: string, test: TestCase): Promise<SessionInfo> {
  const session = await load(folder, test);
  await session.release();
  return session.info;
}
