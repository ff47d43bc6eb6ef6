import { connect } from 'mqtt';
import type { NodeAPI } from 'node-red';
import type { Broker } from '../shared/connections';
import { registerEdgeNode } from '../shared/edge-node';
import { defaultDataDir, persistentId } from '../shared/gateway';
import { tlsOf } from '../shared/tls';
import { clientOptions } from './client-options';
import { parseBrokerConfig } from './config';
import { registerBrokerTest } from './test-endpoint';

export = function (RED: NodeAPI): void {
  registerBrokerTest(RED);
  registerEdgeNode(RED, {
    type: 'edge-broker',
    credentials: { username: { type: 'text' }, password: { type: 'password' } },
    parse: parseBrokerConfig,
    start(config, { id, name, credentials }) {
      const addTls = tlsOf(RED, config.tls);
      const connection: Broker = {
        kind: 'broker',
        id,
        name,
        protocolVersion: config.protocolVersion,
        connect: (link) =>
          connect(
            clientOptions(
              config,
              { ...credentials, machineId: persistentId(defaultDataDir(RED), 'gateway-id'), addTls },
              link,
            ),
          ),
      };
      return { expose: { connection, servers: config.servers } };
    },
  });
};
