import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, connectAsync } from 'mqtt';
import type { Nats } from '../support/nats';
import { NatsCluster } from '../support/nats-cluster';
import { TestRuntime } from '../support/runtime';
import { needProgram } from '../support/tools';
import { flow, type Uplinked } from '../support/uplink-flow';

const MESSAGES = 360;
const TOPICS = 3;
const PACE_MS = 10;

let runtime: TestRuntime;
let count = 0;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

interface Arrived {
  id: string;
  topic: string;
  payload: number;
}

/** A cluster with an uplink that knows all three addresses, and a session in it that keeps all that is published. */
async function setScene(t: TestContext): Promise<{ cluster: NatsCluster; id: string } | undefined> {
  const program = needProgram(t, 'nats-server');
  if (program === undefined) {
    return undefined;
  }
  const cluster = await NatsCluster.start(program);
  t.after(async () => {
    await runtime.deploy([]);
    await cluster.stop();
  });
  const first = await connectAsync(cluster.servers[2].url, {
    clientId: 'reader',
    clean: false,
    reconnectPeriod: 0,
  });
  await first.subscribeAsync('plant/#', { qos: 1 });
  await first.endAsync();
  const id = `cluster${++count}`;
  const broker = {
    id: 'nats',
    type: 'edge-broker',
    name: 'nats',
    url: cluster.urls,
    clientId: 'gateway',
    protocolVersion: '4',
  };
  await runtime.deploy(flow(id, [broker], { content: 'message', ackTimeout: 2 }));
  return { cluster, id };
}

/** What the session kept, with everything that came more than once, until all that was asked for is there. */
async function readBack(server: Nats, wanted: number): Promise<Arrived[]> {
  const arrived: Arrived[] = [];
  const ids = new Set<string>();
  const reader = connect(server.url, { clientId: 'reader', clean: false, reconnectPeriod: 200 });
  reader.on('error', () => undefined);
  reader.on('message', (_topic, body) => {
    const message = JSON.parse(body.toString()) as Arrived;
    arrived.push(message);
    ids.add(message.id);
  });
  await runtime.until(() => ids.size >= wanted, `${wanted} messages from the stream`, 20_000);
  await reader.endAsync(true);
  return arrived;
}

function assertNothingLost(arrived: Arrived[], delivered: Uplinked[]): void {
  const payloads = new Map<string, number>();
  const last = new Map<string, number>();
  for (const { id, topic, payload } of arrived) {
    const known = payloads.get(id);
    assert.ok(known === undefined || known === payload, `${id} came with two payloads`);
    if (known === undefined) {
      payloads.set(id, payload);
      assert.ok((last.get(topic) ?? -1) < payload, `${payload} was overtaken on ${topic}`);
      last.set(topic, payload);
    }
  }
  assert.deepEqual(new Set(payloads.keys()), new Set(delivered.map(({ uplink }) => uplink.id)));
  const sequences = [...payloads.keys()].map((id) => Number(id.split(':')[1])).sort((a, b) => a - b);
  assert.deepEqual(
    sequences,
    Array.from({ length: MESSAGES }, (_, n) => n + 1),
  );
}

const victims: Record<string, (cluster: NatsCluster) => Promise<Nats | undefined>> = {
  'the server that the uplink is connected to': (cluster) => cluster.serverOf(/^gateway/),
  'the leader of the stream': (cluster) => cluster.leader(),
};

for (const [name, find] of Object.entries(victims)) {
  test(`a cluster of three keeps every message, once under each id and in order, when ${name} is killed`, async (t) => {
    const scene = await setScene(t);
    if (!scene) {
      return;
    }
    const { cluster, id } = scene;
    let next = 0;
    const send = async (to: number): Promise<void> => {
      for (; next < to; next++) {
        runtime.inject(id, { topic: `plant/${next % TOPICS}`, payload: next });
        await wait(PACE_MS);
      }
    };
    await send(MESSAGES / 3);
    await runtime.collect(`delivered-${id}`, 50);
    const victim = await find(cluster);
    assert.ok(victim, `${name} was not found`);
    const sending = send((2 * MESSAGES) / 3);
    await wait(PACE_MS * 20);
    await victim.kill();
    await sending;
    await runtime.collect(`delivered-${id}`, (2 * MESSAGES) / 3, 20_000);
    // So it went on with two of three.
    assert.ok(await cluster.serverOf(/^gateway/), 'no server says that it has the uplink');
    await victim.launch();
    await send(MESSAGES);
    const delivered = (await runtime.collect(`delivered-${id}`, MESSAGES, 20_000)) as Uplinked[];
    assert.equal(runtime.messages(`undeliverable-${id}`).length, 0);
    // The one that was dead knows everything, too.
    assertNothingLost(await readBack(victim, MESSAGES), delivered);
  });
}
