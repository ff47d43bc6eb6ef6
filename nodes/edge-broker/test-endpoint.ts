import { randomUUID } from 'node:crypto';
import { connect } from 'mqtt';
import type { NodeAPI } from 'node-red';
import { systemClock } from '../shared/clock';
import { answerWith } from '../shared/dialog/answer';
import {
  chooseCredentials,
  connectionTests,
  TEST_LIMIT_MS,
  withoutIdentity,
  type ConnectionTest,
} from '../shared/dialog/connection-test';
import { parseDialogBody } from '../shared/dialog/request';
import { filledProperties } from '../shared/dialog/variables';
import { defaultDataDir, persistentId } from '../shared/gateway';
import { tlsOf } from '../shared/tls';
import { clientOptions } from './client-options';
import { parseBrokerConfig, type BrokerServer } from './config';
import { deviceLogin } from './device-login';
import { probeServers } from './probe';

/** What a running `edge-broker` tells the test. */
export interface DeployedBroker {
  servers: readonly BrokerServer[];
}

/**
 * `POST /edge/edge-broker/test`: connects with the properties and the typed credentials of the body, under a client id
 * of its own, and disconnects. What is stored goes along only to servers that the running node has too.
 */
export function registerBrokerTest(RED: NodeAPI): void {
  RED.httpAdmin.post(
    '/edge/edge-broker/test',
    RED.auth.needsPermission('flows.write'),
    (request, response) => {
      answerWith(response, () => connectionTests.run(() => testBroker(RED, request.body)));
    },
  );
}

async function testBroker(RED: NodeAPI, requestBody: unknown): Promise<ConnectionTest> {
  const body = parseDialogBody(requestBody);
  const config = parseBrokerConfig(filledProperties(RED, body));
  const running = runningBroker(RED, body.node);
  const deployed = new Set(running?.servers.map(addressOf));
  const isDeployed =
    running !== undefined && config.servers.every((server) => deployed.has(addressOf(server)));
  const { credentials, used } = chooseCredentials(
    ['username', 'password', 'deviceKey'],
    body.credentials,
    running?.credentials ?? {},
    isDeployed,
  );
  if (config.shareClientId && running) {
    // The broker would end the connection that runs under this id.
    return { outcome: 'shared', server: nameOf(config.servers[0]), ms: 0, credentials: used };
  }
  const addTls = tlsOf(RED, config.tls);
  const { deviceKey, username } = credentials;
  const login = deviceKey ? deviceLogin(config, deviceKey, username) : undefined;
  const secrets = {
    ...credentials,
    ...login?.(systemClock.now()),
    machineId: persistentId(defaultDataDir(RED), 'gateway-id'),
    addTls: isDeployed ? addTls : withoutIdentity(addTls),
  };
  const startedAt = systemClock.monotonic();
  const probe = await probeServers(
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
  return { ...probe, ms: Math.round(systemClock.monotonic() - startedAt), credentials: used };
}

function runningBroker(
  RED: NodeAPI,
  id: string,
): (DeployedBroker & { credentials?: Record<string, unknown> }) | undefined {
  const node: unknown = id ? RED.nodes.getNode(id) : undefined;
  return typeof node === 'object' && node !== null && 'servers' in node && 'connection' in node
    ? (node as DeployedBroker & { credentials?: Record<string, unknown> })
    : undefined;
}

function nameOf({ host, port }: BrokerServer): string {
  return `${host}:${port}`;
}

/** All that decides who gets to see what is sent: with `mqtt` instead of `mqtts` anybody on the way does. */
function addressOf({ protocol, host, port, path }: BrokerServer): string {
  return `${protocol}://${host}:${port}${protocol.startsWith('ws') ? path : ''}`;
}
