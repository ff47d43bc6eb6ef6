import { resolve } from 'node:path';
import type { NodeAPI } from 'node-red';
import { answerWith } from '../shared/dialog/answer';
import { registerEdgeNode } from '../shared/edge-node';
import { defaultDataDir, persistentId, type GatewayNode } from '../shared/gateway';
import { listLeftBehind } from '../shared/left-behind';
import { listStation } from '../shared/station';
import { parseGatewayConfig } from './config';
import { reportStatus } from './status-report';

export = function (RED: NodeAPI): void {
  registerEdgeNode(RED, {
    type: 'edge-gateway',
    parse: parseGatewayConfig,
    start(config, { id, log }) {
      if (config.wantsTelemetry) {
        log.warn(
          'Property "telemetryBroker": this version publishes no telemetry. See GET /edge/status instead.',
        );
      }
      const userDir = RED.settings.userDir ?? process.cwd();
      const dataDir = config.dataDir ? resolve(userDir, config.dataDir) : defaultDataDir(RED);
      const expose: GatewayNode = {
        gateway: {
          nodeId: id,
          // Each config node has an identity of its own: two gateways in one runtime are two replicas.
          gatewayId: config.gatewayId || persistentId(dataDir, `gateway-id-${id}`),
          name: config.name,
          site: config.site,
          dataDir,
        },
      };
      return { expose };
    },
  });
  RED.httpAdmin.get('/edge/status', RED.auth.needsPermission('edge.read'), (_request, response) => {
    answerWith(response, async () => reportStatus(listStation(), await listLeftBehind()));
  });
};
