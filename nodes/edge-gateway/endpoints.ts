import type { NodeAPI } from 'node-red';
import { answerWith } from '../shared/dialog/answer';
import { toEdgeError } from '../shared/errors';
import { defaultDataDir } from '../shared/gateway';
import { listLeftBehind } from '../shared/left-behind';
import { currentLevels } from '../shared/service-levels';
import { listStation } from '../shared/station';
import { backUp } from './backup';
import type { Host } from './host';
import { METRICS_TYPE, metricsText } from './metrics';
import { reportStatus } from './status-report';

/** `GET /edge/status`, `GET /edge/metrics` and `POST /edge/backup`, for all nodes of this runtime. */
export function registerEndpoints(RED: NodeAPI, host: Host): void {
  const allowed = RED.auth.needsPermission('edge.read');
  RED.httpAdmin.get('/edge/status', allowed, (_request, response) => {
    answerWith(response, async () => ({
      ...reportStatus(listStation()),
      // Outboxes that no running node owns and that still hold something.
      leftBehind: await listLeftBehind(),
    }));
  });
  RED.httpAdmin.post('/edge/backup', RED.auth.needsPermission('flows.write'), (_request, response) => {
    const userDir = RED.settings.userDir ?? process.cwd();
    const dataDirs = listStation().map(({ gateway }) => gateway()?.dataDir ?? defaultDataDir(RED));
    answerWith(response, () => backUp(userDir, [defaultDataDir(RED), ...dataDirs], Date.now()));
  });
  RED.httpAdmin.get('/edge/metrics', allowed, (_request, response) => {
    host
      .figures(defaultDataDir(RED))
      .then((figures) =>
        response.type(METRICS_TYPE).send(metricsText(listStation(), figures, currentLevels())),
      )
      .catch((thrown: unknown) => response.status(500).send(toEdgeError(thrown).message));
  });
}
