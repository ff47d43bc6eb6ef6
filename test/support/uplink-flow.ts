import type { EdgeMessage, MessageError } from '../../nodes/shared/messages';
import type { MqttServer } from './mqtt-server';
import type { FlowNode } from './runtime';

/** What leaves an uplink's outputs. */
export interface Uplinked extends EdgeMessage {
  uplink: {
    id: string;
    connection: string;
    attempts: number;
    storedMs: number;
    fallback: boolean;
    duplicatePossible: boolean;
  };
  error?: MessageError;
}

/** Retries and health checks that a test need not wait for. */
export const QUICK = { retryMinMs: 20, retryMaxMs: 200, ackTimeout: 0.5, healthInterval: 0.2, failback: 0.5 };

/** A flow with one uplink; every test has a node, and so an outbox, of its own. */
export function flow(id: string, connections: FlowNode[], config: object = {}): FlowNode[] {
  return [
    ...connections,
    {
      id,
      type: 'resilient-uplink',
      name: 'to the cloud',
      connections: connections.map((connection) => connection.id),
      ...QUICK,
      ...config,
      wires: [[`delivered-${id}`], [`undeliverable-${id}`]],
    },
    { id: 'catch', type: 'catch', scope: [id], wires: [[`caught-${id}`]] },
    { id: 'complete', type: 'complete', scope: [id], wires: [[`done-${id}`]] },
    ...['delivered', 'undeliverable', 'caught', 'done'].map((sink) => ({
      id: `${sink}-${id}`,
      type: 'test-sink',
      wires: [],
    })),
  ];
}

/** An `edge-broker` for a test's own server. */
export function broker(id: string, server: MqttServer, config: object = {}): FlowNode {
  return { id, type: 'edge-broker', name: id, url: server.url, protocolVersion: '4', ...config };
}
