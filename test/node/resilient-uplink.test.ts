import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { connectAsync } from 'mqtt';
import { Mosquitto } from '../support/mosquitto';
import { MqttServer } from '../support/mqtt-server';
import { TestRuntime } from '../support/runtime';
import { needProgram } from '../support/tools';
import { broker, flow, type Uplinked } from '../support/uplink-flow';

let runtime: TestRuntime;
const servers: MqttServer[] = [];
let count = 0;
before(async () => {
  runtime = await TestRuntime.start();
});
after(async () => {
  await runtime.stop();
  await Promise.all(servers.map((server) => server.die()));
});

async function startServer(): Promise<MqttServer> {
  const server = await MqttServer.start();
  servers.push(server);
  return server;
}

/** Sinks of the node that the running test made last: an earlier one may still deliver while it is closed. */
function collect(sink: string, many: number): Promise<EdgeMessage[]> {
  return runtime.collect(`${sink}-uplink${count}`, many);
}

function messagesOf(sink: string): EdgeMessage[] {
  return runtime.messages(`${sink}-uplink${count}`);
}

function newId(): string {
  return `uplink${++count}`;
}

function sendMany(id: string, prefix: string, many: number): void {
  for (let index = 0; index < many; index++) {
    runtime.inject(id, { topic: `plant/${index % 3}`, payload: `${prefix}${index}` });
  }
}

function ownProblems(): unknown[] {
  return runtime.problems().filter(({ type }) => type === 'resilient-uplink');
}

test('delivers over MQTT and passes the message on with how it was delivered', async () => {
  const server = await startServer();
  const id = newId();
  await runtime.deploy(flow(id, [broker('cloud', server)]));
  runtime.inject(id, { topic: 'plant/cnc', payload: { x: 1 }, mine: 'kept' });
  const [msg] = (await collect('delivered', 1)) as Uplinked[];
  assert.deepEqual(msg.payload, { x: 1 });
  assert.equal((msg as unknown as { mine: string }).mine, 'kept');
  assert.match(msg.uplink.id, /^[0-9a-f-]{36}:1$/);
  assert.equal(msg.uplink.connection, 'cloud');
  assert.equal(msg.uplink.attempts, 1);
  assert.equal(msg.uplink.fallback, false);
  assert.equal(msg.uplink.duplicatePossible, false);
  assert.deepEqual(server.arrived, [{ topic: 'plant/cnc', text: '{"x":1}' }]);
  await collect('done', 1);
});

test('content message carries the id also over MQTT 3.1.1, with QoS 2', async () => {
  const server = await startServer();
  const id = newId();
  await runtime.deploy(flow(id, [broker('old', server)], { qos: '2', content: 'message' }));
  runtime.inject(id, { topic: 'a', payload: 1 });
  const [msg] = (await collect('delivered', 1)) as Uplinked[];
  assert.deepEqual(JSON.parse(server.texts[0]), { id: msg.uplink.id, topic: 'a', payload: 1 });
});

test('stores while the broker is down, and delivers all of it in order when it comes, with no new message', async () => {
  const server = await startServer();
  await server.die();
  const id = newId();
  await runtime.deploy(flow(id, [broker('cloud', server)]));
  sendMany(id, 'm', 300);
  await collect('done', 300);
  assert.equal(messagesOf('delivered').length, 0);
  await server.listen();
  await collect('delivered', 300);
  for (const machine of [0, 1, 2]) {
    const got = server.arrived.filter(({ topic }) => topic === `plant/${machine}`).map(({ text }) => text);
    assert.deepEqual(
      got,
      Array.from({ length: 100 }, (_, index) => `m${index * 3 + machine}`),
    );
  }
});

test('over MQTT 5 the id travels as user property, the same on every retry', async (t) => {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  const mosquitto = await Mosquitto.start(program);
  const client = await connectAsync(mosquitto.url, { protocolVersion: 5 });
  try {
    const ids: unknown[] = [];
    client.on('message', (_topic, _payload, { properties }) =>
      ids.push(properties?.userProperties?.['edge-id']),
    );
    await client.subscribeAsync('#', { qos: 1 });
    const id = newId();
    await runtime.deploy(flow(id, [{ id: 'cloud', type: 'edge-broker', url: mosquitto.url }]));
    sendMany(id, 'm', 20);
    await collect('delivered', 20);
    const known = (messagesOf('delivered') as Uplinked[]).map(({ uplink }) => uplink.id);
    await runtime.until(() => ids.length >= 20, 'all messages at the subscriber');
    assert.deepEqual(new Set(ids), new Set(known));
    const before = ownProblems().length;
    mosquitto.freeze();
    sendMany(id, 'frozen', 20);
    await runtime.until(() => messagesOf('done').length >= 40, 'acceptance');
    await runtime.until(() => ownProblems().length > before, 'the stall noticed');
    mosquitto.thaw();
    await collect('delivered', 40);
    await runtime.until(() => new Set(ids).size >= 40, 'all messages at the subscriber');
    assert.equal(new Set(ids).size, 40);
  } finally {
    await client.endAsync(true);
    await mosquitto.stop();
  }
});

test('loses nothing when the broker dies in the middle', async () => {
  const server = await startServer();
  const id = newId();
  await runtime.deploy(flow(id, [broker('cloud', server)]));
  sendMany(id, 'a', 200);
  await collect('delivered', 50);
  await server.die();
  sendMany(id, 'b', 200);
  await server.listen();
  await collect('delivered', 400);
  assert.equal(new Set(server.texts).size, 400);
});

test('a stalled broker is given up for the next, and what was under way is not lost', async () => {
  const stalled = await startServer();
  stalled.frozen = true;
  const second = await startServer();
  const id = newId();
  await runtime.deploy(flow(id, [broker('primary', stalled), broker('second', second)]));
  sendMany(id, 'm', 50);
  const messages = (await collect('delivered', 50)) as Uplinked[];
  assert.equal(new Set(second.texts).size, 50);
  assert.ok(messages.every(({ uplink }) => uplink.fallback && uplink.connection === 'second'));
  assert.ok(messages.some(({ uplink }) => uplink.duplicatePossible && uplink.attempts > 1));
  stalled.frozen = false;
  await runtime.until(() => {
    sendMany(id, 'back', 1);
    return stalled.texts.includes('back0');
  }, 'the primary carrying again');
});

test('falls back to HTTP, with the same id as idempotency key, and understands its answers', async () => {
  const primary = await startServer();
  await primary.die();
  const requests: { headers: IncomingMessage['headers']; body: string }[] = [];
  const statuses = [503, 401];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      requests.push({ headers: request.headers, body });
      response.statusCode = body === 'poison' ? 422 : (statuses.shift() ?? 204);
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  server.unref();
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  const id = newId();
  await runtime.deploy(
    flow(id, [broker('primary', primary), { id: 'web', type: 'edge-http', name: 'web', url }]),
  );
  runtime.inject(id, { topic: 'plant/ä', payload: { x: 1 } });
  const [msg] = (await collect('delivered', 1)) as Uplinked[];
  assert.equal(msg.uplink.connection, 'web');
  assert.equal(requests.length, 3);
  assert.ok(requests.every(({ headers }) => headers['idempotency-key'] === msg.uplink.id));
  assert.equal(requests[2].headers['content-type'], 'application/json');
  assert.equal(requests[2].headers['edge-topic'], 'plant/%C3%A4');
  runtime.inject(id, { topic: 'a', payload: 'poison' });
  const [refused] = (await collect('undeliverable', 1)) as Uplinked[];
  assert.equal(refused.error?.code, 'REJECTED');
  assert.equal(refused.payload, 'poison');
});

test('messages that can never be sent come out of output 2 with the reason and stop nothing', async () => {
  const server = await startServer();
  const id = newId();
  await runtime.deploy(flow(id, [broker('cloud', server)], { limitMB: 1 }));
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const bad: [object, string][] = [
    [{ payload: 1 }, 'TOPIC'],
    [{ topic: 'a/+', payload: 1 }, 'TOPIC'],
    [{ topic: 'a/#', payload: 1 }, 'TOPIC'],
    [{ topic: 'a', payload: cycle }, 'UNSERIALISABLE'],
    [{ topic: 'a', payload: { big: 1n } }, 'UNSERIALISABLE'],
    [{ topic: 'a', payload: 'x'.repeat(3_000_000) }, 'TOO_LARGE'],
  ];
  for (const [msg] of bad) {
    runtime.inject(id, msg);
  }
  const out = (await collect('undeliverable', bad.length)) as Uplinked[];
  assert.deepEqual(
    out.map(({ error }) => error?.code),
    bad.map(([, code]) => code),
  );
  assert.deepEqual(out[0].error?.source, { id, type: 'resilient-uplink', name: 'to the cloud' });
  runtime.inject(id, { topic: 'a', payload: 'fine' });
  await collect('delivered', 1);
  assert.deepEqual(server.texts, ['fine']);
  assert.equal(messagesOf('caught').length, 0);
});

test('without a connection it stores, and a redeploy with one delivers what was stored', async () => {
  const server = await startServer();
  const id = newId();
  await runtime.deploy(flow(id, []));
  sendMany(id, 'm', 20);
  await collect('done', 20);
  await runtime.deploy(flow(id, [broker('cloud', server)], { topic: 'north/{topic}' }));
  const messages = (await collect('delivered', 20)) as Uplinked[];
  assert.ok(messages.every(({ uplink }) => uplink.duplicatePossible));
  assert.equal(messages[0].payload, 'm0');
  assert.equal(server.arrived[0].topic, 'plant/0', 'the topic is that of when it was stored');
});

test('a redeploy in the middle loses nothing', async () => {
  const server = await startServer();
  const id = newId();
  const nodes = flow(id, [broker('cloud', server)]);
  await runtime.deploy(nodes);
  const accepted: string[] = [];
  for (let round = 0; round < 3; round++) {
    sendMany(id, `r${round}-`, 100);
    await collect('done', 40);
    accepted.push(...messagesOf('done').map(({ payload }) => String(payload)));
    await runtime.deploy(nodes);
  }
  await runtime.until(() => accepted.every((text) => server.texts.includes(text)), 'all accepted messages');
});

test('refuses at the door when the outbox is full and nothing may be dropped', async () => {
  const id = newId();
  await runtime.deploy(flow(id, [], { limitMB: 0.01, overflow: 'reject' }));
  for (let index = 0; index < 5; index++) {
    runtime.inject(id, { topic: 'a', payload: 'x'.repeat(3000) });
  }
  const [refused] = (await collect('caught', 2)) as Uplinked[];
  assert.equal((refused.error as unknown as { code?: string }).code, 'OUTBOX_FULL');
  await collect('done', 3);
});

test('drops the least urgent and oldest when full, out of output 2', async () => {
  const id = newId();
  await runtime.deploy(flow(id, [], { limitMB: 0.05, priority: 'auto' }));
  runtime.inject(id, { topic: 'a', payload: 'alert', priority: 'alert' });
  for (let index = 0; index < 60; index++) {
    runtime.inject(id, { topic: 'a', payload: `${index} ${'x'.repeat(2000)}` });
  }
  await collect('done', 61);
  await runtime.until(() => messagesOf('undeliverable').length >= 30, 'evictions');
  const out = messagesOf('undeliverable') as Uplinked[];
  assert.ok(out.every(({ error }) => error?.code === 'EVICTED'));
  assert.match(String(out[0].payload), /^0 /);
  assert.ok(!out.some(({ payload }) => payload === 'alert'));
});

test('messages whose time to live is over come out of output 2', async () => {
  const id = newId();
  await runtime.deploy(flow(id, []));
  runtime.inject(id, { topic: 'a', payload: 'short', ttl: 0.2 });
  runtime.inject(id, { topic: 'a', payload: 'long' });
  const [expired] = (await collect('undeliverable', 1)) as Uplinked[];
  assert.equal(expired.payload, 'short');
  assert.equal(expired.error?.code, 'EXPIRED');
});

test('pauses, resumes and tells its figures; other values of msg.operation are just sent', async () => {
  const server = await startServer();
  const id = newId();
  await runtime.deploy(flow(id, [broker('cloud', server)]));
  runtime.inject(id, { operation: 'pause' });
  runtime.inject(id, { topic: 'a', payload: 1 });
  await collect('done', 2);
  runtime.inject(id, { operation: 'stats' });
  const [stats] = await collect('delivered', 1);
  const figures = stats.payload as {
    queueMessages: number;
    paused: boolean;
    connections: { name: string }[];
  };
  assert.equal(figures.queueMessages, 1);
  assert.equal(figures.paused, true);
  assert.deepEqual(
    figures.connections.map(({ name }) => name),
    ['cloud'],
  );
  runtime.inject(id, { operation: 'resume' });
  await collect('delivered', 2);
  runtime.inject(id, { operation: 'get', topic: 'a', payload: 2 });
  await collect('delivered', 3);
});

test('a node with pseudonyms and no key refuses to start, and loses no message silently', async () => {
  const id = newId();
  await runtime.deploy(flow(id, [], { hash: ['payload.operator'] }));
  runtime.inject(id, { topic: 'a', payload: { operator: 'Ann' } });
  const [refused] = (await collect('caught', 1)) as Uplinked[];
  assert.equal((refused.error as unknown as { code?: string }).code, 'CONFIG');
  assert.equal(existsSync(join(runtime.userDir, 'edge', 'uplink', id)), false);
});

test('a damaged outbox is salvaged and reported once, and what was in it is delivered under its ids', async () => {
  const server = await startServer();
  await server.die();
  const id = newId();
  const nodes = flow(id, [broker('cloud', server)]);
  await runtime.deploy(nodes);
  sendMany(id, 'm', 50);
  await collect('done', 50);
  await runtime.deploy([]);
  const folder = join(runtime.userDir, 'edge', 'uplink', id);
  const path = join(folder, 'outbox.db');
  const bytes = readFileSync(path);
  // Without its first page it is no database any more.
  writeFileSync(path, bytes.fill(0, 0, 4096));
  await server.listen();
  await runtime.deploy(nodes);
  const [report] = (await collect('undeliverable', 1)) as Uplinked[];
  assert.equal(report.error?.code, 'CORRUPT');
  assert.equal(report.error.details?.count, 0);
  const file = String(report.error.details.file);
  assert.ok(readdirSync(folder).some((name) => file.endsWith(name)));
  runtime.inject(id, { topic: 'a', payload: 'after' });
  const out = (await collect('delivered', 51)) as Uplinked[];
  const numbers = new Map(out.map(({ payload, uplink }) => [payload, Number(uplink.id.split(':')[1])]));
  assert.deepEqual(
    [...numbers].sort(([, one], [, other]) => one - other),
    [...Array.from({ length: 50 }, (_, index) => [`m${index}`, index + 1]), ['after', 51]],
  );
  assert.equal(messagesOf('undeliverable').length, 1);
  assert.ok(ownProblems().length > 0);
});

test('an outbox that somebody deleted is reported with what it held', async () => {
  const server = await startServer();
  await server.die();
  const id = newId();
  const nodes = flow(id, [broker('cloud', server)]);
  await runtime.deploy(nodes);
  assert.equal(messagesOf('undeliverable').length, 0, 'a fresh outbox is silent');
  sendMany(id, 'm', 5);
  await collect('done', 5);
  await runtime.deploy([]);
  rmSync(join(runtime.userDir, 'edge', 'uplink', id, 'outbox.db'));
  await server.listen();
  await runtime.deploy(nodes);
  const [report] = (await collect('undeliverable', 1)) as Uplinked[];
  assert.equal(report.error?.code, 'CORRUPT');
  assert.equal(report.error.details?.cause, 'removed');
  assert.equal(report.error.details.count, 5);
  runtime.inject(id, { topic: 'a', payload: 'after' });
  await collect('delivered', 1);
});
