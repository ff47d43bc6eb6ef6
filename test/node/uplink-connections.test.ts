import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import type { EdgeMessage } from '../../nodes/shared/messages';
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

test('takes the new settings of a connection when only that was deployed', async () => {
  const gone = await startServer();
  await gone.die();
  const server = await startServer();
  const id = newId();
  const second = broker('second', gone);
  await runtime.deploy(flow(id, [broker('primary', gone), second]));
  sendMany(id, 'm', 3);
  await collect('done', 3);
  const before = runtime.node(id);
  await runtime.deploy(flow(id, [broker('primary', server), second]), {}, 'nodes');
  assert.equal(runtime.node(id), before, 'Node-RED leaves the uplink itself alone');
  assert.equal(((await collect('delivered', 3)) as Uplinked[])[0].uplink.connection, 'primary');
  const other = await startServer();
  await runtime.deploy(flow(id, [broker('primary', other), second]), {}, 'nodes');
  runtime.inject(id, { topic: 'a', payload: 'to the other' });
  await runtime.until(() => other.texts.includes('to the other'), 'a message at the new address');
  assert.deepEqual(server.texts.sort(), ['m0', 'm1', 'm2']);
});

test('a broker that does not know MQTT 5 is named in the log with what to set', async () => {
  const id = newId();
  await runtime.deploy(flow(id, [broker('old', await startServer(), { protocolVersion: '5' })]));
  await runtime.until(
    () =>
      ownProblems().some((entry) =>
        /"old".*protocolVersion.*3\.1\.1/.test(JSON.stringify(entry).replaceAll('\\', '')),
      ),
    'the advice',
  );
});

test('a cluster of two mosquittos: the next one carries when one dies, and the first again when that one dies', async (t) => {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  const [one, two] = [await Mosquitto.start(program), await Mosquitto.start(program)];
  const arrived = { one: [] as string[], two: [] as string[] };
  const listen = async (mosquitto: Mosquitto, texts: string[]): Promise<MqttClient> => {
    const client = await connectAsync(mosquitto.url);
    client.on('message', (_topic, body) => texts.push(body.toString()));
    await client.subscribeAsync('#', { qos: 1 });
    return client;
  };
  const clients = [await listen(one, arrived.one), await listen(two, arrived.two)];
  t.after(async () => {
    await runtime.deploy([]);
    clients.forEach((client) => client.end(true));
    await one.stop();
    await two.stop();
  });
  const id = newId();
  const url = `${one.url}, ${two.url}`;
  await runtime.deploy(flow(id, [{ id: 'cluster', type: 'edge-broker', name: 'cluster', url }]));
  sendMany(id, 'a', 10);
  await collect('delivered', 10);
  await one.kill();
  sendMany(id, 'b', 10);
  await collect('delivered', 20);
  await one.launch();
  clients.push(await listen(one, arrived.one));
  await two.kill();
  sendMany(id, 'c', 10);
  const all = (await collect('delivered', 30)) as Uplinked[];
  assert.ok(all.every(({ uplink }) => uplink.connection === 'cluster' && !uplink.fallback));
  await runtime.until(() => arrived.one.filter((text) => text.startsWith('c')).length >= 10, 'the last ten');
  const letters = (texts: string[]): string => [...new Set(texts.map((text) => text[0]))].join('');
  assert.equal(letters(arrived.one), 'ac');
  assert.equal(letters(arrived.two), 'b');
});

test('a host name that cannot be resolved is named, and the next connection carries', async () => {
  const server = await startServer();
  const id = newId();
  const lost = { id: 'lost', type: 'edge-broker', name: 'lost', url: 'mqtt://no-such-host.invalid' };
  await runtime.deploy(flow(id, [lost, broker('second', server)]));
  sendMany(id, 'm', 3);
  const messages = (await collect('delivered', 3)) as Uplinked[];
  assert.ok(messages.every(({ uplink }) => uplink.connection === 'second' && uplink.fallback));
  assert.ok(
    runtime
      .problems()
      .some(({ msg }) => /"lost".*no-such-host.invalid.*(check the host name|name server)/.test(String(msg))),
  );
});

test('tries all servers of a cluster', async () => {
  const gone = await startServer();
  await gone.die();
  const server = await startServer();
  const id = newId();
  await runtime.deploy(flow(id, [broker('cluster', server, { url: `${gone.url}, ${server.url}` })]));
  sendMany(id, 'm', 1);
  await collect('delivered', 1);
  assert.deepEqual(server.texts, ['m0']);
});
