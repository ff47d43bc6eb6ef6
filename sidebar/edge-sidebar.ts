import type { NodeAPI } from 'node-red';
import { Host } from '../nodes/edge-gateway/host';
import { acknowledgeAlert, listAlerts } from '../nodes/shared/alerts';
import { systemClock } from '../nodes/shared/clock';
import { defaultDataDir } from '../nodes/shared/gateway';
import { listStation } from '../nodes/shared/station';
import { currentLevels } from '../nodes/shared/service-levels';
import { registerAssessment } from './assessment/endpoints';
import { maintenanceOf, registerMaintenance, userOf } from './maintenance';
import { snapshotOf, type Snapshot } from './snapshot';
import { Watch } from './watch';

/** The editor's channel that snapshots are pushed on. */
const CHANNEL = 'edge/sidebar';

interface EditorChannel {
  comms: { publish(topic: string, data: unknown, retain: boolean): void };
  plugins: { registerPlugin(id: string, definition: object): void };
}

export = function (RED: NodeAPI): void {
  const { comms, plugins } = RED as unknown as EditorChannel;
  const host = new Host(systemClock);
  const job = registerAssessment(RED);
  registerMaintenance(RED);
  const push = async (): Promise<void> => {
    try {
      const figures = await host.figures(defaultDataDir(RED));
      const exists = (id: string): boolean => Boolean(RED.nodes.getNode(id));
      const now = systemClock.now();
      const alerts = listAlerts(exists).map((alert) => {
        const maintenance = maintenanceOf(RED, alert.node, alert.source, now);
        return { ...alert, ...(maintenance && { maintenance }) };
      });
      comms.publish(
        CHANNEL,
        {
          ...snapshotOf(listStation(), figures, alerts, now),
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
    const isKnown = typeof id === 'string' && acknowledgeAlert(id, userOf(request), systemClock.now());
    response.status(isKnown ? 204 : 404).end();
  });
};
