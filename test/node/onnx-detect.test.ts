import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { Detection, EdgeMessage } from '../../nodes/shared/messages';
import { listStation } from '../../nodes/shared/station';
import { packageRoot, TestRuntime, type FlowNode } from '../support/runtime';

const fixtures = join(packageRoot, 'test', 'fixtures', 'onnx');
const outside = mkdtempSync(join(tmpdir(), 'edge-outside-'));
let runtime: TestRuntime;
before(async () => {
  runtime = await TestRuntime.start();
  const models = join(runtime.userDir, 'models');
  mkdirSync(models, { recursive: true });
  for (const name of [
    'risk',
    'risk-inverse',
    'classify',
    'reconstruct',
    'regress',
    'slow',
    'float16',
    'zipmap',
    'rank3',
  ]) {
    copyFileSync(join(fixtures, `${name}.onnx`), join(models, `${name}.onnx`));
  }
  copyFileSync(join(fixtures, 'reconstruct.json'), join(models, 'reconstruct.json'));
  const whole = readFileSync(join(fixtures, 'regress.onnx'));
  writeFileSync(join(models, 'corrupt.onnx'), 'this is no model');
  writeFileSync(join(models, 'truncated.onnx'), whole.subarray(0, whole.length / 2));
  copyFileSync(join(fixtures, 'risk.onnx'), join(outside, 'risk.onnx'));
  symlinkSync(join(outside, 'risk.onnx'), join(models, 'link.onnx'));
});
beforeEach(() => void (runtime.logs.length = 0));
after(async () => {
  await runtime.deploy([]);
  await runtime.stop();
  rmSync(outside, { recursive: true });
});

/** The node with a sink on each output, and a Catch node behind it. */
async function deploy(properties: Record<string, unknown>): Promise<void> {
  const flow: FlowNode[] = [
    {
      id: 'detect',
      type: 'onnx-detect',
      name: 'press model',
      wires: [['detected'], ['clear']],
      ...properties,
    },
    { id: 'detected', type: 'test-sink' },
    { id: 'clear', type: 'test-sink' },
    { id: 'catch', type: 'catch', scope: null, wires: [['errors']] },
    { id: 'errors', type: 'test-sink' },
  ];
  await runtime.deploy(flow);
}

const RISK = { model: 'models/risk.onnx', task: 'classify', threshold: 0.5 };

async function first(sink: string): Promise<EdgeMessage> {
  const [msg] = await runtime.collect(sink, 1);
  return msg;
}

interface Caught {
  message: string;
  code?: string;
}

async function refused(msg: object): Promise<Caught> {
  const before = runtime.messages('errors').length;
  runtime.inject('detect', msg);
  const caught = await runtime.collect('errors', before + 1);
  const { error } = caught[before] as unknown as { error: Caught & { cause?: Caught } };
  return { message: error.message, code: error.code ?? error.cause?.code };
}

const figure = (name: string): number =>
  listStation()
    .find(({ id }) => id === 'detect')
    ?.figures.get(name) ?? NaN;
const shownStatus = (): string =>
  listStation()
    .find(({ id }) => id === 'detect')
    ?.status()?.text ?? '';

test('a reading passes through with its detection, out of the output that fits', async () => {
  await deploy(RISK);
  const reading = { id: 'r1', source: 'plant1/press', ts: 1234, seq: 1, quality: 'good' };
  runtime.inject('detect', { topic: 't', payload: { load: 3 }, reading, kept: 'yes' });
  const found = await first('detected');
  assert.deepEqual(
    [found.topic, found.payload, found.reading, found.kept],
    ['t', { load: 3 }, reading, 'yes'],
  );
  const detection = found.detection as Detection;
  const { latencyMs, score, outputs, model, ...rest } = detection;
  assert.deepEqual(rest, {
    detector: 'onnx-detect',
    node: 'press model',
    status: 'MAINTENANCE_REQUIRED',
    kind: 'KNOWN_FAILURE',
    threshold: 0.5,
    source: 'plant1/press',
    ts: 1234,
  });
  assert.ok(Math.abs((score ?? 0) - 1 / (1 + Math.exp(-3))) < 1e-6);
  assert.deepEqual(outputs, { probability: score });
  assert.equal(model?.name, 'risk');
  assert.match(model.digest, /^[0-9a-f]{64}$/);
  assert.ok(latencyMs >= 0);
  assert.deepEqual(found.detections, [detection]);
  runtime.inject('detect', { payload: -3 });
  assert.equal(((await first('clear')).detection as Detection).status, 'OPERATIONAL');
  assert.deepEqual(
    [figure('edge_readings_total'), figure('edge_detections_total{kind="KNOWN_FAILURE"}')],
    [2, 1],
  );
  assert.ok(figure('edge_inference_seconds_count') > 0);
});

test('the built-in model works with nothing but its name', async () => {
  await deploy({ model: 'builtin:cnc-failure' });
  const payload = {
    type: 0,
    air_temperature: 300,
    process_temperature: 310,
    rotational_speed: 1400,
    torque: 70,
    tool_wear: 210,
  };
  runtime.inject('detect', { topic: 'cnc-07', payload });
  const detection = (await first('detected')).detection as Detection;
  assert.equal(detection.label, 'OSF');
  assert.equal(detection.source, 'cnc-07');
  assert.equal(detection.model?.name, 'cnc-failure');
  await runtime.until(() => runtime.logs.some(({ msg }) => String(msg).includes('classify')), 'the log line');
  assert.deepEqual(runtime.problems(), []);
});

test('a batch is split over the outputs, with each row’s place', async () => {
  await deploy(RISK);
  runtime.inject('detect', { topic: 'press', payload: [[3], [-3], [2]] });
  const found = await first('detected');
  const clear = await first('clear');
  assert.deepEqual([found.payload, clear.payload], [[[3], [2]], [[-3]]]);
  assert.deepEqual(
    [found.detection, clear.detection].map((list) => (list as Detection[]).map(({ index }) => index)),
    [[0, 2], [1]],
  );
});

test('an autoencoder says which channels are off', async () => {
  await deploy({ model: 'models/reconstruct.onnx' });
  runtime.inject('detect', { payload: { c0: 10, c1: 20, c2: 90, c3: 40 } });
  const { contributions = [] } = (await first('detected')).detection as Detection;
  assert.equal(contributions[0].channel, 'c2');
  assert.equal(contributions[0].value, 90);
  assert.ok(Math.abs(contributions.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
});

test('bad readings go to the Catch node with their code, and the next good one is judged', async () => {
  await deploy({ model: 'models/classify.onnx', features: ['temperature', 'torque', 'speed'] });
  const good = { temperature: 300, torque: 40, speed: 1500 };
  for (const [payload, code] of [
    [{ ...good, torque: null }, 'FEATURE_MISSING'],
    [{}, 'FEATURE_MISSING'],
    [[1, 2], 'SHAPE'],
    ['text', 'SHAPE'],
    [Buffer.from('x'), 'SHAPE'],
    [undefined, 'SHAPE'],
    [{ ...good, torque: 1e300 }, 'DTYPE'],
    [
      [
        [300, 40, 1500],
        [300, 40],
      ],
      'SHAPE',
    ],
  ] as const) {
    const { code: actual, message } = await refused({ payload });
    assert.equal(actual, code, message);
  }
  assert.equal((await refused({ operation: 'dance' })).code, 'OPERATION');
  runtime.inject('detect', { payload: good });
  await first('clear');
  assert.equal(figure('edge_rejected_total{code="SHAPE"}'), 6);
});

test('without channel names an object is refused', async () => {
  await deploy({ model: 'models/classify.onnx' });
  assert.equal((await refused({ payload: { a: 1, b: 2, c: 3 } })).code, 'FEATURE_MISSING');
});

test('each fault of a model has its code, and the node stays up', async () => {
  for (const [properties, code] of [
    [{ model: 'models/typo.onnx' }, 'MODEL_NOT_FOUND'],
    [{ model: '../outside.onnx' }, 'MODEL_NOT_FOUND'],
    [{ model: 'models/link.onnx' }, 'MODEL_NOT_FOUND'],
    [{ ...RISK, digest: '0'.repeat(64) }, 'MODEL_DIGEST'],
    [{ model: 'models/corrupt.onnx' }, 'MODEL_INVALID'],
    [{ model: 'models/truncated.onnx' }, 'MODEL_INVALID'],
    [{ model: 'models/zipmap.onnx' }, 'MODEL_UNSUPPORTED'],
    [{ model: 'models/regress.onnx' }, 'CONFIG'],
  ] as const) {
    await deploy(properties);
    const { code: actual, message } = await refused({ payload: [1] });
    assert.equal(actual, code, message);
  }
  await runtime.until(() => shownStatus() === 'onnx-detect.status.CONFIG', 'the status');
  // A model that is right serves at once, without a new deployment.
  runtime.inject('detect', { operation: 'model', payload: 'builtin:cnc-failure' });
  await runtime.until(() => shownStatus() !== 'onnx-detect.status.CONFIG', 'the exchanged model');
});

test('properties that cannot be are refused when the node starts', async () => {
  for (const properties of [{ model: '' }, { ...RISK, digest: 'abc' }]) {
    await deploy(properties);
    assert.equal((await refused({ payload: 1 })).code, 'CONFIG');
    assert.equal(shownStatus(), 'onnx-detect.status.config');
  }
});

test('a full queue refuses with OVERLOAD', async () => {
  await deploy({ model: 'models/slow.onnx', threshold: 1, queueLimit: 2 });
  for (let at = 0; at < 6; at++) {
    runtime.inject('detect', { payload: 1 });
  }
  const caught = await runtime.collect('errors', 3);
  assert.match(JSON.stringify(caught[0].error), /queueLimit/);
  await runtime.until(() => runtime.messages('clear').length >= 2, 'the others');
});

test('the model is exchanged by a message, with nothing lost, and a bad candidate changes nothing', async () => {
  await deploy(RISK);
  const count = 200;
  for (let at = 0; at < count; at++) {
    runtime.inject('detect', { payload: { load: 3 }, at });
    if (at === 50) {
      runtime.inject('detect', { operation: 'model', payload: { model: 'models/risk-inverse.onnx' } });
    }
    if (at % 10 === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const total = (): number => runtime.messages('detected').length + runtime.messages('clear').length;
  await runtime.until(() => total() === count, 'every reading');
  const order = (sink: string): unknown[] => runtime.messages(sink).map(({ at }) => at);
  assert.deepEqual(
    [...order('detected'), ...order('clear')],
    Array.from({ length: count }, (_, at) => at),
  );
  await runtime.until(
    () => runtime.logs.some(({ msg }) => String(msg).includes('Model risk-inverse')),
    'the exchange',
  );
  assert.deepEqual(runtime.messages('errors'), []);
  for (const [payload, code] of [
    ['models/typo.onnx', 'MODEL_NOT_FOUND'],
    ['models/../../risk.onnx', 'MODEL_NOT_FOUND'],
    [join(outside, 'risk.onnx'), 'MODEL_NOT_FOUND'],
    [{ model: 'models/risk.onnx', digest: 'f'.repeat(64) }, 'MODEL_DIGEST'],
    ['models/corrupt.onnx', 'MODEL_INVALID'],
    [{ shadow: 'models/typo.onnx' }, 'MODEL_NOT_FOUND'],
    [42, 'CONFIG'],
    [null, 'CONFIG'],
  ] as const) {
    const { code: actual, message } = await refused({ operation: 'model', payload });
    assert.equal(actual, code, message);
  }
  runtime.inject('detect', { payload: { load: 3 }, last: true });
  await runtime.until(
    () => runtime.messages('clear').some(({ last }) => last === true),
    'the exchanged model',
  );
});

test('a candidate looks on beside the live model, and is put into service by a message', async () => {
  await deploy({ ...RISK, shadow: 'models/risk-inverse.onnx' });
  await runtime.until(
    () => runtime.logs.some(({ msg }) => String(msg).includes('looks on as a candidate')),
    'the candidate',
  );
  runtime.inject('detect', { topic: 'press', payload: { load: 3 } });
  const detection = (await first('detected')).detection as Detection;
  assert.equal(detection.model?.name, 'risk');
  assert.deepEqual([detection.shadow?.model.name, detection.shadow?.agrees], ['risk-inverse', false]);
  assert.ok((detection.shadow?.score ?? 1) < 0.1);
  runtime.inject('detect', { operation: 'model', payload: 'models/risk-inverse.onnx' });
  await runtime.until(
    () => runtime.logs.some(({ msg }) => String(msg).includes('No candidate looks on')),
    'the exchange',
  );
  runtime.inject('detect', { topic: 'press', payload: { load: 3 } });
  const after = (await first('clear')).detection as Detection;
  assert.deepEqual([after.model?.name, after.shadow], ['risk-inverse', undefined]);
});

test('under maintenance readings are scored and pass as clear', async () => {
  await deploy(RISK);
  runtime.inject('detect', { operation: 'maintenance', topic: 'press', payload: { on: true } });
  runtime.inject('detect', { topic: 'press', payload: 3 });
  assert.equal(((await first('clear')).detection as Detection).status, 'SUPPRESSED');
  runtime.inject('detect', { operation: 'maintenance', topic: 'press', payload: { on: false } });
  runtime.inject('detect', { topic: 'press', payload: 3 });
  await first('detected');
  assert.equal(runtime.messages('clear').length, 1);
});

test('maintenance goes on over a deployment, and ends with the node', async () => {
  await deploy(RISK);
  const payload = { on: true, until: Date.now() + 3_600_000, by: 'anna' };
  runtime.inject('detect', { operation: 'maintenance', topic: 'press', payload });
  await deploy({ ...RISK, votes: 1, voteWindow: 2 });
  runtime.inject('detect', { topic: 'press', payload: 3 });
  assert.equal(((await first('clear')).detection as Detection).status, 'SUPPRESSED');
  await runtime.deploy([]);
  await deploy(RISK);
  runtime.inject('detect', { topic: 'press', payload: 3 });
  await first('detected');
});
