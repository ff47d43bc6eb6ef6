import type { NodeAPI } from 'node-red';
import { systemClock } from '../../shared/clock';
import { answerWith } from '../../shared/dialog/answer';
import { runningNode } from '../../shared/dialog/running';
import { filledProperties } from '../../shared/dialog/variables';
import type { Recorder } from './recorder';
import { parseDialogRequest } from './request';
import type { PreviewAnswer, Recording } from './result';
import { PreviewRunner } from './runner';
import { startPreviewThread } from './thread';

/** What a running node offers here. */
export interface RecordingNode {
  recorder: Recorder;
}

/**
 * `POST /edge/sensor-ingest/preview`: what a node would make of some messages under the properties in the body, or of
 * those that it received lately when the body names none. `GET /edge/sensor-ingest/:id/recorded?topic=`: those
 * messages; with a topic the node records that one from then on.
 */
export function registerPreview(RED: NodeAPI): void {
  const runner = new PreviewRunner({ clock: systemClock, startThread: startPreviewThread });
  // They show plant data, use the processor and change what is recorded.
  const permission = RED.auth.needsPermission('flows.write');
  RED.httpAdmin.post('/edge/sensor-ingest/preview', permission, (request, response) => {
    answerWith(response, async (): Promise<PreviewAnswer> => {
      const asked = parseDialogRequest(request.body, systemClock.now());
      const recording = asked.samples ? undefined : await recorderOf(RED, asked.node).recording();
      const result = await runner.run({
        properties: filledProperties(RED, asked),
        samples: asked.samples ?? recording?.samples ?? [],
        plot: asked.plot,
      });
      return recording ? { ...result, recording: summaryOf(recording) } : result;
    });
  });
  RED.httpAdmin.get('/edge/sensor-ingest/:id/recorded', permission, (request, response) => {
    answerWith(response, async (): Promise<Recording> => {
      const recorder = recorderOf(RED, String(request.params.id));
      const { topic } = request.query;
      if (typeof topic === 'string') {
        recorder.follow(topic);
      }
      return recorder.recording();
    });
  });
}

/** @throws EdgeError `NOT_FOUND` */
function recorderOf(RED: NodeAPI, id: string): Recorder {
  const wayOut = 'Deploy it with a configuration that works, or paste a sample.';
  return runningNode<RecordingNode>(RED, 'sensor-ingest', id, 'recorder', wayOut).recorder;
}

function summaryOf({ topic, topics, samples, leftOut }: Recording): PreviewAnswer['recording'] {
  return { topic, topics, leftOut, count: samples.length, newest: samples.at(-1) };
}
