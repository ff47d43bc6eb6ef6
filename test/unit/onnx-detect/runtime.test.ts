import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Detection } from '../../../nodes/shared/messages';
import { systemClock } from '../../../nodes/shared/clock';
import { modelLoader, Proven } from '../../../nodes/onnx-detect/model/loader';
import type { ServedModel, ServingOptions } from '../../../nodes/onnx-detect/model/served-model';
import { SharedSessions } from '../../../nodes/onnx-detect/runtime/shared-sessions';
import { WorkerBackend } from '../../../nodes/onnx-detect/runtime/worker-backend';
import * as onnx from '../../support/onnx-builder';
import { batchOf, coded, detectorWith, expectedAnswers, fixtures, reading, SERVING } from './support';

const scratch = mkdtempSync(join(tmpdir(), 'edge-onnx-'));
after(() => rmSync(scratch, { recursive: true }));
const backend = new WorkerBackend({ threads: 1 });
const sessions = new SharedSessions(backend);
/** Trials in a process of their own are tested by themselves. */
const proven = new Proven(() => Promise.resolve());
const folders = { userDir: fixtures, builtin: join(process.cwd(), 'models') };

function load(model: string, options: Partial<ServingOptions> = {}): Promise<ServedModel> {
  return modelLoader(folders, sessions, proven, { ...SERVING, ...options })({
    model,
    digest: '',
    trusted: true,
  });
}

async function detections(model: ServedModel, rows: unknown[]): Promise<Detection[]> {
  const detector = detectorWith({ batchSize: 5 });
  await detector.serve(model);
  const verdicts = await detector.submit(batchOf(rows));
  await model.session.release();
  return verdicts.map(({ detection }) => detection);
}

function assertClose(actual: unknown, expected: unknown, where: string): void {
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual) && actual.length === expected.length, where);
    expected.forEach((value, at) => assertClose((actual as unknown[])[at], value, `${where}[${at}]`));
  } else if (typeof expected === 'number') {
    const tolerance = 1e-5 * Math.max(1, Math.abs(expected));
    assert.ok(
      Math.abs(Number(actual) - expected) <= tolerance,
      `${where}: ${String(actual)} for ${expected}`,
    );
  } else {
    assert.equal(actual, expected, where);
  }
}

const answers = expectedAnswers();
const options: Record<string, Partial<ServingOptions>> = {
  regress: { threshold: 100 },
  bool: { task: 'classify' },
  'fixed-rows': { threshold: 1 },
};

for (const name of [
  'classify',
  'three-classes',
  'regress',
  'regress-float64',
  'risk',
  'risk-inverse',
  'fixed-rows',
  'bool',
]) {
  test(`${name}: outputs equal Python's`, async () => {
    const { rows, outputs } = answers[name];
    const found = await detections(await load(`${name}.onnx`, options[name]), rows.map(toRow));
    found.forEach((detection, at) => {
      for (const [output, values] of Object.entries(outputs)) {
        assertClose(detection.outputs?.[output], values[at], `${name}.${output}[${at}]`);
      }
    });
  });
}

function toRow(row: unknown): unknown {
  return Array.isArray(row) ? row : [row];
}

for (const name of ['int64', 'int32']) {
  test(`${name}: elements go in and come out as they are`, async () => {
    const { rows, outputs } = answers[name];
    const served = load(`${name}.onnx`, { task: 'regress', threshold: 1 });
    // Two numbers a row are no score, but the tensors are served; read them through a session of their own.
    await assert.rejects(served, coded('MODEL_UNSUPPORTED', 'one number a row'));
    const bytes = new Uint8Array(readFileSync(join(fixtures, `${name}.onnx`)));
    const session = await sessions.acquire(name, ['cpu'], bytes);
    const data =
      name === 'int64'
        ? BigInt64Array.from(rows.flat().map((v) => BigInt(v)))
        : Int32Array.from(rows.flat().map(Number));
    const { y } = await session.run({ x: { type: name, dims: [2, 2], data } });
    assert.deepEqual([...(y.data as Int32Array)].map(Number), outputs.y.flat());
    await session.release();
  });
}

test('reconstruct: the score equals Python’s, on the scale of the training', async () => {
  const { raw, score } = answers.reconstruct;
  assert.ok(raw && score);
  const found = await detections(await load('reconstruct.onnx'), raw);
  assertClose(
    found.map((detection) => detection.score),
    score,
    'score',
  );
});

test('the threshold and direction of a card decide over a remaining life', async () => {
  const { rows, outputs } = answers['regress-float64'];
  const found = await detections(await load('regress-float64.onnx'), rows);
  assert.deepEqual(
    found.map(({ kind }) => kind === 'KNOWN_FAILURE'),
    outputs.variable.map((value) => (value as number[])[0] <= 90),
  );
  assert.ok(found.some(({ kind }) => kind) && found.some(({ kind }) => !kind));
});

test('what cannot be served is refused with how to export it', async () => {
  for (const [name, code, part] of [
    ['zipmap', 'MODEL_UNSUPPORTED', 'zipmap=False'],
    ['unknown-operator', 'MODEL_UNSUPPORTED', 'Divine'],
    ['external-data', 'MODEL_UNSUPPORTED', 'single file'],
    ['text', 'MODEL_UNSUPPORTED', 'no output'],
  ]) {
    await assert.rejects(load(`${name}.onnx`), coded(code, part));
  }
});

test('what the runtime lacks is told from a broken file', async () => {
  const INT16 = 5;
  const BFLOAT16 = 16;
  const whole = (name: string, value: number): Uint8Array => onnx.message([1, name], [3, value], [20, 2]);
  const single = (operator: Uint8Array, input: number, output: number): Uint8Array =>
    onnx.model({
      nodes: [operator],
      inputs: [onnx.value('x', input, [1, 1, 1])],
      outputs: [onnx.value('y', output, [1, 1, 1])],
    });
  const batchwise = onnx.node('RNN', ['x', 'x', 'x'], ['', 'y'], whole('layout', 1), whole('hidden_size', 1));
  const models = {
    'an implementation for Max': single(onnx.node('Max', ['x', 'x'], ['y']), INT16, INT16),
    'layout == 1': single(batchwise, onnx.FLOAT, onnx.FLOAT),
    bfloat16: single(onnx.node('Cast', ['x'], ['y'], whole('to', BFLOAT16)), onnx.FLOAT, BFLOAT16),
  };
  const path = join(scratch, 'beyond.onnx');
  for (const [part, bytes] of Object.entries(models)) {
    writeFileSync(path, bytes);
    await assert.rejects(load(path), coded(part === 'bfloat16' ? 'DTYPE' : 'MODEL_UNSUPPORTED', part));
  }
});

test('broken files are refused, and nothing else suffers', async () => {
  const whole = readFileSync(join(fixtures, 'regress.onnx'));
  const flipped = Buffer.from(whole);
  flipped.fill(0xff, 40, 200);
  for (const [name, bytes] of [
    ['noise', Buffer.from('this is no model')],
    ['truncated', whole.subarray(0, whole.length / 2)],
    ['flipped', flipped],
  ] as const) {
    writeFileSync(join(scratch, `${name}.onnx`), bytes);
    await assert.rejects(load(join(scratch, `${name}.onnx`)), coded('MODEL_INVALID', '"model"'));
  }
  assert.equal((await detections(await load('risk.onnx', { task: 'classify' }), [[2]])).length, 1);
});

test('providers are tried in order, and the one that loaded is known', async () => {
  const model = await load('risk.onnx', { providers: ['nonsense', 'cpu'] });
  assert.equal(model.provider, 'cpu');
  await model.session.release();
  await assert.rejects(
    load('risk.onnx', { providers: ['nonsense'] }),
    coded('MODEL_INVALID', '"providers"', 'nonsense'),
  );
});

test('nodes with the same model share one session, and the last one ends the thread', async () => {
  assert.equal(backend.running, 0);
  copyFileSync(join(fixtures, 'risk.onnx'), join(scratch, 'copy.onnx'));
  const [one, two] = await Promise.all([load('risk.onnx'), load(join(scratch, 'copy.onnx'))]);
  assert.equal(sessions.size, 1);
  await one.session.release();
  await one.session.release();
  assert.equal((await detections(two, [[0]]))[0].score, 0.5);
  assert.equal(sessions.size, 0);
  assert.equal(backend.running, 0);
});

test('the event loop runs on while a model computes', async () => {
  const model = await load('slow.onnx', { threshold: 1 });
  const detector = detectorWith({}, systemClock);
  await detector.serve(model);
  const order: string[] = [];
  const verdict = detector.submit(reading(1)).then(() => order.push('verdict'));
  for (let at = 0; at < 20; at++) {
    await new Promise((resolve) => setImmediate(resolve));
    order.push('turn');
  }
  await verdict;
  assert.equal(order.indexOf('verdict'), 20);
  await model.session.release();
});

test('without the runtime the error says what to install', async () => {
  const bare = new WorkerBackend({ module: 'no-such-runtime' });
  const loading = modelLoader(
    folders,
    new SharedSessions(bare),
    proven,
    SERVING,
  )({
    model: 'builtin:cnc-failure',
    digest: '',
    trusted: true,
  });
  await assert.rejects(loading, coded('RUNTIME_MISSING', 'npm install onnxruntime-node', 'Alpine'));
  assert.equal(bare.running, 0);
});

test('a thread that dies refuses what it had and tells its sessions', async () => {
  const module = join(scratch, 'dying-runtime.cjs');
  writeFileSync(
    module,
    `const value = [{ name: 'x', isTensor: true, type: 'float32', shape: ['N'] }];
     class Tensor {}
     const session = { inputMetadata: value, outputMetadata: value, run: () => process.exit(3) };
     module.exports = { env: {}, Tensor, InferenceSession: { create: async () => session } };`,
  );
  const dying = new WorkerBackend({ module });
  const session = await dying.load(new Uint8Array(1), { providers: ['cpu'] });
  let lost = 0;
  session.onLost(() => lost++);
  const feeds = { x: { type: 'float32', dims: [1], data: new Float32Array(1) } };
  await assert.rejects(session.run(feeds), coded('WORKER'));
  assert.equal(lost, 1);
  assert.equal(dying.running, 0);
  await session.release();
});

test('the model that ships answers what its training library answered', async () => {
  const vectors = JSON.parse(
    readFileSync(join(process.cwd(), 'test', 'fixtures', 'cnc-failure-vectors.json'), 'utf8'),
  ) as {
    rows: { features: object; failure_probability: number; mode_probabilities: Record<string, number> }[];
  };
  const found = await detections(
    await load('builtin:cnc-failure'),
    vectors.rows.map(({ features }) => features),
  );
  found.forEach((detection, at) => {
    const { failure_probability: score, mode_probabilities: modes } = vectors.rows[at];
    assertClose(detection.score, score, `row ${at}`);
    for (const [mode, probability] of Object.entries(modes)) {
      assertClose(detection.probabilities?.[mode], probability, `row ${at} ${mode}`);
    }
    assert.equal(detection.kind === 'KNOWN_FAILURE', detection.label !== 'none');
  });
  assert.ok(found.some(({ kind }) => kind));
});
