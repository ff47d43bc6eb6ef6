import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { connect, connectAsync } from 'mqtt';
import { Nats } from '../support/nats';
import { TestRuntime } from '../support/runtime';
import { needProgram } from '../support/tools';
import { flow, type Uplinked } from '../support/uplink-flow';

let runtime: TestRuntime;
let count = 0;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

async function startNats(t: TestContext): Promise<Nats | undefined> {
  const program = needProgram(t, 'nats-server');
  if (program === undefined) {
    return undefined;
  }
  const nats = await Nats.start(program);
  t.after(async () => {
    await runtime.deploy([]);
    await nats.stop();
  });
  return nats;
}

async function deploy(nats: Nats, config: object = {}): Promise<string> {
  const id = `nats${++count}`;
  const broker = { id: 'nats', type: 'edge-broker', name: 'nats', url: nats.url, protocolVersion: '4' };
  await runtime.deploy(flow(id, [broker], { content: 'message', ...config }));
  return id;
}

function send(id: string, from: number, to: number): void {
  for (let n = from; n < to; n++) {
    runtime.inject(id, { topic: `plant/${n % 3}`, payload: n });
  }
}

test('JetStream keeps what the uplink delivers, over a kill of the server, each message under one id', async (t) => {
  const nats = await startNats(t);
  if (!nats) {
    return;
  }
  // A session that JetStream keeps while its client is away.
  const session = { clientId: 'reader', clean: false, reconnectPeriod: 0 };
  const first = await connectAsync(nats.url, session);
  await first.subscribeAsync('plant/#', { qos: 1 });
  await first.endAsync();

  const id = await deploy(nats);
  send(id, 0, 60);
  await runtime.collect(`delivered-${id}`, 60);
  await nats.kill();
  send(id, 60, 120);
  await runtime.collect(`done-${id}`, 120);
  await nats.launch();
  const messages = (await runtime.collect(`delivered-${id}`, 120, 20_000)) as Uplinked[];
  assert.equal(runtime.messages(`undeliverable-${id}`).length, 0);

  const arrived = new Map<string, number>();
  const again = connect(nats.url, session);
  // Before it is connected: the session's messages come at once.
  again.on('message', (_topic, body) => {
    const { id: sent, payload } = JSON.parse(body.toString()) as { id: string; payload: number };
    arrived.set(sent, payload);
  });
  await runtime.until(() => arrived.size >= 120, 'everything from JetStream', 20_000);
  await again.endAsync(true);
  assert.deepEqual(
    [...arrived.values()].sort((a, b) => a - b),
    Array.from({ length: 120 }, (_, n) => n),
  );
  assert.deepEqual(new Set(arrived.keys()), new Set(messages.map(({ uplink }) => uplink.id)));
});

test('a topic that NATS does not take is rejected alone', async (t) => {
  const nats = await startNats(t);
  if (!nats) {
    return;
  }
  const id = await deploy(nats);
  send(id, 0, 10);
  runtime.inject(id, { topic: 'not/with spaces', payload: 'spaces' });
  send(id, 10, 20);
  await runtime.collect(`delivered-${id}`, 20);
  const [rejected] = (await runtime.collect(`undeliverable-${id}`, 1, 30_000)) as Uplinked[];
  assert.equal(rejected.payload, 'spaces');
  assert.equal(rejected.error?.code, 'REJECTED');
});
