import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { takeOver } from '../../nodes/shared/handover';
import { readingOf } from '../support/ingest-node';
import { TestRuntime, type FlowNode } from '../support/runtime';

let runtime: TestRuntime;

before(async () => {
  runtime = await TestRuntime.start();
});

after(() => runtime.stop());

const subflow: FlowNode[] = [
  { id: 'tab', type: 'tab' },
  {
    id: 'line',
    type: 'subflow',
    z: undefined,
    in: [{ wires: [{ id: 'inner' }] }],
    out: [{ wires: [{ id: 'inner', port: 0 }] }, { wires: [{ id: 'inner', port: 1 }] }],
  },
  { id: 'inner', type: 'sensor-ingest', z: 'line', reduce: 'deadband', tolerance: 5, wires: [[], [], []] },
  { id: 'readings', type: 'test-sink', wires: [] },
  { id: 'reduced', type: 'test-sink', wires: [] },
];
const instance: FlowNode = { id: 'line1', type: 'subflow:line', wires: [['readings'], ['reduced']] };

test('a node inside a subflow goes on after a deployment, and leaves nothing when its subflow is deleted', async () => {
  for (const [v, kept] of [
    [0, 1],
    [4, 0],
    [6, 1],
  ]) {
    await runtime.deploy([...subflow, instance]);
    runtime.inject('line1', { topic: 'press', payload: { v } });
    assert.equal(readingOf((await runtime.collect('readings', 1))[0]).seq, 0);
    await runtime.collect('reduced', kept);
    assert.equal(runtime.messages('reduced').length, kept, String(v));
  }
  for (const kind of ['full', 'nodes'] as const) {
    await runtime.deploy([...subflow, instance]);
    await runtime.deploy(subflow, {}, kind);
    assert.equal(takeOver('sensor-ingest', 'line1-inner'), undefined, kind);
  }
});
