import type { NodeAPI } from 'node-red';
import type { HttpDestination } from '../shared/connections';
import { registerEdgeNode } from '../shared/edge-node';
import { tlsOf } from '../shared/tls';
import { parseHttpConfig } from './config';
import { HttpSender } from './http-sender';
import { registerHttpTest } from './test-endpoint';

export = function (RED: NodeAPI): void {
  registerHttpTest(RED);
  registerEdgeNode(RED, {
    type: 'edge-http',
    credentials: {
      token: { type: 'password' },
      username: { type: 'text' },
      password: { type: 'password' },
      deviceKey: { type: 'password' },
    },
    parse: parseHttpConfig,
    start(config, { id, name, credentials, clock }) {
      const sender = new HttpSender(config, { ...credentials, addTls: tlsOf(RED, config.tls) }, clock);
      const connection: HttpDestination = {
        kind: 'http',
        id,
        name,
        send: (body, headers, signal) => sender.send(body, headers, signal),
      };
      return {
        expose: { connection, url: config.url },
        close: () => sender.close(),
      };
    },
  });
};
