import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { connectAsync, type IPublishPacket } from 'mqtt';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { Mosquitto } from '../support/mosquitto';
import { MqttServer } from '../support/mqtt-server';
import { TestRuntime, type FlowNode } from '../support/runtime';
import { readFlow } from '../support/template';
import { needProgram } from '../support/tools';
import { broker, flow, type Uplinked } from '../support/uplink-flow';

interface Envelope {
  edgeBatch: number;
  id: string;
  topic: string;
  messages: { id: string; stored: number; replay?: true; payload: unknown; encoding?: string }[];
}

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

function collect(sink: string, many: number): Promise<EdgeMessage[]> {
  return runtime.collect(`${sink}-uplink${count}`, many);
}

function newId(): string {
  return `uplink${++count}`;
}

function inject(id: string, many: number): void {
  for (let index = 0; index < many; index++) {
    runtime.inject(id, { topic: `plant/${index % 2}`, payload: { n: index, text: 'x'.repeat(50) } });
  }
}

async function uplinkIds(many: number): Promise<string[]> {
  return ((await collect('delivered', many)) as Uplinked[]).map(({ uplink }) => uplink.id);
}

test('a backlog goes in batches that a plain subscriber of MQTT 3.1.1 can read', async () => {
  const server = await MqttServer.start();
  servers.push(server);
  await server.die();
  const id = newId();
  await runtime.deploy(flow(id, [broker('cloud', server)], { batchSize: 20, batchDelayMs: 50 }));
  runtime.inject(id, { topic: 'raw', payload: Buffer.from([0, 255]) });
  inject(id, 100);
  await collect('done', 101);
  await server.listen();
  const ids = await uplinkIds(101);
  assert.equal(new Set(ids).size, 101);
  const envelopes = server.texts.map((text) => JSON.parse(text) as Envelope);
  assert.ok(envelopes.length <= 12, `${envelopes.length} publishes for 101 messages`);
  assert.ok(envelopes.every(({ edgeBatch, messages }) => edgeBatch === 1 && messages.length <= 20));
  assert.deepEqual(
    envelopes.map(({ topic }) => topic),
    server.arrived.map(({ topic }) => topic),
  );
  const entries = envelopes.flatMap(({ messages }) => messages);
  assert.deepEqual(new Set(entries.map((entry) => entry.id)), new Set(ids));
  assert.ok(entries.some(({ payload, encoding }) => payload === 'AP8=' && encoding === 'base64'));
  for (const machine of [0, 1]) {
    const numbers = envelopes
      .filter(({ topic }) => topic === `plant/${machine}`)
      .flatMap(({ messages }) => messages.map(({ payload }) => (payload as { n: number }).n));
    assert.deepEqual(
      numbers,
      Array.from({ length: 50 }, (_, index) => 2 * index + machine),
    );
  }
});

test('MQTT 5 says what is in a batch, and that it is compressed', async (t) => {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  const mosquitto = await Mosquitto.start(program);
  const client = await connectAsync(mosquitto.url, { protocolVersion: 5 });
  try {
    const packets: IPublishPacket[] = [];
    client.on('message', (_topic, _payload, packet) => packets.push(packet));
    await client.subscribeAsync('#', { qos: 1 });
    const id = newId();
    const cloud = { id: 'cloud', type: 'edge-broker', url: mosquitto.url };
    await runtime.deploy(
      flow(id, [cloud], { batchSize: '10', batchDelayMs: '20', compression: 'gzip', qos: 2 }),
    );
    inject(id, 40);
    const ids = await uplinkIds(40);
    const unpack = (): Envelope[] =>
      packets.map(({ payload }) => JSON.parse(gunzipSync(payload).toString()) as Envelope);
    await runtime.until(() => unpack().flatMap(({ messages }) => messages).length >= 40, 'all messages');
    const envelopes = unpack();
    assert.deepEqual(new Set(envelopes.flatMap(({ messages }) => messages.map((m) => m.id))), new Set(ids));
    packets.forEach(({ properties }, index) => {
      const envelope = envelopes[index];
      assert.equal(properties?.contentType, 'application/gzip');
      assert.deepEqual(
        { ...properties.userProperties },
        {
          'edge-id': envelope.id,
          'edge-batch': String(envelope.messages.length),
          'edge-stored': String(Math.min(...envelope.messages.map(({ stored }) => stored))),
          'content-encoding': 'gzip',
          ...(envelope.messages.some(({ replay }) => replay) && { 'edge-replay': '1' }),
        },
      );
      assert.match(envelope.id, /^[0-9a-f-]{36}:\d+(-\d+)?$/);
    });
  } finally {
    await client.endAsync(true);
    await mosquitto.stop();
  }
});

test('over HTTP a batch is one compressed request, and of a refused one only the poison is rejected', async () => {
  const requests: { headers: IncomingHttpHeaders; envelope: Envelope }[] = [];
  const arrived: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const envelope = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString()) as Envelope;
      requests.push({ headers: request.headers, envelope });
      const numbers = envelope.messages.map(({ payload }) => (payload as { n: number }).n);
      response.statusCode = numbers.includes(13) ? 422 : 204;
      if (response.statusCode === 204) {
        arrived.push(...numbers);
      }
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  server.unref();
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  const id = newId();
  await runtime.deploy(
    flow(id, [{ id: 'web', type: 'edge-http', name: 'web', url }], {
      batchSize: 16,
      batchDelayMs: 300,
      compression: 'gzip',
    }),
  );
  inject(id, 32);
  await collect('delivered', 31);
  const [refused] = (await collect('undeliverable', 1)) as Uplinked[];
  assert.equal(refused.error?.code, 'REJECTED');
  assert.equal((refused.payload as { n: number }).n, 13);
  assert.deepEqual(
    arrived.filter((n) => n % 2 === 1),
    Array.from({ length: 16 }, (_, index) => 2 * index + 1).filter((n) => n !== 13),
  );
  for (const { headers, envelope } of requests) {
    assert.equal(headers['content-encoding'], 'gzip');
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['edge-batch'], String(envelope.messages.length));
    assert.equal(headers['idempotency-key'], envelope.id);
    assert.equal(Number(headers['edge-stored']), Math.min(...envelope.messages.map(({ stored }) => stored)));
    assert.ok(Math.abs(Date.now() - Number(headers['edge-stored'])) < 60_000);
  }
});

test('one message alone is compressed as it is', async () => {
  const server = await MqttServer.start();
  servers.push(server);
  const bodies: Buffer[] = [];
  const client = await connectAsync(server.url, { protocolVersion: 4 });
  client.on('message', (_topic, payload) => bodies.push(payload));
  await client.subscribeAsync('#', { qos: 1 });
  const id = newId();
  await runtime.deploy(flow(id, [broker('cloud', server)], { compression: 'gzip' }));
  runtime.inject(id, { topic: 'a', payload: 'plain text' });
  await collect('delivered', 1);
  await runtime.until(() => bodies.length > 0, 'the message at the subscriber');
  assert.equal(gunzipSync(bodies[0]).toString(), 'plain text');
  await client.endAsync(true);
});

test('the flow split-batches takes apart what the uplink sends, and leaves other messages as they are', async () => {
  const server = await MqttServer.start();
  servers.push(server);
  const id = newId();
  // All on one page: the sender's nodes have none.
  const receiver = readFlow('split-batches')
    .filter(({ type }) => type !== 'tab')
    .map((node): FlowNode => {
      const kept = Object.entries(node).filter(([name]) => name !== 'z');
      return node.id === 'edge-sb-out'
        ? { id: node.id, type: 'test-sink', wires: [] }
        : { ...Object.fromEntries(kept), id: node.id, type: node.type };
    });
  const sender = flow(id, [broker('cloud', server)], { batchSize: 5, batchDelayMs: 50 });
  await runtime.deploy([...receiver, ...sender]);
  runtime.inject(id, { topic: 'plant/cnc', payload: { x: 1 } });
  runtime.inject(id, { topic: 'plant/cnc', payload: 'text' });
  runtime.inject(id, { topic: 'plant/cnc', payload: Buffer.from([0, 255]) });
  const ids = await uplinkIds(3);
  server.arrived.forEach(({ text }) => runtime.inject('edge-sb-json', { topic: 't', payload: text }));
  runtime.inject('edge-sb-json', { topic: 'other', payload: '{"y":2}' });
  const out = (await runtime.collect('edge-sb-out', 4)) as (EdgeMessage & {
    edgeId?: string;
    encoding?: string;
  })[];
  const found = out.map(({ topic, payload, edgeId, encoding }) => [topic, payload, edgeId, encoding]);
  assert.deepEqual(
    new Set(found.map((entry) => JSON.stringify(entry))),
    new Set(
      [
        ['plant/cnc', { x: 1 }, ids[0], undefined],
        ['plant/cnc', 'text', ids[1], undefined],
        ['plant/cnc', 'AP8=', ids[2], 'base64'],
        ['other', { y: 2 }, undefined, undefined],
      ].map((entry) => JSON.stringify(entry)),
    ),
  );
});

test('after a restart the backlog goes at its rate, and a live message of another topic before it', async () => {
  const server = await MqttServer.start();
  servers.push(server);
  const id = newId();
  await runtime.deploy(flow(id, []));
  for (let index = 0; index < 1500; index++) {
    runtime.inject(id, { topic: 'old', payload: `old${index}` });
  }
  await collect('done', 1500);
  await runtime.deploy(flow(id, [broker('cloud', server)], { replayRate: 20 }));
  await runtime.until(() => server.texts.length > 3, 'the first of the backlog');
  const startedAt = performance.now();
  runtime.inject(id, { topic: 'new', payload: 'live' });
  await runtime.until(() => server.texts.includes('live'), 'the live message');
  const seconds = (performance.now() - startedAt) / 1000;
  assert.ok(seconds < 2, `live after ${seconds} s`);
  const old = server.texts.filter((text) => text !== 'live');
  assert.ok(old.length < 20 * (seconds + 3) + 10, `${old.length} of the backlog`);
  assert.deepEqual(
    old,
    old.map((_, index) => `old${index}`),
  );
});
