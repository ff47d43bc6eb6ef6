import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Detection, EdgeMessage } from '../../nodes/shared/messages';
import { SeededRandom } from '../../nodes/shared/random';
import { TestRuntime, type FlowNode } from '../support/runtime';

let runtime: TestRuntime;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

const SMALL = { trees: 20, sample: 64, history: 200, retrain: 50, warmup: 40, reference: 200 };

function flow(properties: Record<string, unknown> = {}): FlowNode[] {
  return [
    { id: 'forest', type: 'iso-forest', name: 'press', ...properties, wires: [['alarm'], ['clear']] },
    { id: 'alarm', type: 'test-sink' },
    { id: 'clear', type: 'test-sink' },
    { id: 'catch', type: 'catch', scope: ['forest'], wires: [['caught']] },
    { id: 'caught', type: 'test-sink' },
  ];
}

function readings(count: number): { torque: number; current: number }[] {
  const random = new SeededRandom(11);
  return Array.from({ length: count }, () => ({
    torque: 40 + random.normal(),
    current: 12 + 0.3 * random.normal(),
  }));
}

const detectionOf = (msg: EdgeMessage): Detection => msg.detection as Detection;

test('a strange reading leaves by the first output with its reasons, healthy ones by the second', async () => {
  await runtime.deploy(flow({ ...SMALL, persist: false }));
  readings(300).forEach((payload) => runtime.inject('forest', { topic: 'press-1', payload }));
  const strange = { torque: 40, current: 30 };
  runtime.inject('forest', { topic: 'press-1', payload: strange, keep: 'me' });
  const [alarm] = await runtime.collect('alarm', 1);
  const detection = detectionOf(alarm);
  assert.deepEqual(alarm.payload, strange);
  assert.equal((alarm as { keep?: string }).keep, 'me');
  assert.deepEqual(
    [detection.detector, detection.node, detection.kind, detection.status, detection.source],
    ['iso-forest', 'press', 'NOVEL_ANOMALY', 'MAINTENANCE_REQUIRED', 'press-1'],
  );
  assert.ok(
    detection.score !== null && detection.threshold !== null && detection.score >= detection.threshold,
  );
  assert.equal(detection.contributions?.[0].channel, 'current');
  assert.deepEqual(detection.model?.name, 'iso-forest');
  assert.ok(detection.latencyMs >= 0 && detection.latencyMs < 1000);
  await runtime.collect('clear', 300);
  const status = (await (await fetch(`${runtime.url}/edge/status`)).json()) as {
    nodes: { id: string; figures: Record<string, number> }[];
  };
  const figures = status.nodes.find(({ id }) => id === 'forest')?.figures;
  assert.equal(figures?.edge_readings_total, 301);
  assert.equal(figures['edge_detections_total{kind="NOVEL_ANOMALY"}'], 1);
  assert.ok(figures.edge_forest_retrain_seconds_count > 0);
});

test('a bad message reaches a Catch node with its code, and the next one is served', async () => {
  await runtime.deploy(flow({ ...SMALL, persist: false }));
  runtime.inject('forest', { topic: 'press-1', payload: 'no numbers' });
  runtime.inject('forest', { topic: 'press-1', operation: 'nonsense' });
  runtime.inject('forest', { topic: 'press-1', payload: { torque: 40, current: 12 } });
  const caught = await runtime.collect('caught', 2);
  const codes = caught.map((msg) => (msg as { error?: { code?: string; message?: string } }).error);
  assert.match(String(codes[0]?.message), /holds no number/);
  assert.match(String(codes[1]?.message), /operation "nonsense"/);
  assert.equal(detectionOf((await runtime.collect('clear', 1))[0]).status, 'LEARNING');
});

test('a redeploy needs no new warm-up: what was learned comes back from the disk', async () => {
  const stored = flow(SMALL);
  await runtime.deploy(stored);
  const rows = readings(320);
  rows.slice(0, 300).forEach((payload) => runtime.inject('forest', { topic: 'press-1', payload }));
  const before = await runtime.collect('clear', 300);
  assert.equal(detectionOf(before[299]).status, 'OPERATIONAL');
  await runtime.deploy(stored);
  runtime.inject('forest', { topic: 'press-1', payload: rows[300] });
  const [first] = await runtime.collect('clear', 1);
  assert.equal(detectionOf(first).status, 'OPERATIONAL');
  assert.equal(detectionOf(first).threshold, detectionOf(before[299]).threshold);
  await runtime.deploy(flow().filter(({ id }) => id !== 'forest'));
  await runtime.deploy(stored);
  runtime.inject('forest', { topic: 'press-1', payload: rows[301] });
  const [forgotten] = await runtime.collect('clear', 1);
  assert.equal(detectionOf(forgotten).status, 'LEARNING', 'a deleted node left its state behind');
});

test('export answers on the second output and is taken back by import', async () => {
  await runtime.deploy(flow({ ...SMALL, persist: false }));
  readings(100).forEach((payload) => runtime.inject('forest', { topic: 'press-1', payload }));
  runtime.inject('forest', { topic: 'press-1', operation: 'export' });
  const exported = (await runtime.collect('clear', 101))[100];
  await runtime.deploy(flow({ ...SMALL, persist: false }));
  runtime.inject('forest', { topic: 'press-2', operation: 'import', payload: exported.payload });
  runtime.inject('forest', { topic: 'press-2', payload: { torque: 40, current: 12 } });
  assert.equal(detectionOf((await runtime.collect('clear', 1))[0]).status, 'OPERATIONAL');
});

test('a large batch does not hold up the event loop and keeps its order', async () => {
  await runtime.deploy(flow({ persist: false }));
  let turns = 0;
  let running = true;
  const watch = (): void => {
    turns++;
    if (running) {
      setImmediate(watch);
    }
  };
  setImmediate(watch);
  runtime.inject('forest', { topic: 'a', payload: readings(5000) });
  runtime.inject('forest', { topic: 'a', payload: { torque: 40, current: 12 } });
  const [batch] = await runtime.collect('clear', 1, 30_000);
  running = false;
  const [, single] = await runtime.collect('clear', 2);
  assert.ok((batch.payload as unknown[]).length > 4900);
  assert.equal(detectionOf(single).status, 'OPERATIONAL');
  // The batch takes over a hundred milliseconds, and gives way after each one.
  assert.ok(turns > 30, `the event loop turned ${turns} times`);
});

test('a property that is wrong is named, with what it may be', async () => {
  await runtime.deploy(flow({ variant: 'extended' }));
  const problem = runtime.problems().findLast(({ id }) => id === 'forest');
  assert.match(String(problem?.msg), /"variant"[\s\S]*standard, fair-cut, density, blend/);
});

test('maintenance goes on over a deployment, and ends with the node', async () => {
  const properties = { ...SMALL, persist: false };
  await runtime.deploy(flow(properties));
  runtime.inject('forest', { operation: 'maintenance', topic: 'press-1', payload: { on: true } });
  await runtime.deploy(flow({ ...properties, trees: 30 }));
  const statusOf = async (): Promise<string> => {
    runtime.inject('forest', { topic: 'press-1', payload: { torque: 40, current: 12 } });
    return detectionOf((await runtime.collect('clear', 1))[0]).status;
  };
  assert.equal(await statusOf(), 'SUPPRESSED');
  await runtime.deploy([]);
  await runtime.deploy(flow(properties));
  assert.equal(await statusOf(), 'LEARNING');
});
