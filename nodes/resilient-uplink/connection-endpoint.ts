import type { NodeAPI } from 'node-red';
import { answerWith } from '../shared/dialog/answer';
import { findRunning } from '../shared/dialog/running';
import type { ConnectionReport } from './connection-report';

/** What a running uplink offers here. */
export interface ConnectedNode {
  /** Its connections in order. */
  connections(): ConnectionReport[];
}

/** What a dialog gets; null while no such node runs. */
export interface ConnectionAnswer {
  connections: ConnectionReport[] | null;
}

/** `GET /edge/resilient-uplink/:id/connections`: how each connection is doing now; none before the outbox is open. */
export function registerConnections(RED: NodeAPI): void {
  RED.httpAdmin.get(
    '/edge/resilient-uplink/:id/connections',
    RED.auth.needsPermission('edge.read'),
    (request, response) => {
      answerWith(response, (): ConnectionAnswer => {
        const id = String(request.params.id);
        const node = findRunning<ConnectedNode>(RED, 'resilient-uplink', id, 'connections');
        return { connections: node?.connections() ?? null };
      });
    },
  );
}
