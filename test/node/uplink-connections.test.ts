import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { MqttServer } from '../support/mqtt-server';
import { TestRuntime } from '../support/runtime';
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
