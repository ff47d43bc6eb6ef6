import type { NodeAPI } from 'node-red';
import { answerWith } from '../shared/dialog/answer';
import { toEdgeError } from '../shared/errors';
import { defaultDataDir } from '../shared/gateway';
import { listLeftBehind } from '../shared/left-behind';
import { listStation } from '../shared/station';
import type { Host } from './host';
import { METRICS_TYPE, metricsText } from './metrics';
import { reportStatus } from './status-report';

/** `GET /edge/status` and `GET /edge/metrics`, for all nodes of this runtime. */
export function registerEndpoints(RED: NodeAPI, host: Host): void {
  const allowed = RED.auth.needsPermission('edge.read');
  RED.httpAdmin.get('/edge/status', allowed, (_request, response) => {
    answerWith(response, async () => ({
      ...reportStatus(listStation()),
      // Outboxes that no running node owns and that still hold something.
      leftBehind: await listLeftBehind(),
    }));
  });
  RED.httpAdmin.get('/edge/metrics', allowed, (_request, response) => {
    host
      .figures(defaultDataDir(RED))
      .then((figures) => response.type(METRICS_TYPE).send(metricsText(listStation(), figures)))
      .catch((thrown: unknown) => response.status(500).send(toEdgeError(thrown).message));
  });
}
