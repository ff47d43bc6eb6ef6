import { join, resolve } from 'node:path';
import type { NodeAPI } from 'node-red';
import { systemClock } from '../shared/clock';
import { brokerOf } from '../shared/connections';
import { registerEdgeNode, type NodeContext, type RunningNode } from '../shared/edge-node';
import { toEdgeError } from '../shared/errors';
import { defaultDataDir, persistentId, type Gateway, type GatewayNode } from '../shared/gateway';
import { listStation } from '../shared/station';
import { parseGatewayConfig, type GatewayConfig, type TelemetryConfig } from './config';
import { registerEndpoints } from './endpoints';
import { GatewayLink } from './gateway-link';
import { Host } from './host';
import { keepFile, readKept } from './remote/document-file';
import { RemoteConfiguration } from './remote/remote-configuration';
import { registerServiceLevels } from './service-levels/endpoints';
import { gatewayTopic, lastWill, TelemetryReporter } from './telemetry';
import { versionsOf } from './versions';

export = function (RED: NodeAPI): void {
  const host = new Host(systemClock);
  const versions = versionsOf(RED);
  registerEndpoints(RED, host);
  registerServiceLevels(RED);
  registerEdgeNode(RED, {
    type: 'edge-gateway',
    parse: parseGatewayConfig,
    start(config, context) {
      const gateway = identityOf(RED, config, context.id);
      const expose: GatewayNode = { gateway };
      return config.telemetry
        ? { ...connected(gateway, config.telemetry, context, host, versions), expose }
        : { expose };
    },
  });
};

function identityOf(RED: NodeAPI, config: GatewayConfig, id: string): Gateway {
  const userDir = RED.settings.userDir ?? process.cwd();
  const dataDir = config.dataDir ? resolve(userDir, config.dataDir) : defaultDataDir(RED);
  return {
    nodeId: id,
    // Each config node has an identity of its own: two gateways in one runtime are two replicas.
    gatewayId: config.gatewayId || persistentId(dataDir, `gateway-id-${id}`),
    name: config.name,
    site: config.site,
    dataDir,
  };
}

/** Telemetry, and where it is wanted configuration from remote, over one connection. */
function connected(
  gateway: Gateway,
  config: TelemetryConfig,
  { RED, id, clock, log }: NodeContext,
  host: Host,
  versions: Record<string, string>,
): RunningNode {
  const broker = brokerOf(RED, config.broker, 'telemetryBroker');
  const topic = gatewayTopic(config.topic, gateway);
  const remoteTopic = config.remote && gatewayTopic(config.remote.topic, gateway);
  host.begin();
  const telemetry = new TelemetryReporter({
    gateway,
    clock,
    versions,
    intervalMs: config.intervalMs,
    entries: listStation,
    host: () => host.figures(gateway.dataDir),
    publish: (message) => link.publish(topic, message),
  });
  const file = join(gateway.dataDir, `remote-config-${id}.json`);
  const remote =
    config.remote &&
    new RemoteConfiguration({
      gatewayId: gateway.gatewayId,
      gatewayNode: id,
      publicKey: config.remote.publicKey,
      clock,
      entries: listStation,
      save: (bytes) => keepFile(file, bytes),
      report: (report) => link.publish(`${remoteTopic}/reported`, report, true),
      log,
    });
  const kept = remote && readKept(file);
  if (kept) {
    remote.restore(kept);
  }
  // Nodes are told only when all of them run: the retained document may come before.
  let started = (): void => undefined;
  const running = new Promise<void>((resolve) => {
    started = resolve;
  });
  RED.events.once('flows:started', started);
  const link = new GatewayLink({
    broker,
    nodeId: id,
    telemetryTopic: topic,
    lastWill: lastWill(gateway),
    ...(remoteTopic && { desiredTopic: `${remoteTopic}/desired` }),
    connected: () => {
      telemetry.report();
      remote?.reportCurrent();
    },
    desired: (bytes) => {
      running
        .then(() => remote?.take(bytes))
        .catch((thrown: unknown) => log.error(toEdgeError(thrown).message));
    },
    warn: (text) => log.warn(text),
  });
  return {
    close: async () => {
      RED.events.removeListener('flows:started', started);
      telemetry.stop();
      remote?.close();
      await link.close();
    },
  };
}
