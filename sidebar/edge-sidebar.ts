import type { NodeAPI } from 'node-red';
import { Host } from '../nodes/edge-gateway/host';
import { acknowledgeAlert, listAlerts } from '../nodes/shared/alerts';
import { systemClock } from '../nodes/shared/clock';
import { EdgeError } from '../nodes/shared/errors';
import { defaultDataDir } from '../nodes/shared/gateway';
import { listStation } from '../nodes/shared/station';
import { currentLevels } from '../nodes/shared/service-levels';
import { registerAssessment } from './assessment/endpoints';
import { snapshotOf, type Snapshot } from './snapshot';
import { Watch } from './watch';

/** The editor's channel that snapshots are pushed on. */
const CHANNEL = 'edge/sidebar';
const LONGEST_SHELF_MS = 7 * 86_400_000;
const DETECTORS = new Set(['onnx-detect', 'iso-forest']);

interface EditorChannel {
  comms: { publish(topic: string, data: unknown, retain: boolean): void };
  plugins: { registerPlugin(id: string, definition: object): void };
}

export = function (RED: NodeAPI): void {
  const { comms, plugins } = RED as unknown as EditorChannel;
  const host = new Host(systemClock);
  const job = registerAssessment(RED);
  const push = async (): Promise<void> => {
    try {
      const figures = await host.figures(defaultDataDir(RED));
      const exists = (id: string): boolean => Boolean(RED.nodes.getNode(id));
      comms.publish(
        CHANNEL,
        {
          ...snapshotOf(listStation(), figures, listAlerts(exists), systemClock.now()),
          levels: currentLevels(),
          assessment: job.state,
        } satisfies Snapshot,
        false,
      );
    } catch (thrown) {
      RED.log.debug(`edge-sidebar: ${String(thrown)}`);
    }
  };
  const watch = new Watch(systemClock, push, () => host.rest());
  plugins.registerPlugin('edge-sidebar', { type: 'edge-sidebar' });

  RED.httpAdmin.post('/edge/sidebar/watch', RED.auth.needsPermission('edge.read'), (_request, response) => {
    watch.renew();
    response.status(204).end();
  });
  const mayChange = RED.auth.needsPermission('flows.write');
  RED.httpAdmin.post('/edge/sidebar/acknowledge', mayChange, (request, response) => {
    const { id } = request.body as { id?: unknown };
    response.status(typeof id === 'string' && acknowledgeAlert(id) ? 204 : 404).end();
  });
  // Also shelves an alert: that is maintenance of one source for a while.
  RED.httpAdmin.post('/edge/sidebar/maintenance', mayChange, (request, response) => {
    try {
      maintain(RED, request.body);
      response.status(204).end();
    } catch (thrown) {
      const { code, message } =
        thrown instanceof EdgeError ? thrown : new EdgeError('INTERNAL', String(thrown));
      response.status(400).json({ code, message });
    }
  });
};

/** Tells a detector what a message with `msg.operation` = `maintenance` would tell it. */
function maintain(RED: NodeAPI, body: unknown): void {
  const { node, source, on, forMs } = (body ?? {}) as Record<string, unknown>;
  const entry = listStation().find(({ id, type }) => id === node && DETECTORS.has(type));
  const running = entry && RED.nodes.getNode(entry.id);
  if (!running) {
    throw new EdgeError('NODE', 'This detector does not run. Deploy the flow first.');
  }
  const isShelf = typeof forMs === 'number' && forMs > 0 && forMs <= LONGEST_SHELF_MS;
  if (typeof on !== 'boolean' || (forMs !== undefined && !isShelf)) {
    throw new EdgeError('REQUEST', '"on" must be true or false, "forMs" at most a week.');
  }
  running.receive({
    topic: typeof source === 'string' ? source : '',
    payload: { on, ...(isShelf && { until: systemClock.now() + forMs }) },
    operation: 'maintenance',
  });
}
