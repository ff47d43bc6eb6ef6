import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test, type TestContext } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import { SeededRandom } from '../../nodes/shared/random';
import { Mosquitto } from '../support/mosquitto';
import { TestRuntime, type FlowNode } from '../support/runtime';
import { TcpProxy } from '../support/tcp-proxy';
import { findProgram, unavailable } from '../support/tools';
import { flow, type Uplinked } from '../support/uplink-flow';

const SEED = Number(process.env.EDGE_SEED ?? Date.now() % 1_000_000);

let runtime: TestRuntime;
let count = 0;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

/** A broker behind a bad network, and what arrived at it. */
class Far {
  readonly arrived: { id: string; text: string; topic: string }[] = [];

  private constructor(
    readonly broker: Mosquitto,
    readonly proxy: TcpProxy,
    client: MqttClient,
  ) {
    client.on('message', (topic, body, { properties }) =>
      this.arrived.push({
        topic,
        text: body.toString(),
        id: String(properties?.userProperties?.['edge-id']),
      }),
    );
  }

  static async start(t: TestContext): Promise<Far | undefined> {
    const program = findProgram('mosquitto');
    if (program === undefined) {
      unavailable(t, 'mosquitto is not installed');
      return undefined;
    }
    const broker = await Mosquitto.start(program);
    const proxy = await TcpProxy.start(broker.port);
    const client = await connectAsync(broker.url, { protocolVersion: 5 });
    const far = new Far(broker, proxy, client);
    await client.subscribeAsync('#', { qos: 1 });
    t.after(async () => {
      await runtime.deploy([]);
      await client.endAsync(true);
      await proxy.close();
      await broker.stop();
    });
    return far;
  }

  node(id: string): FlowNode {
    return { id, type: 'edge-broker', name: id, url: this.proxy.url, protocolVersion: '5', keepalive: 60 };
  }

  /** Ids by text: more than one id for a text would be a second message to a receiver. */
  idsOf(text: string): string[] {
    return this.arrived.filter((entry) => entry.text === text).map(({ id }) => id);
  }
}

function newId(): string {
  return `net${++count}`;
}

function delivered(many: number, timeoutMs = 20_000): Promise<Uplinked[]> {
  return runtime.collect(`delivered-net${count}`, many, timeoutMs) as Promise<Uplinked[]>;
}

function send(id: string, from: number, many: number): void {
  for (let n = from; n < from + many; n++) {
    runtime.inject(id, { topic: 'a', payload: `m${n}` });
  }
}

function firstTexts(far: Far): string[] {
  return [...new Set(far.arrived.map(({ text }) => text))];
}

const texts = (many: number): string[] => Array.from({ length: many }, (_, n) => `m${n}`);

test('a half-open link is noticed and given up; everything arrives in order when the network is back', async (t) => {
  const far = await Far.start(t);
  if (!far) {
    return;
  }
  const id = newId();
  await runtime.deploy(flow(id, [far.node('cloud')]));
  send(id, 0, 20);
  await delivered(20);
  far.proxy.freeze();
  send(id, 20, 50);
  const done = `done-${id}`;
  await runtime.collect(done, 70);
  // A half-open connection is never closed by the other side: only the node can give it up.
  await runtime.until(
    () => runtime.problems().some(({ msg }) => /nothing was acknowledged/.test(String(msg))),
    'the connection given up',
  );
  far.proxy.cut();
  far.proxy.heal();
  const messages = await delivered(70);
  assert.deepEqual(firstTexts(far), texts(70));
  assert.ok(messages.slice(20).some(({ uplink }) => uplink.duplicatePossible));
});

test('an acknowledgement that is lost after delivery makes a duplicate with the same id, and one output', async (t) => {
  const far = await Far.start(t);
  if (!far) {
    return;
  }
  const id = newId();
  // Long enough that the network is cut before the node gives the connection up.
  await runtime.deploy(flow(id, [far.node('cloud')], { ackTimeout: 30 }));
  send(id, 0, 1);
  await delivered(1);
  far.proxy.freeze('down');
  for (let n = 1; n <= 10; n++) {
    // A topic each, or only the first would be sent: a topic begins with one message at a time.
    runtime.inject(id, { topic: `a/${n}`, payload: `m${n}` });
  }
  await runtime.until(() => far.arrived.length === 11, 'the messages at the broker');
  far.proxy.cut();
  far.proxy.heal();
  const messages = await delivered(11);
  assert.equal(messages.length, 11, 'each message leaves output 1 once');
  await runtime.until(() => far.arrived.length === 21, 'the duplicates');
  for (const text of texts(11).slice(1)) {
    const ids = far.idsOf(text);
    assert.equal(ids.length, 2);
    assert.equal(ids[0], ids[1]);
  }
  assert.ok(messages.slice(1).every(({ uplink }) => uplink.duplicatePossible));
});

test('a link that drips is slow, not dead: nothing is sent twice', async (t) => {
  const far = await Far.start(t);
  if (!far) {
    return;
  }
  const id = newId();
  await runtime.deploy(flow(id, [far.node('cloud')], { ackTimeout: 2 }));
  send(id, 0, 1);
  await delivered(1);
  // Some 10 kB/s: 300 messages take seconds, longer than ackTimeout, while acknowledgements come all the time.
  far.proxy.drip(100);
  send(id, 1, 300);
  await delivered(301, 40_000);
  await runtime.until(() => far.arrived.length >= 301, 'all of them');
  assert.deepEqual(
    far.arrived.map(({ text }) => text),
    texts(301),
  );
});

test(`a primary that flaps: all is delivered over either, and the primary carries again (seed ${SEED})`, async (t) => {
  const primary = await Far.start(t);
  const second = primary && (await Far.start(t));
  if (!second) {
    return;
  }
  const random = new SeededRandom(SEED);
  const id = newId();
  await runtime.deploy(flow(id, [primary.node('primary'), second.node('second')]));
  const rounds = 20;
  for (let round = 0; round < rounds; round++) {
    send(id, round * 20, 20);
    await new Promise((resolve) => setTimeout(resolve, 50 + random.int(250)));
    if (round % 2 === 0) {
      await primary.proxy.close();
    } else {
      await primary.proxy.listen();
    }
  }
  const messages = await delivered(rounds * 20);
  assert.equal(new Set(messages.map(({ payload }) => payload)).size, rounds * 20);
  assert.ok(messages.some(({ uplink }) => uplink.fallback));
  assert.ok(messages.some(({ uplink }) => !uplink.fallback));
  const all = [...primary.arrived, ...second.arrived];
  const ids = new Map<string, string>();
  for (const { text, id: sent } of all) {
    assert.equal(ids.get(text) ?? sent, sent, `${text} came under two ids`);
    ids.set(text, sent);
  }
  await runtime.until(() => {
    runtime.inject(id, { topic: 'a', payload: 'back' });
    return primary.arrived.some(({ text }) => text === 'back');
  }, 'the primary again');
});

test('a storm of 429, 503 and 401 loses nothing, keeps order, and Retry-After is honoured', async (t) => {
  const storm = [429, 503, 401, 429, 503, 401, 403, 408, 425, 500];
  const arrived: string[] = [];
  let pausedUntil = 0;
  let early = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      early += Date.now() < pausedUntil ? 1 : 0;
      const status = storm.shift();
      if (status === 429) {
        response.setHeader('retry-after', '1');
        pausedUntil = Date.now() + 950;
      }
      response.statusCode = status ?? 204;
      if (status === undefined) {
        arrived.push(Buffer.concat(chunks).toString());
      }
      response.end();
    });
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
  send(id, 0, 30);
  const messages = await delivered(30);
  assert.deepEqual(arrived, texts(30));
  assert.equal(early, 0, 'requests within Retry-After');
  assert.ok(messages[0].uplink.attempts > 8);
  assert.equal(runtime.messages(`undeliverable-${id}`).length, 0);
});
