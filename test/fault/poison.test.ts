import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import { SeededRandom } from '../../nodes/shared/random';
import { Mosquitto } from '../support/mosquitto';
import { TestRuntime } from '../support/runtime';
import { TcpProxy } from '../support/tcp-proxy';
import { needProgram } from '../support/tools';
import { flow, type Uplinked } from '../support/uplink-flow';

const SEED = Number(process.env.EDGE_SEED ?? Date.now() % 1_000_000);
/** mosquitto disconnects whoever publishes to a topic of more than 200 levels. */
const POISON = `bad/${'x/'.repeat(300)}x`;
const FLAPPING_MS = 20_000;

let runtime: TestRuntime;
let count = 0;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

interface Far {
  broker: Mosquitto;
  proxy: TcpProxy;
  /** First arrivals in order. */
  arrived: { topic: string; text: string }[];
}

async function startFar(t: TestContext): Promise<Far | undefined> {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return undefined;
  }
  const broker = await Mosquitto.start(program);
  const proxy = await TcpProxy.start(broker.port);
  const client: MqttClient = await connectAsync(broker.url);
  const far: Far = { broker, proxy, arrived: [] };
  const seen = new Set<string>();
  client.on('message', (topic, body) => {
    const text = body.toString();
    if (!seen.has(text)) {
      seen.add(text);
      far.arrived.push({ topic, text });
    }
  });
  await client.subscribeAsync('#', { qos: 1 });
  t.after(async () => {
    await runtime.deploy([]);
    await client.endAsync(true);
    await proxy.close();
    await broker.stop();
  });
  return far;
}

const delivered = (many: number, timeoutMs: number): Promise<Uplinked[]> =>
  runtime.collect(`delivered-poison${count}`, many, timeoutMs) as Promise<Uplinked[]>;

function textsOf({ arrived }: Far, topic: string): string[] {
  return arrived.filter((entry) => entry.topic === topic).map(({ text }) => text);
}

for (const [place, at, protocolVersion] of [
  ['head', 0, '5'],
  ['middle', 150, '4'],
  ['end', 300, '5'],
] as const) {
  test(`a topic for which mosquitto disconnects, at the ${place} of a backlog, is rejected alone (MQTT ${protocolVersion})`, async (t) => {
    const far = await startFar(t);
    if (!far) {
      return;
    }
    const id = `poison${++count}`;
    await far.proxy.close();
    const broker = { id: 'far', type: 'edge-broker', name: 'far', url: far.proxy.url, protocolVersion };
    await runtime.deploy(flow(id, [broker]));
    for (let n = 0; n <= 300; n++) {
      if (n === at) {
        runtime.inject(id, { topic: POISON, payload: 'poison' });
      }
      runtime.inject(id, { topic: `t${n % 3}`, payload: `m${n}` });
    }
    await runtime.collect(`done-${id}`, 302);
    await far.proxy.listen();
    await delivered(301, 20_000);
    const [undeliverable] = (await runtime.collect(`undeliverable-${id}`, 1, 60_000)) as Uplinked[];
    assert.equal(undeliverable.payload, 'poison');
    assert.equal(undeliverable.error?.code, 'REJECTED');
    assert.match(undeliverable.error.message, /closed each of three times.*topic, size or content/);
    for (const rest of [0, 1, 2]) {
      const expected = Array.from({ length: 301 }, (_, n) => n).filter((n) => n % 3 === rest);
      assert.deepEqual(
        textsOf(far, `t${rest}`),
        expected.map((n) => `m${n}`),
      );
    }
  });
}

test(`a network that flaps for long rejects nothing, loses nothing and keeps order (seed ${SEED})`, async (t) => {
  const far = await startFar(t);
  if (!far) {
    return;
  }
  const random = new SeededRandom(SEED);
  const id = `poison${++count}`;
  const broker = { id: 'far', type: 'edge-broker', name: 'far', url: far.proxy.url, protocolVersion: '5' };
  await runtime.deploy(flow(id, [broker], { retryMaxMs: 50 }));
  far.proxy.delay(5);
  let sent = 0;
  let cuts = 0;
  const end = Date.now() + FLAPPING_MS;
  while (Date.now() < end) {
    for (let n = random.int(8); n > 0; n--) {
      runtime.inject(id, { topic: `t${sent % 3}`, payload: `m${sent++}` });
    }
    // From shorter than a handshake to longer than it takes to trust a connection again.
    await new Promise((resolve) => setTimeout(resolve, 10 + 800 * random.next() ** 3));
    far.proxy.cut();
    cuts++;
  }
  far.proxy.heal();
  await delivered(sent, 30_000);
  t.diagnostic(`${cuts} cuts, ${sent} messages`);
  assert.equal(runtime.messages(`undeliverable-${id}`).length, 0);
  for (const rest of [0, 1, 2]) {
    const expected = Array.from({ length: sent }, (_, n) => n).filter((n) => n % 3 === rest);
    assert.deepEqual(
      textsOf(far, `t${rest}`),
      expected.map((n) => `m${n}`),
    );
  }
});
