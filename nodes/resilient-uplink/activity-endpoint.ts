import type { NodeAPI } from 'node-red';
import { answerWith } from '../shared/dialog/answer';
import { runningNode } from '../shared/dialog/running';
import type { Sample } from './activity';
import type { Statistics } from './statistics';

/** What a running uplink offers here. */
export interface ActiveNode {
  activity(): Activity;
}

/** What the dialog draws of an uplink. */
export interface Activity {
  /** Samples of the last ten minutes, the oldest first. */
  samples: readonly Sample[];
  /** How often there is another. */
  sampleMs: number;
  limitBytes: number;
  now: Statistics;
}

/** `GET /edge/resilient-uplink/:id/activity`: what a running uplink has been doing in the last minutes. */
export function registerActivity(RED: NodeAPI): void {
  RED.httpAdmin.get(
    '/edge/resilient-uplink/:id/activity',
    RED.auth.needsPermission('edge.read'),
    (request, response) => {
      answerWith(response, () =>
        runningNode<ActiveNode>(RED, 'resilient-uplink', String(request.params.id), 'activity').activity(),
      );
    },
  );
}
