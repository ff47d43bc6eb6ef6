import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { ExampleFlow } from '../support/example-flow';
import { Mosquitto } from '../support/mosquitto';
import { TestRuntime } from '../support/runtime';
import { needProgram } from '../support/tools';

let runtime: TestRuntime;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

interface Saved {
  bytes: Record<'device' | 'edge' | 'factory' | 'cloud', number>;
}

interface Alert {
  phase: string;
  channels: string[];
}

interface Day {
  readings: number;
  alerts: number;
  means: Record<string, number>;
}

interface Analytics {
  failures: Record<string, number>;
  machines: { machine: string; availability: number }[];
}

test('device-edge-cloud: each tier sends less, an alert passes all of them, the day counts every reading', async () => {
  const flow = await ExampleFlow.deploy(runtime, 'device-edge-cloud', ['raw', 'conce', 'saved', 'row']);
  const minutesOfHistory = 10;
  await runtime.until(() => flow.seen('raw').length >= 600 * minutesOfHistory, 'the history', 20_000);
  flow.press('worn');
  // The press is simulated at random: one of its healthy windows may be flagged as well.
  const starts = (): Alert[] =>
    flow
      .seen('conce')
      .filter(({ topic }) => topic === 'alerts/plant1/press-1')
      .map(({ payload }) => payload as Alert)
      .filter(({ phase }) => phase === 'start');
  await runtime.until(
    () => starts().some(({ channels }) => channels[0].startsWith('vibration')),
    'the alert',
    20_000,
  );

  flow.press('day');
  const day = (await flow.waitFor('conce', ({ topic }) => topic === 'days/plant1/press-1', 'the day'))
    .payload as Day;
  const readings = flow.seen('raw').map((msg) => msg.payload as Record<string, number>);
  const inWindows = flow.seen('row').reduce((sum, msg) => sum + (msg.payload as { n: number }).n, 0);
  assert.ok(day.readings >= 600 * minutesOfHistory - 50, `${day.readings} readings in the day`);
  assert.ok(day.readings <= inWindows, 'no reading is counted twice');
  assert.equal(day.alerts, starts().length);
  const mean = readings.reduce((sum, { temperature }) => sum + temperature, 0) / readings.length;
  assert.ok(Math.abs(day.means.temperature - mean) < 0.1, 'the mean of the day is that of the readings');

  const later = flow.seen('saved').length;
  await runtime.until(() => flow.seen('saved').length > later, 'the bytes');
  const { device, edge, factory, cloud } = (flow.seen('saved').at(-1)?.payload as Saved).bytes;
  assert.ok(device > 400_000, 'raw readings');
  assert.ok(edge < 0.15 * device, `edge ${edge} of ${device}`);
  assert.ok(factory < 0.01 * device, `factory ${factory} of ${device}`);
  assert.ok(cloud < 0.25 * factory, `cloud ${cloud} of ${factory}`);
  assert.deepEqual(flow.problems(), []);
});

test('predictive-maintenance-tiers: a failure reaches the line, the plant, and the analytics, once', async () => {
  const flow = await ExampleFlow.deploy(runtime, 'predictive-maintenance-tiers', [
    'line',
    'f-state',
    'f-line',
    'f-once',
    'r-plants',
    'c-analytics',
  ]);
  const analytics = (): Analytics | undefined =>
    flow.seen('c-analytics').at(-1)?.payload as Analytics | undefined;
  // All but the first minute, which is replayed before anything listens; a failure has to wait for the end of it.
  await runtime.until(() => flow.seen('line').length >= 4 * (1800 - 60), 'the history', 60_000);
  flow.press('break-overstrain', 'break-bearing');
  const state = (
    await flow.waitFor(
      'f-state',
      ({ topic }) => topic === 'machines/plant1/cnc-01/known',
      'the state of the line',
    )
  ).payload as Record<string, unknown>;
  assert.deepEqual([state.failure, state.phase], ['OSF', 'start']);
  const unusual = await flow.waitFor(
    'f-line',
    ({ topic }) => topic === 'plant1/cnc-02',
    'the forest of the line',
  );
  assert.ok(unusual);
  await runtime.until(
    () => analytics()?.failures.OSF === 1 && (analytics()?.failures.novel ?? 0) >= 1,
    'both failures in the analytics',
    20_000,
  );
  await runtime.until(
    () => ['plant1/cnc-01', 'plant1/cnc-02'].every((name) => availabilityOf(analytics(), name) < 1),
    'the time that they fail',
    20_000,
  );
  assert.equal(availabilityOf(analytics(), 'plant1/cnc-03'), 1);
  assert.equal(availabilityOf(analytics(), 'plant2/cnc-11'), 0.99);
  // A second copy is received, and goes no further.
  const copy = { machine: 'plant1/cnc-04', kind: 'known', failure: 'PWF', phase: 'start' };
  for (let time = 0; time < 2; time++) {
    const answer = await fetch(`${runtime.url}/edge-tiers/factory`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'edge-topic': 'alerts/plant1/cnc-04',
        'idempotency-key': 'test:1',
      },
      body: JSON.stringify(copy),
    });
    assert.equal(answer.status, 204);
  }
  await runtime.until(() => analytics()?.failures.PWF === 1, 'the alert to be counted', 20_000);
  assert.equal(flow.seen('f-once').filter(({ topic }) => topic === 'alerts/plant1/cnc-04').length, 1);
  assert.deepEqual(flow.problems(), []);
});

function availabilityOf(analytics: Analytics | undefined, name: string): number {
  return analytics?.machines.find(({ machine }) => machine === name)?.availability ?? NaN;
}

function hasShadow(msg: EdgeMessage | undefined): boolean {
  return (msg as { detection?: { shadow?: unknown } }).detection?.shadow !== undefined;
}

test('fleet: each gateway has its line; a model goes from shadow to live, and a copy is dropped', async (t) => {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  const mosquitto = await Mosquitto.start(program);
  try {
    const flow = await ExampleFlow.deploy(
      runtime,
      'fleet',
      ['a-known:1', 'b-known:1', 'b-known', 'a-agree', 'b-agree', 'once', 'counted', 'in'],
      (text) =>
        text
          .replace('mqtt://localhost:1883', mosquitto.url)
          .replace('"port":"1883"', `"port":"${mosquitto.port}"`),
    );
    const sources = (tap: string): string[] =>
      [...new Set(flow.seen(tap).map(({ topic }) => topic ?? ''))].sort();
    await runtime.until(
      () => sources('a-known:1').length === 3 && sources('b-known:1').length === 3,
      'both lines',
      20_000,
    );
    assert.deepEqual(sources('a-known:1'), [
      'fleet/line-a/cnc-1',
      'fleet/line-a/cnc-2',
      'fleet/line-a/cnc-3',
    ]);
    assert.deepEqual(sources('b-known:1'), [
      'fleet/line-b/cnc-4',
      'fleet/line-b/cnc-5',
      'fleet/line-b/cnc-6',
    ]);
    assert.equal(flow.seen('a-agree').length, 0, 'no candidate yet');

    flow.press('shadow');
    await runtime.until(
      () => flow.seen('a-agree').length >= 3 && flow.seen('b-agree').length >= 3,
      'candidates',
      20_000,
    );
    const { readings, agreed } = flow.seen('a-agree').at(-1)?.payload as { readings: number; agreed: number };
    assert.equal(agreed, readings, 'the same model agrees with itself');

    flow.press('wrong');
    await runtime.until(() => flow.problems().length === 2, 'both gateways to refuse another file');
    assert.deepEqual(
      flow.problems().map((error) => (error as { code?: string }).code),
      ['MODEL_DIGEST', 'MODEL_DIGEST'],
    );
    assert.ok(hasShadow(flow.seen('a-known:1').at(-1)), 'the refused file changes nothing');
    flow.press('live');
    await runtime.until(
      () => !hasShadow(flow.seen('a-known:1').at(-1)) && !hasShadow(flow.seen('b-known:1').at(-1)),
      'the candidate to be the live model',
      20_000,
    );
    flow.press('heat');
    const failing = await flow.waitFor('b-known', () => true, 'a failure under the new model');
    assert.equal((failing as { detection?: { label?: string } }).detection?.label, 'HDF');
    const alert = await flow.waitFor('counted', () => true, 'the alert at the factory');
    assert.equal((alert as { alert?: string }).alert, 'gateway-b: fleet/line-b/cnc-5 HDF');

    const passed = flow.seen('once').length;
    const ids = flow
      .seen('once')
      .map((msg) => (msg as { userProperties?: Record<string, string> }).userProperties?.['edge-id']);
    assert.equal(new Set(ids).size, passed, 'every message has an id of its own');
    flow.press('again', 'again');
    await runtime.until(
      () => /2 dropped/.test(runtime.status('edge-fl-once')?.text ?? ''),
      'the copies to be dropped',
    );
    assert.equal(flow.problems().length, 2);
  } finally {
    await mosquitto.stop();
  }
});
