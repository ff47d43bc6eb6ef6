import type { NodeAPI } from 'node-red';
import { answerWith } from '../../shared/dialog/answer';
import { textOf } from '../../shared/dialog/request';
import { runningNode } from '../../shared/dialog/running';
import { EdgeError } from '../../shared/errors';
import type { StateAnswer } from './result';

/** What a running node offers here. */
export interface StateNode {
  /** The keys with a text in them, and the peers; undefined while the replica is being loaded. */
  viewState: (find: string) => StateAnswer | undefined;
}

/** `GET /edge/crdt-state/:id/state?find=`: what a running node holds and what its peers know; a page of it. */
export function registerStateView(RED: NodeAPI): void {
  // It shows plant data.
  const permission = RED.auth.needsPermission('flows.write');
  RED.httpAdmin.get('/edge/crdt-state/:id/state', permission, (request, response) => {
    answerWith(response, async (): Promise<StateAnswer> => {
      const node = runningNode<StateNode>(RED, 'crdt-state', String(request.params.id), 'viewState');
      const answer = node.viewState(textOf(request.query.find) ?? '');
      if (!answer) {
        throw new EdgeError('NOT_FOUND', 'The stored state is not loaded. Wait a moment, or see the log.');
      }
      return Promise.resolve(answer);
    });
  });
}
