import type { NodeAPI } from 'node-red';
import type { BrokerSettings } from '../shared/connections';
import { RENEW_AFTER_MS } from '../shared/device-key';
import { registerEdgeNode } from '../shared/edge-node';
import { defaultDataDir, persistentId } from '../shared/gateway';
import { tlsOf } from '../shared/tls';
import { clientOptions } from './client-options';
import { openClient } from '../shared/mqtt-client';
import { parseBrokerConfig } from './config';
import { deviceLogin } from './device-login';
import { registerBrokerTest } from './test-endpoint';

export = function (RED: NodeAPI): void {
  registerBrokerTest(RED);
  registerEdgeNode(RED, {
    type: 'edge-broker',
    credentials: {
      username: { type: 'text' },
      password: { type: 'password' },
      deviceKey: { type: 'password' },
    },
    parse: parseBrokerConfig,
    start(config, { id, name, credentials, clock }) {
      const addTls = tlsOf(RED, config.tls);
      const { deviceKey, username } = credentials as { deviceKey?: string; username?: string };
      const login = deviceKey ? deviceLogin(config, deviceKey, username) : undefined;
      const connection: BrokerSettings = {
        kind: 'broker',
        id,
        name,
        protocolVersion: config.protocolVersion,
        ...(login && { renewAfterMs: RENEW_AFTER_MS, maxQos: 1 as const }),
        connectionOptions(link) {
          const machineId = persistentId(defaultDataDir(RED), 'gateway-id');
          return clientOptions(config, { ...credentials, ...login?.(clock.now()), machineId, addTls }, link);
        },
        connect(link) {
          const client = openClient(connection.connectionOptions(link));
          if (login) {
            // Whoever lets the client reconnect by itself needs a new token each time.
            client.on('close', () => Object.assign(client.options, login(clock.now())));
          }
          return client;
        },
      };
      return { expose: { connection, servers: config.servers } };
    },
  });
};
