import assert from 'node:assert/strict';
import type { EdgeMessage, Reading } from '../../nodes/shared/messages';
import type { FlowNode, TestRuntime } from './runtime';

/** A `sensor-ingest` node "ingest" with a sink behind each output, and one for what a Catch node gets. */
export function ingestFlow(properties: object = {}): FlowNode[] {
  return [
    {
      id: 'ingest',
      type: 'sensor-ingest',
      name: 'press',
      wires: [['readings'], ['reduced'], ['rejects']],
      ...properties,
    },
    ...['readings', 'reduced', 'rejects'].map((id) => ({ id, type: 'test-sink', wires: [] })),
    { id: 'catch', type: 'catch', scope: null, wires: [['caught']] },
    { id: 'caught', type: 'test-sink', wires: [] },
  ];
}

export const readingOf = (msg: EdgeMessage): Reading => msg.reading as Reading;

export const errorOf = (msg: EdgeMessage): { code: string; message: string; source: object } =>
  msg.error as { code: string; message: string; source: object };

interface StationNode {
  id: string;
  status?: { text: string };
  figures: Record<string, number>;
}

/** The node "ingest" as `/edge/status` has it. */
export async function ingestNode(runtime: TestRuntime): Promise<StationNode | undefined> {
  const response = await fetch(`${runtime.url}/edge/status`);
  const { nodes } = (await response.json()) as { nodes: StationNode[] };
  return nodes.find(({ id }) => id === 'ingest');
}

export async function untilStatus(runtime: TestRuntime, text: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const shown = (await ingestNode(runtime))?.status?.text;
    if (shown === text) {
      return;
    }
    assert.ok(Date.now() < deadline, `the status is "${shown}", not "${text}"`);
  }
}
