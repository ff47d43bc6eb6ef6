import type { Node, NodeAPI } from 'node-red';
import { systemClock } from '../../shared/clock';
import { EdgeError, toEdgeError } from '../../shared/errors';
import { listStation } from '../../shared/station';
import type { Recorder } from './recorder';
import { fillVariables, parseDialogRequest, type DialogRequest } from './request';
import type { PreviewAnswer, Recording } from './result';
import { PreviewRunner } from './runner';
import { startPreviewThread } from './thread';

/** What a running node offers here. */
export interface RecordingNode {
  recorder: Recorder;
}

const HTTP_STATUS: Partial<Record<string, number>> = {
  REQUEST: 400,
  NOT_FOUND: 404,
  TOO_LARGE: 413,
  WORKER: 500,
  INTERNAL: 500,
  BUSY: 503,
  TIMEOUT: 504,
};

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
    const answer = async (): Promise<PreviewAnswer> => {
      const asked = parseDialogRequest(request.body, systemClock.now());
      const recording = asked.samples ? undefined : await recorderOf(RED, asked.node).recording();
      const result = await runner.run({
        properties: filled(RED, asked),
        samples: asked.samples ?? recording?.samples ?? [],
        plot: asked.plot,
      });
      return recording ? { ...result, recording: summaryOf(recording) } : result;
    };
    answer().then(
      (result) => response.json(result),
      (thrown: unknown) => refuse(response, thrown),
    );
  });
  RED.httpAdmin.get('/edge/sensor-ingest/:id/recorded', permission, (request, response) => {
    const answer = async (): Promise<Recording> => {
      const recorder = recorderOf(RED, String(request.params.id));
      const { topic } = request.query;
      if (typeof topic === 'string') {
        recorder.follow(topic);
      }
      return recorder.recording();
    };
    answer().then(
      (recording) => response.json(recording),
      (thrown: unknown) => refuse(response, thrown),
    );
  });
}

/**
 * The recorder of a running node; for a node of a subflow, as the editor knows it, that of one of its instances.
 *
 * @throws EdgeError `NOT_FOUND`
 */
function recorderOf(RED: NodeAPI, id: string): Recorder {
  const node: unknown = RED.nodes.getNode(id);
  const instances = isRecordingNode(node) ? [node] : instancesOf(RED, id);
  const found = instances.at(0);
  if (!found) {
    throw new EdgeError(
      'NOT_FOUND',
      `No sensor-ingest node with the id "${id}" runs. Deploy it with a configuration that works, or paste a sample.`,
    );
  }
  return found.recorder;
}

function instancesOf(RED: NodeAPI, id: string): RecordingNode[] {
  return listStation()
    .filter(({ type }) => type === 'sensor-ingest')
    .map((entry): unknown => RED.nodes.getNode(entry.id))
    .filter((node) => isRecordingNode(node))
    .filter((node) => '_alias' in node && node._alias === id);
}

function isRecordingNode(node: unknown): node is RecordingNode {
  return typeof node === 'object' && node !== null && 'recorder' in node;
}

/** Variables have a value where a node runs; which of the process's own it may see is Node-RED's to say. */
function filled(RED: NodeAPI, { node, properties }: DialogRequest): unknown {
  const running = RED.nodes.getNode(node) as Node | null | undefined;
  return running
    ? fillVariables(properties, (name): unknown => RED.util.getSetting(running, name))
    : properties;
}

function summaryOf({ topic, topics, samples, leftOut }: Recording): PreviewAnswer['recording'] {
  return { topic, topics, leftOut, count: samples.length, newest: samples.at(-1) };
}

interface Answerable {
  status(code: number): { json(body: unknown): unknown };
}

function refuse(response: Answerable, thrown: unknown): void {
  const { code, message } = toEdgeError(thrown);
  response.status(HTTP_STATUS[code] ?? 500).json({ code, message });
}
