import { join } from 'node:path';
import type { NodeAPI, NodeDef } from 'node-red';
import { ASSUMPTIONS, completeAssumptions, type AssumptionName } from '../../assess/assumptions';
import { nearestLanguage } from '../../assess/report-languages';
import type { RecordingNode } from '../../nodes/sensor-ingest/preview/endpoints';
import { systemClock } from '../../nodes/shared/clock';
import { answerWith } from '../../nodes/shared/dialog/answer';
import { runningNode } from '../../nodes/shared/dialog/running';
import { filledProperties } from '../../nodes/shared/dialog/variables';
import { EdgeError } from '../../nodes/shared/errors';
import { WorkerClient } from '../../nodes/shared/worker/worker-client';
import type { AssessmentMethods } from './assessment-worker';
import type { Capture } from './capture';
import { AssessmentJob, type AssessmentThread } from './job';

const LONGEST_MINUTES = 60;
const SHORTEST_MINUTES = 0.05;
const INGEST = 'sensor-ingest';

/**
 * `POST /edge/sidebar/assessment` `{node, minutes, given}`: records what a `sensor-ingest` receives and assesses it;
 * `POST …/assessment/stop` ends that early; `GET …/assessment/report?lang=` is the page of the last one, in the language nearest to that tag, else in English.
 */
export function registerAssessment(RED: NodeAPI): AssessmentJob {
  const job = new AssessmentJob({ clock: systemClock, startThread });
  const mayChange = RED.auth.needsPermission('flows.write');
  RED.httpAdmin.post('/edge/sidebar/assessment', mayChange, (request, response) => {
    answerWith(response, () => {
      const { node, minutes, given } = parseRequest(request.body);
      const recording = recordingNode(RED, node);
      job.start({
        ...{ node, given, origin: nameOf(RED, recording.id) },
        milliseconds: minutes * 60_000,
        ingest: propertiesOf(RED, recording.id),
        listen: (capture) => listenTo(RED, node, capture),
      });
      return Promise.resolve(job.state);
    });
  });
  RED.httpAdmin.post('/edge/sidebar/assessment/stop', mayChange, (_request, response) => {
    job.stop();
    response.status(204).end();
  });
  const mayRead = RED.auth.needsPermission('flows.read');
  RED.httpAdmin.get('/edge/sidebar/assessment/report', mayRead, (request, response) => {
    if (job.pages === undefined) {
      response.status(404).json({ code: 'NOT_FOUND', message: 'Nothing has been assessed yet.' });
      return;
    }
    const { lang } = request.query;
    const language = nearestLanguage(typeof lang === 'string' ? lang : '');
    response.type('html').set('Cache-Control', 'no-store').send(job.pages[language]);
  });
  return job;
}

/** @throws EdgeError `REQUEST` naming what is wrong */
function parseRequest(body: unknown): {
  node: string;
  minutes: number;
  given: Partial<Record<AssumptionName, unknown>>;
} {
  const { node, minutes, given } = (body ?? {}) as Record<string, unknown>;
  if (typeof node !== 'string' || node === '') {
    throw new EdgeError('REQUEST', 'Choose a sensor-ingest node.', { property: 'node' });
  }
  if (typeof minutes !== 'number' || !(minutes >= SHORTEST_MINUTES && minutes <= LONGEST_MINUTES)) {
    throw new EdgeError(
      'REQUEST',
      `"minutes" must be a number from ${SHORTEST_MINUTES} to ${LONGEST_MINUTES}.`,
      { property: 'minutes' },
    );
  }
  const entered = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>;
  const known = Object.fromEntries(
    ASSUMPTIONS.filter(({ name }) => entered[name] !== undefined).map(({ name }) => [name, entered[name]]),
  );
  // Said now, not after minutes of recording.
  completeAssumptions(known, {});
  return { node, minutes, given: known };
}

function recordingNode(RED: NodeAPI, id: string): RecordingNode & { id: string } {
  return runningNode<RecordingNode>(RED, INGEST, id, 'recorder');
}

/** A node that does not run, as in the middle of a deployment, hands nothing on. */
function listenTo(RED: NodeAPI, id: string, capture: Capture): () => void {
  try {
    const { recorder } = recordingNode(RED, id);
    const listener: typeof recorder.listener = (msg, at) => capture.take(msg, at);
    recorder.listener = listener;
    return () => {
      if (recorder.listener === listener) {
        recorder.listener = undefined;
      }
    };
  } catch {
    return () => undefined;
  }
}

function definitionOf(RED: NodeAPI, id: string): NodeDef | undefined {
  let found: NodeDef | undefined;
  RED.nodes.eachNode((definition) => {
    if (definition.id === id) {
      found = definition;
    }
  });
  return found;
}

/** How the node reads its messages; those of a subflow's instance are not to be had, so the defaults stand for them. */
function propertiesOf(RED: NodeAPI, id: string): object {
  const properties = definitionOf(RED, id);
  return properties ? (filledProperties(RED, { node: id, properties: { ...properties } }) as object) : {};
}

function nameOf(RED: NodeAPI, id: string): string {
  return definitionOf(RED, id)?.name || id;
}

function startThread(): AssessmentThread {
  const client = new WorkerClient<AssessmentMethods>(join(__dirname, 'assessment-worker.js'), {
    name: 'assessment',
    background: true,
  });
  return {
    add: async (portion) => client.call('add', portion),
    finish: (request) => client.call('finish', request),
    terminate: () => client.terminate(),
  };
}
