import { join } from 'node:path';
import type { FlowNode } from '../../test/support/runtime';
import { TEMPLATE } from '../../test/support/template';
import { COUNTERS } from './state-writes';

/** A gateway's part in the state that all share. */
export interface SharedStateFlow {
  gateway: number;
  gateways: number;
  /** Where the writes of all are logged. */
  folder: string;
}

/** Writes of all gateways together, about: of the kind and number that a user has, so that they are not the load. */
const WRITES_PER_SECOND = 40;
const CLEAR = 1;

export const gatewayName = (gateway: number): string => `gateway-${gateway}`;
/** The log of a gateway's writes. */
export const stateLog = (folder: string, gateway: number): string => join(folder, `state-${gateway}.tsv`);

/**
 * Puts the template's `crdt-state` into one space with those of the other gateways, over the machines' broker, and gives it
 * more to hold than the alerts that the template writes to it.
 */
export function shareState(
  flow: readonly FlowNode[],
  { gateway, gateways, folder }: SharedStateFlow,
): FlowNode[] {
  const log = { z: 'edge-pm', file: stateLog(folder, gateway), gateway: gatewayName(gateway) };
  const alsoTo = (node: FlowNode, output: number, to: string): FlowNode => ({
    ...node,
    wires: (node.wires as string[][]).map((wire, at) => (at === output ? [...wire, to] : wire)),
  });
  const changed = flow.map((node): FlowNode => {
    switch (node.id) {
      case TEMPLATE.state:
        return {
          ...node,
          transport: 'mqtt',
          broker: 'edge-demo-machines',
          rules: COUNTERS.map((pattern) => ({ pattern, strategy: 'counter' })),
          wires: [['bench-state-answer'], []],
        };
      case 'edge-pm-key':
        return { ...node, wires: [['bench-state-sent']] };
      case 'edge-pm-novel':
        return alsoTo(node, CLEAR, 'bench-state-writer');
      case 'edge-pm-alerts-in':
        return alsoTo(node, 0, 'bench-state-writer');
      default:
        return node;
    }
  });
  return [
    ...changed,
    {
      id: 'bench-state-writer',
      type: 'bench-state-writer',
      z: 'edge-pm',
      perSecond: WRITES_PER_SECOND / gateways,
      wires: [['bench-state-sent']],
    },
    { id: 'bench-state-sent', type: 'bench-state-sent', ...log, wires: [[TEMPLATE.state]] },
    {
      id: 'bench-state-complete',
      type: 'complete',
      z: 'edge-pm',
      scope: [TEMPLATE.state],
      wires: [['bench-state-done']],
    },
    { id: 'bench-state-done', type: 'bench-state-done', ...log, wires: [] },
    { id: 'bench-state-answer', type: 'bench-state-answer', z: 'edge-pm', wires: [] },
  ];
}
