import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MqttServer } from '../support/mqtt-server';
import { TestRuntime, type FlowNode } from '../support/runtime';

/** What a test node finds out about the routes that the suite registered. */
interface Route {
  method: string;
  path: string;
}

interface Layer {
  name?: string;
  route?: { path: string; methods: Record<string, boolean> };
}

const SPY = `module.exports = function (RED) {
  globalThis.edgeTestAdmin = RED.httpAdmin;
};`;

const USERS: Record<string, { username: string; permissions: string[] } | undefined> = {
  stranger: { username: 'stranger', permissions: ['library.read'] },
  viewer: { username: 'viewer', permissions: ['read'] },
};
/** A user's name is the token: sessions of Node-RED would keep the process alive for a week. */
const ADMIN_AUTH = {
  type: 'credentials',
  users: [],
  tokens: (token: string) => Promise.resolve(USERS[token] ?? null),
};

let runtime: TestRuntime;
let server: MqttServer;
before(async () => {
  server = await MqttServer.start();
  runtime = await TestRuntime.start({
    settings: { adminAuth: ADMIN_AUTH },
    prepare: (userDir) => {
      writeFileSync(join(userDir, 'nodes', 'test-spy.js'), SPY);
      writeFileSync(join(userDir, 'nodes', 'test-spy.html'), '');
    },
  });
});
after(async () => {
  await runtime.stop();
  await server.die();
});

function routes(): Route[] {
  const admin = (
    globalThis as { edgeTestAdmin?: { _router?: { stack: Layer[] }; router?: { stack: Layer[] } } }
  ).edgeTestAdmin;
  const stack = (admin?._router ?? admin?.router)?.stack ?? [];
  return stack.flatMap(({ route }) =>
    route?.path.startsWith('/edge')
      ? Object.keys(route.methods).map((method) => ({ method: method.toUpperCase(), path: route.path }))
      : [],
  );
}

async function statusOf({ method, path }: Route, token?: string): Promise<number> {
  const response = await fetch(runtime.url + path.replace(/:\w+/g, 'uplink').replace(/[*(].*$/, ''), {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(method === 'POST' && { body: '{}' }),
  });
  await response.arrayBuffer();
  return response.status;
}

test('every admin endpoint refuses without its permission when adminAuth is on', async () => {
  const found = routes();
  for (const path of ['/edge/status', '/edge/metrics', '/edge/sidebar/watch', '/edge/sidebar/maintenance']) {
    assert.ok(
      found.some((route) => route.path === path),
      `${path} is not among ${found.map((route) => route.path).join(', ')}`,
    );
  }
  for (const route of found) {
    const label = `${route.method} ${route.path}`;
    assert.equal(await statusOf(route), 401, `${label} for nobody`);
    assert.equal(await statusOf(route, 'stranger'), 401, `${label} for a user without permission`);
  }
});

test('who may only read can look and can change nothing', async () => {
  assert.equal(await statusOf({ method: 'GET', path: '/edge/status' }, 'viewer'), 200);
  for (const path of ['/edge/sidebar/maintenance', '/edge/sidebar/acknowledge']) {
    assert.equal(await statusOf({ method: 'POST', path }, 'viewer'), 401, path);
  }
});

test('no credential appears in a flow export, log, status, metrics, telemetry or ledger', async () => {
  const secret = (name: string): string => `S3CRET-${name}-a8f1c`;
  const flow: FlowNode[] = [
    { id: 'broker', type: 'edge-broker', url: server.url, protocolVersion: '4', clientId: 'gw' },
    { id: 'web', type: 'edge-http', url: 'http://127.0.0.1:9/none' },
    {
      id: 'gateway',
      type: 'edge-gateway',
      gatewayId: 'gw-1',
      telemetryBroker: 'broker',
      telemetryInterval: 1,
    },
    {
      ...{ id: 'uplink', type: 'resilient-uplink', gateway: 'gateway', connections: ['web', 'broker'] },
      ...{ hash: ['payload.operator'], wires: [['out'], ['out']] },
    },
    { id: 'state', type: 'crdt-state', gateway: 'gateway', space: 'line', wires: [['out'], ['out']] },
    { id: 'out', type: 'test-sink' },
  ];
  await runtime.deploy(flow, {
    broker: { username: secret('user'), password: secret('password') },
    web: { token: secret('token'), username: secret('webuser'), password: secret('webpassword') },
    uplink: { hashKey: secret('hashKey') },
    state: { spaceKey: secret('spaceKey') },
  });
  runtime.inject('uplink', { topic: 'press', payload: { operator: 'Ada' } });
  runtime.inject('state', { topic: 'setpoint', payload: 42 });
  runtime.inject('uplink', { operation: 'stats' });
  runtime.inject('uplink', { operation: 'ledger' });
  await runtime.until(
    () =>
      server.arrived.some(({ topic }) => topic.endsWith('/telemetry')) && runtime.messages('out').length >= 5,
    'telemetry, replies and frames',
  );
  const headers = { authorization: 'Bearer viewer' };
  const texts: Record<string, string> = {
    log: JSON.stringify(runtime.logs),
    messages: JSON.stringify(runtime.messages('out')),
    broker: JSON.stringify(server.arrived),
  };
  for (const route of routes().filter(({ method }) => method === 'GET')) {
    for (const id of ['uplink', 'state', 'broker']) {
      const path = route.path.replace(/:\w+/g, id);
      texts[path] = await (await fetch(runtime.url + path, { headers })).text();
    }
  }
  texts.flows = await (await fetch(`${runtime.url}/flows`, { headers })).text();
  for (const [where, text] of Object.entries(texts)) {
    assert.ok(!text.includes('S3CRET'), `${where}: ${/.{0,80}S3CRET.{0,40}/.exec(text)?.[0] ?? ''}`);
  }
  assert.ok(!texts.broker.includes('Ada'), 'what is hashed leaves nowhere');
});
