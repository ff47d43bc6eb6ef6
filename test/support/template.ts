import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { overMqtt, type MqttFlowOptions } from '../../scripts/demo/mqtt-flow';
import { packageRoot, type FlowNode } from './runtime';

/** The nodes of the template that tests look at. */
export const TEMPLATE = {
  ingest: 'edge-pm-ingest',
  waves: 'edge-pm-waves',
  uplink: 'edge-pm-uplink',
  state: 'edge-pm-state',
} as const;

export function readFlow(name: string): FlowNode[] {
  return JSON.parse(readFileSync(join(packageRoot, 'flows', `${name}.json`), 'utf8')) as FlowNode[];
}

/** The predictive-maintenance template over real MQTT, with a sink for what the uplink has accepted. */
export function templateOverMqtt(options: MqttFlowOptions): FlowNode[] {
  return [
    ...overMqtt(readFlow('predictive-maintenance'), options),
    {
      id: 'accepted-complete',
      type: 'complete',
      z: 'edge-pm',
      scope: [TEMPLATE.uplink],
      x: 0,
      y: 0,
      wires: [['accepted']],
    },
    { id: 'accepted', type: 'test-sink', z: 'edge-pm', x: 0, y: 0, wires: [] },
    { id: 'caught-any', type: 'catch', z: 'edge-pm', scope: null, x: 0, y: 0, wires: [['caught']] },
    { id: 'caught', type: 'test-sink', z: 'edge-pm', x: 0, y: 0, wires: [] },
  ];
}
