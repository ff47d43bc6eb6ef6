import type { NodeAPI } from 'node-red';
import { systemClock } from '../nodes/shared/clock';
import type { Maintenance, MaintainedNode } from '../nodes/shared/detection/maintenance';
import { answerWith } from '../nodes/shared/dialog/answer';
import { EdgeError } from '../nodes/shared/errors';
import { LONGEST_MS, type HeardSources } from './maintenance-bounds';

/** A longer choice is not read through. */
const MOST_SOURCES = 500;
const LONGEST_USER = 200;

/** A detector at work; it has Node-RED's `log` like any node. */
type Detector = MaintainedNode & { log(text: string): void };

/**
 * `GET /edge/sidebar/maintenance/:node`: the sources that can be put under maintenance.
 * `POST /edge/sidebar/maintenance` `{node, source?, on, forMs?, reason?}`: begins it for a source or, with none, for all
 * of the node; with `on` false ends what was begun for just that. Shelving an alert is maintenance of its source.
 */
export function registerMaintenance(RED: NodeAPI): void {
  const mayChange = RED.auth.needsPermission('flows.write');
  RED.httpAdmin.get('/edge/sidebar/maintenance/:node', mayChange, (request, response) => {
    answerWith(response, (): HeardSources => {
      const heard = maintained(RED, String(request.params.node))
        .heardSources(MOST_SOURCES + 1)
        // Readings without a name cannot be told from all of them.
        .filter((source) => source !== '');
      return { sources: heard.slice(0, MOST_SOURCES).sort(), more: heard.length > MOST_SOURCES };
    });
  });
  RED.httpAdmin.post('/edge/sidebar/maintenance', mayChange, (request, response) => {
    answerWith(response, () => {
      change(RED, request.body, userOf(request));
      return {};
    });
  });
}

/** The name of the user who asks; undefined where nobody logs in. */
export function userOf(request: object): string | undefined {
  const { username } = (request as { user?: { username?: unknown } }).user ?? {};
  return typeof username === 'string' && username !== '' ? username : undefined;
}

/** What a source of a node is under; undefined for none, or when the node does not run. */
export function maintenanceOf(
  RED: NodeAPI,
  node: string,
  source: string,
  now: number,
): Maintenance | undefined {
  return offered(RED, node)?.maintenance.of(source, now);
}

function change(RED: NodeAPI, body: unknown, user: string | undefined): void {
  const { node, source = '', on, forMs, reason } = (body ?? {}) as Record<string, unknown>;
  const detector = maintained(RED, typeof node === 'string' ? node : '');
  if (typeof source !== 'string' || typeof on !== 'boolean') {
    throw new EdgeError('REQUEST', '"source" must be a text, "on" true or false.');
  }
  const what = source || 'all sources';
  const by = user === undefined ? '' : `, by ${user}`;
  if (!on) {
    detector.maintenance.end(source);
    detector.log(`Maintenance of ${what} was ended in the sidebar${by}.`);
    return;
  }
  const isDuration = typeof forMs === 'number' && forMs > 0 && forMs <= LONGEST_MS;
  if (forMs !== undefined && !isDuration) {
    throw new EdgeError('REQUEST', '"forMs" must be a number of milliseconds, at most a week.');
  }
  const now = systemClock.now();
  const until = isDuration ? now + forMs : undefined;
  detector.maintenance.apply(source, { on, until, reason, by: user?.slice(0, LONGEST_USER) }, now);
  const end = until === undefined ? 'it is ended' : new Date(until).toISOString();
  detector.log(`Maintenance of ${what} until ${end} was begun in the sidebar${by}.`);
}

/** @throws EdgeError `NOT_FOUND` */
function maintained(RED: NodeAPI, id: string): Detector {
  const node = offered(RED, id);
  if (!node) {
    throw new EdgeError(
      'NOT_FOUND',
      'This detector does not run. Deploy the flow first, with a configuration that works.',
    );
  }
  return node;
}

function offered(RED: NodeAPI, id: string): Detector | undefined {
  const node: unknown = RED.nodes.getNode(id);
  return typeof node === 'object' && node !== null && 'heardSources' in node ? (node as Detector) : undefined;
}
