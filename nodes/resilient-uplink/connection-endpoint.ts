import type { NodeAPI } from 'node-red';
import { answerWith } from '../shared/dialog/answer';
import { runningNode } from '../shared/dialog/running';
import type { ConnectionReport } from './connection-report';

/** What a running uplink offers here. */
export interface ConnectedNode {
  /** Its connections in order. */
  connections(): ConnectionReport[];
}

/** `GET /edge/resilient-uplink/:id/connections`: how each connection is doing now; none before the outbox is open. */
export function registerConnections(RED: NodeAPI): void {
  RED.httpAdmin.get(
    '/edge/resilient-uplink/:id/connections',
    RED.auth.needsPermission('edge.read'),
    (request, response) => {
      answerWith(response, () => {
        const node = runningNode<ConnectedNode>(
          RED,
          'resilient-uplink',
          String(request.params.id),
          'connections',
        );
        return { connections: node.connections() };
      });
    },
  );
}
