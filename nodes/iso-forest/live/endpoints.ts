import type { NodeAPI } from 'node-red';
import { ConfigReader } from '../../shared/config-reader';
import { parseAlarmOptions } from '../../shared/detection/alarm';
import { answerWith } from '../../shared/dialog/answer';
import { parseDialogBody, textOf } from '../../shared/dialog/request';
import { runningNode } from '../../shared/dialog/running';
import { filledProperties } from '../../shared/dialog/variables';
import { parseThreshold } from '../config';
import type { LiveView, Look } from './live-view';
import type { LiveAnswer } from './result';

/** What a running node offers here. */
export interface ScoringNode {
  live: LiveView;
}

/**
 * `GET /edge/iso-forest/:id/scores?source=&find=`: the sources of a running node, and the latest scores of one of them.
 * `POST /edge/iso-forest/:id/replay`: the same, and what the threshold, votes and hold-off of the properties in the body
 * would have flagged of these readings.
 */
export function registerLiveView(RED: NodeAPI): void {
  // They show plant data, and change which source is remembered longer.
  const permission = RED.auth.needsPermission('flows.write');
  RED.httpAdmin.get('/edge/iso-forest/:id/scores', permission, (request, response) => {
    answerWith(response, async (): Promise<LiveAnswer> => {
      const { live } = scoringNode(RED, String(request.params.id));
      return Promise.resolve(live.look(lookOf(request.query)));
    });
  });
  RED.httpAdmin.post('/edge/iso-forest/:id/replay', permission, (request, response) => {
    answerWith(response, async (): Promise<LiveAnswer> => {
      const { id, live } = scoringNode(RED, String(request.params.id));
      const body = parseDialogBody(request.body);
      const answer = live.look(lookOf(body), () => {
        const config = new ConfigReader(filledProperties(RED, { ...body, node: id }));
        return { threshold: parseThreshold(config), alarm: parseAlarmOptions(config) };
      });
      return Promise.resolve(answer);
    });
  });
}

function lookOf({ source, find }: Record<string, unknown>): Look {
  return { source: textOf(source), find: textOf(find) };
}

function scoringNode(RED: NodeAPI, id: string): ScoringNode & { id: string } {
  return runningNode<ScoringNode>(RED, 'iso-forest', id, 'live');
}
