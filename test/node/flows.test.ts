import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { ExampleFlow } from '../support/example-flow';
import { TestRuntime } from '../support/runtime';

let runtime: TestRuntime;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

function deploy(name: string, ...taps: string[]): Promise<ExampleFlow> {
  return ExampleFlow.deploy(runtime, name, taps);
}

function alertOf(msg: EdgeMessage): string {
  return String((msg as { alert?: unknown }).alert);
}

function payloadOf(msg: EdgeMessage | undefined): Record<string, unknown> {
  return (msg?.payload ?? {}) as Record<string, unknown>;
}

test('quickstart: the pump is learned at once, each button is noticed by its channels, and nothing before', async () => {
  const flow = await deploy('quickstart', 'words', 'unusual:1', 'readings:2');
  await runtime.until(() => flow.seen('unusual:1').length >= 300, 'healthy readings');
  assert.deepEqual(flow.seen('words').map(alertOf), []);
  flow.press('blocked');
  const alert = await flow.waitFor('words', (msg) => /is unusual/.test(alertOf(msg)), 'an alert');
  assert.match(alertOf(alert), /^plant1\/pump-3 is unusual \((pressure|flow)/);
  assert.deepEqual(flow.seen('readings:2'), []);
  assert.deepEqual(flow.problems(), []);
});

test('sensor-ingest: every form becomes a flat reading; what is not readable is refused with the reason', async () => {
  const flow = await deploy('sensor-ingest', 'any', 'any:2', 'table', 'vibration');
  flow.press('json', 'csv', 'nested', 'batch', 'bad', 'shake');
  await runtime.until(() => flow.seen('any').length >= 4 && flow.seen('table').length >= 2, 'six readings');
  assert.deepEqual(
    flow.seen('table').map(({ payload }) => payload),
    [
      { temperature: 71.4, pressure: 4 },
      { temperature: 71.6, pressure: 4.2 },
    ],
  );
  assert.deepEqual(
    flow.seen('any').map(({ payload }) => payload),
    [
      { temperature: 71.2, pressure: 4.1 },
      { 'motor.temperature': 64, 'motor.current': 8.8 },
      { temperature: 71.1 },
      { temperature: 71.3 },
    ],
  );
  assert.equal((flow.seen('any:2')[0].error as { code?: string }).code, 'DECODE');
  const features = payloadOf(await flow.waitFor('vibration', () => true, 'features'));
  assert.equal(features['spindle.dominantFrequency'], 50);
});

test('onnx-detect: the breaking machines are flagged with what breaks, the healthy one is not', async () => {
  const flow = await deploy('onnx-detect', 'model', 'model:1');
  flow.press('good', 'heat', 'strain', 'missing');
  await runtime.until(
    () => flow.seen('model').length >= 2 && flow.seen('model:1').length >= 1,
    'three verdicts',
  );
  const labels = flow
    .seen('model')
    .map((msg) => (msg as { detection?: { label?: string } }).detection?.label);
  assert.deepEqual(labels, ['HDF', 'OSF']);
  assert.equal(flow.seen('model:1').length, 1);
  await runtime.until(() => flow.problems().length === 1, 'the missing channel to be caught');
});

test('iso-forest: a combination that was never seen is flagged, although each value was', async () => {
  const flow = await deploy('iso-forest', 'forest', 'forest:1');
  await runtime.until(() => flow.seen('forest:1').length >= 600, 'what is learned');
  flow.press('fits');
  await runtime.until(() => flow.seen('forest:1').length >= 601, 'a usual one');
  flow.press('not');
  await flow.waitFor('forest', () => true, 'the unusual one');
  assert.equal(flow.seen('forest').length, 1);
  assert.deepEqual(flow.problems(), []);
});

test('crdt-state: two gateways agree on a count, a set and a setpoint', async () => {
  const flow = await deploy('crdt-state', 'a', 'b');
  flow.press('a-count', 'b-count', 'a-count', 'a-tool', 'b-tool', 'a-set');
  await runtime.until(() => {
    flow.press('a-all', 'b-all');
    const expected = { 'count/parts': 3, setpoint: 70, 'tools/used': ['tool-7', 'tool-9'] };
    return has(flow, 'a', expected) && has(flow, 'b', expected);
  }, 'both to agree');
  assert.deepEqual(flow.problems(), []);
});

test('resilient-uplink: what is sent while the link is cut arrives afterwards, in order', async () => {
  const flow = await deploy('resilient-uplink', 'uplink', 'answer:1', 'answer');
  flow.press('send', 'send');
  await runtime.until(() => flow.seen('answer:1').length === 2, 'two arrivals');
  flow.press('cut', 'send', 'send', 'send');
  await flow.waitFor('answer', (msg) => (msg as { statusCode?: number }).statusCode === 503, 'a refusal');
  flow.press('mend');
  await runtime.until(() => flow.seen('answer:1').length === 5, 'everything', 20_000);
  const numbers = flow.seen('answer:1').map((msg) => (payloadOf(msg).payload as { n: number }).n);
  assert.deepEqual(numbers, [1, 2, 3, 4, 5]);
  assert.deepEqual(flow.problems(), []);
});

for (const name of ['federated-mesh', 'federated-mesh-http']) {
  test(`${name}: three gateways converge`, async () => {
    const flow = await deploy(name, 'a', 'b', 'c');
    flow.press('a-count', 'b-count', 'c-count', 'c-count', 'b-set');
    await agree(flow, { 'count/parts': 4, setpoint: 75 });
    assert.deepEqual(flow.problems(), []);
  });
}

test('federated-mesh: a plant that is cut off goes on, and after healing no write is lost', async () => {
  const flow = await deploy('federated-mesh', 'a', 'b', 'c');
  flow.press('a-count');
  await agree(flow, { 'count/parts': 1 });
  flow.press('cut', 'a-count', 'c-count', 'c-count', 'a-load', 'c-load');
  const seenByC = await flow.waitFor(
    'c',
    ({ topic, payload }) => topic === 'count/parts' && payload === 3,
    'C',
  );
  assert.ok(seenByC);
  flow.press('heal');
  await agree(flow, { 'count/parts': 4, 'load/line': 75 });
});

test('hybrid-stateful-edge: the controller goes on while the cloud is away; then both sides agree', async () => {
  const flow = await deploy('hybrid-stateful-edge', 'heat', 'cloudstate', 'edge');
  flow.press('e-70', 'e-part');
  await cloudHas(flow, { 'count/parts': 1, setpoint: 70 });
  flow.press('cut', 'e-part', 'e-part', 'c-80');
  const before = flow.seen('heat').length;
  await runtime.until(() => flow.seen('heat').length >= before + 2, 'the controller to go on');
  assert.equal(payloadOf(flow.seen('heat').at(-1)).setpoint, 70, 'the cloud is away');
  flow.press('mend');
  await cloudHas(flow, { 'count/parts': 3, setpoint: 80 });
  await flow.waitFor('heat', (msg) => payloadOf(msg).setpoint === 80, 'the new setpoint at the edge');
  assert.deepEqual(flow.problems(), []);
});

/** Answers to what is there have every key; changes have one. */
function isSnapshot(msg: EdgeMessage): boolean {
  return (msg as { operation?: unknown }).operation === 'snapshot';
}

function has(flow: ExampleFlow, side: string, expected: Record<string, unknown>): boolean {
  return isDeepStrictEqual(payloadOf(flow.seen(side).findLast(isSnapshot)), expected);
}

async function agree(flow: ExampleFlow, expected: Record<string, unknown>): Promise<void> {
  await runtime.until(
    () => {
      flow.press('a-all', 'b-all', 'c-all');
      return ['a', 'b', 'c'].every(
        (side) =>
          JSON.stringify(payloadOf(flow.seen(side).findLast(isSnapshot))) === JSON.stringify(expected),
      );
    },
    `all to have ${JSON.stringify(expected)}`,
    20_000,
  );
}

async function cloudHas(flow: ExampleFlow, expected: Record<string, unknown>): Promise<void> {
  await runtime.until(
    () => {
      flow.press('c-all');
      return has(flow, 'cloudstate', expected);
    },
    `the cloud to have ${JSON.stringify(expected)}`,
    20_000,
  );
}
