import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { Mosquitto } from '../support/mosquitto';
import { MqttServer } from '../support/mqtt-server';
import { TestRuntime, type FlowNode } from '../support/runtime';
import { needProgram } from '../support/tools';
import { broker, flow, type Uplinked } from '../support/uplink-flow';

let runtime: TestRuntime;
let count = 0;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

function collect(sink: string, many: number): Promise<EdgeMessage[]> {
  return runtime.collect(`${sink}-cred${count}`, many);
}

function newId(): string {
  runtime.logs.length = 0;
  return `cred${++count}`;
}

interface Shown {
  state: string;
  carries: boolean;
  error?: string;
  credential?: boolean;
  nextTryMs?: number;
}

async function connectionsOf(id: string): Promise<Shown[]> {
  const answer = await fetch(`${runtime.url}/edge/resilient-uplink/${id}/connections`);
  return ((await answer.json()) as { connections: Shown[] }).connections;
}

/** A mosquitto that knows one user, `gateway` with the password `right`, who may not publish to `secret`. */
async function guarded(t: TestContext): Promise<Mosquitto | undefined> {
  const program = needProgram(t, 'mosquitto');
  const passwd = program && needProgram(t, 'mosquitto_passwd');
  if (!program || !passwd) {
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'edge-users-'));
  execFileSync(passwd, ['-b', '-c', join(folder, 'users'), 'gateway', 'right'], { stdio: 'pipe' });
  writeFileSync(join(folder, 'acl'), 'user gateway\ntopic deny secret\ntopic readwrite #\n');
  const mosquitto = await Mosquitto.start(program, [
    'allow_anonymous false',
    `password_file ${join(folder, 'users')}`,
    `acl_file ${join(folder, 'acl')}`,
  ]);
  t.after(async () => {
    await runtime.deploy([]);
    await mosquitto.stop();
    rmSync(folder, { recursive: true });
  });
  return mosquitto;
}

for (const protocolVersion of ['4', '5']) {
  test(`a wrong password is named and shown red, the next connection carries, a right one is taken (MQTT ${protocolVersion})`, async (t) => {
    const mosquitto = await guarded(t);
    if (!mosquitto) {
      return;
    }
    const second = await MqttServer.start();
    t.after(() => second.die());
    const id = newId();
    const guardedBroker: FlowNode = {
      ...{ id: 'first', type: 'edge-broker', name: 'first', url: mosquitto.url, protocolVersion },
    };
    const nodes = flow(id, [guardedBroker, broker('second', second)], { retryMaxMs: 1000 });
    await runtime.deploy(nodes, { first: { username: 'gateway', password: 'wrong' } });
    for (let n = 0; n < 20; n++) {
      runtime.inject(id, { topic: `t${n}`, payload: `m${n}` });
    }
    const fallen = (await collect('delivered', 20)) as Uplinked[];
    assert.ok(fallen.every(({ uplink }) => uplink.connection === 'second'));
    const [primary, carrying] = await connectionsOf(id);
    assert.equal(primary.credential, true);
    assert.match(primary.error ?? '', /correct the user name and password/);
    assert.equal(carrying.carries, true);
    assert.equal(carrying.state, 'closed');
    await runtime.until(() => runtime.status(id)?.fill === 'red', 'red');
    assert.match(runtime.status(id)?.text ?? '', /first refuses this client.*second/);

    await runtime.deploy(nodes, { first: { username: 'gateway', password: 'right' } });
    await runtime.until(() => {
      runtime.inject(id, { topic: 'a', payload: 'x' });
      return runtime
        .messages(`delivered-${id}`)
        .some((msg) => (msg as Uplinked).uplink.connection === 'first');
    }, 'the primary');
    assert.equal(runtime.messages(`undeliverable-${id}`).length, 0);
  });
}

test('a topic that the broker does not allow is held, told of, and never becomes a dead letter', async (t) => {
  const mosquitto = await guarded(t);
  if (!mosquitto) {
    return;
  }
  const id = newId();
  const first = { id: 'first', type: 'edge-broker', name: 'first', url: mosquitto.url, protocolVersion: '5' };
  await runtime.deploy(flow(id, [first]), { first: { username: 'gateway', password: 'right' } });
  runtime.inject(id, { topic: 'secret', payload: 's0' });
  runtime.inject(id, { topic: 'secret', payload: 's1' });
  for (let n = 0; n < 20; n++) {
    runtime.inject(id, { topic: 'open', payload: `m${n}` });
  }
  await collect('delivered', 20);
  await runtime.until(
    () => runtime.problems().some(({ msg }) => /allow this client to publish/.test(String(msg))),
    'the log',
  );
  runtime.inject(id, { topic: 'open', payload: 'later' });
  await collect('delivered', 21);
  assert.equal(runtime.messages(`undeliverable-${id}`).length, 0);
  runtime.inject(id, { operation: 'stats' });
  const [stats] = (await collect('delivered', 22)).slice(21);
  assert.equal((stats.payload as { queueMessages: number }).queueMessages, 2);
});

test('a storm of 401 makes few requests, the next connection carries, and nothing is given up', async (t) => {
  let requests = 0;
  let status = 401;
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      requests++;
      response.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const second = await MqttServer.start();
  t.after(async () => {
    await runtime.deploy([]);
    server.closeAllConnections();
    server.close();
    await second.die();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  const id = newId();
  const web = { id: 'web', type: 'edge-http', name: 'web', url };
  await runtime.deploy(flow(id, [web, broker('second', second)], { retryMaxMs: 2000 }));
  for (let n = 0; n < 200; n++) {
    runtime.inject(id, { topic: `t${n % 50}`, payload: `m${n}` });
  }
  const messages = (await collect('delivered', 200)) as Uplinked[];
  assert.ok(messages.every(({ uplink }) => uplink.connection === 'second'));
  const [primary] = await connectionsOf(id);
  assert.equal(primary.state === 'closed', false);
  assert.match(primary.error ?? '', /401: correct the token, or user name and password, of the edge-http/);
  assert.ok(requests <= 16, `${requests} requests`);
  status = 204;
  await runtime.until(() => {
    runtime.inject(id, { topic: 'a', payload: 'x' });
    return runtime.messages(`delivered-${id}`).some((msg) => (msg as Uplinked).uplink.connection === 'web');
  }, 'the primary again');
  assert.equal(runtime.messages(`undeliverable-${id}`).length, 0);
});

test('an only connection that refuses everything is shown as on trial, not as working', async (t) => {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(503).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    await runtime.deploy([]);
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  const id = newId();
  await runtime.deploy(flow(id, [{ id: 'web', type: 'edge-http', name: 'web', url }]));
  runtime.inject(id, { topic: 'a', payload: 'm' });
  await runtime.until(() => runtime.status(id)?.text === 'offline, 1 stored', 'offline');
  const [only] = await connectionsOf(id);
  assert.equal(only.state, 'half-open');
  assert.equal(only.error, 'the server answered 503');
});
