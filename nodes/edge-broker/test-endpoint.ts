import { randomUUID } from 'node:crypto';
import { connect } from 'mqtt';
import type { NodeAPI } from 'node-red';
import { systemClock } from '../shared/clock';
import { TEST_LIMIT_MS } from '../shared/dialog/connection-test';
import { registerConnectionTest, type TestSecrets } from '../shared/dialog/connection-test-endpoint';
import { defaultDataDir, persistentId } from '../shared/gateway';
import { clientOptions } from './client-options';
import { parseBrokerConfig, type BrokerConfig, type BrokerServer } from './config';
import { deviceLogin } from './device-login';
import { nameOf, probeServers, type Probe } from './probe';

/** What a running `edge-broker` tells the test. */
export interface DeployedBroker {
  servers: readonly BrokerServer[];
}

/** `POST /edge/edge-broker/test`: connects under a client id of its own, and disconnects. */
export function registerBrokerTest(RED: NodeAPI): void {
  registerConnectionTest<BrokerConfig, DeployedBroker>(RED, {
    type: 'edge-broker',
    credentials: ['username', 'password', 'deviceKey'],
    parse: parseBrokerConfig,
    isRunning: (node): node is DeployedBroker => 'servers' in node && 'connection' in node,
    isDeployed(config, running) {
      const deployed = new Set(running.servers.map(addressOf));
      return config.servers.every((server) => deployed.has(addressOf(server)));
    },
    tryOut: (config, secrets, running) =>
      config.shareClientId && running
        ? // The broker would end the connection that runs under this id.
          Promise.resolve({ outcome: 'shared', server: nameOf(config.servers[0]) })
        : probe(RED, config, secrets),
  });
}

async function probe(RED: NodeAPI, config: BrokerConfig, { credentials, tls }: TestSecrets): Promise<Probe> {
  const addTls = tls();
  const { deviceKey, username } = credentials;
  const login = deviceKey ? deviceLogin(config, deviceKey, username) : undefined;
  const secrets = {
    ...credentials,
    ...login?.(systemClock.now()),
    machineId: persistentId(defaultDataDir(RED), 'gateway-id'),
    addTls,
  };
  return probeServers(
    config.servers,
    (server) =>
      connect(
        clientOptions({ ...config, servers: [server] }, secrets, {
          nodeId: `test-${randomUUID().slice(0, 8)}`,
          mqtt: { reconnectPeriod: 0, clean: true, properties: { sessionExpiryInterval: 0 } },
        }),
      ),
    systemClock,
    TEST_LIMIT_MS,
  );
}

/** All that decides who gets to see what is sent: with `mqtt` instead of `mqtts` anybody on the way does. */
function addressOf({ protocol, host, port, path }: BrokerServer): string {
  return `${protocol}://${host}:${port}${protocol.startsWith('ws') ? path : ''}`;
}
