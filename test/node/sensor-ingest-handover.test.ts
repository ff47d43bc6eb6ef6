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
    out: [{ wires: [{ id: 'inner', port: 0 }] }],
  },
  { id: 'inner', type: 'sensor-ingest', z: 'line', wires: [[], [], []] },
  { id: 'readings', type: 'test-sink', wires: [] },
];
const instance: FlowNode = { id: 'line1', type: 'subflow:line', wires: [['readings']] };

test('a node inside a subflow goes on after a deployment, and leaves nothing when its subflow is deleted', async () => {
  for (const seq of [0, 1]) {
    await runtime.deploy([...subflow, instance]);
    runtime.inject('line1', { topic: 'press', payload: { v: seq } });
    assert.equal(readingOf((await runtime.collect('readings', 1))[0]).seq, seq);
  }
  for (const kind of ['full', 'nodes'] as const) {
    await runtime.deploy([...subflow, instance]);
    await runtime.deploy(subflow, {}, kind);
    assert.equal(takeOver('sensor-ingest', 'line1-inner'), undefined, kind);
  }
});
