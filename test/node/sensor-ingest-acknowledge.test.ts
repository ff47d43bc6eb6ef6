import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { after, before, test } from 'node:test';
import { Aedes } from 'aedes';
import { connectAsync, type MqttClient } from 'mqtt';
import { untilStatus } from '../support/ingest-node';
import { Mosquitto } from '../support/mosquitto';
import { TestRuntime, type FlowNode } from '../support/runtime';
import { needProgram } from '../support/tools';

let runtime: TestRuntime;
let broker: Aedes;
let server: Server;
let machines: MqttClient;
const url = (): string => `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;

before(async () => {
  broker = await Aedes.createBroker();
  server = createServer((socket) => broker.handle(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  machines = await connectAsync(url(), { clientId: 'machines' });
  runtime = await TestRuntime.start();
});

after(async () => {
  await runtime.stop();
  await machines.endAsync(true);
  await new Promise<void>((resolve) => broker.close(resolve));
  server.close();
});

type NodeOfAChain = Pick<FlowNode, 'type'>;

const PASS = { type: 'function', func: 'return msg;', outputs: 1 };
const SPLIT = { type: 'split', arraySplt: 1, arraySpltType: 'len', splt: '\\n', spltType: 'str' };

/** An ingest node, ordinary nodes in a row, and an uplink to the same broker. */
function flow(between: NodeOfAChain[], qos: number, broker: object, ttl = 0): FlowNode[] {
  return [
    { id: 'broker', type: 'edge-broker', ...broker },
    {
      id: 'ingest',
      type: 'sensor-ingest',
      source: 'mqtt',
      broker: 'broker',
      topic: 'plant/+',
      qos,
      wires: [['n0'], [], []],
    },
    ...between.map((node, i) => ({ id: `n${i}`, wires: [[`n${i + 1}`]], ...node })),
    {
      id: `n${between.length}`,
      type: 'resilient-uplink',
      connections: ['broker'],
      topic: 'cloud/{topic}',
      ttl,
      wires: [[], ['rejects']],
    },
    { id: 'rejects', type: 'test-sink', wires: [] },
    { id: 'complete', type: 'complete', scope: [`n${between.length}`], wires: [['accepted']] },
    { id: 'accepted', type: 'test-sink', wires: [] },
  ];
}

test('through many ordinary nodes and a split, the broker is told when the uplink has accepted, not before', async () => {
  await runtime.deploy(
    flow([...new Array<NodeOfAChain>(9).fill(PASS), SPLIT, PASS], 1, { url: url(), protocolVersion: '4' }),
  );
  await untilStatus(runtime, 'sensor-ingest.status.listening');
  const accepted: number[] = [];
  const told = (_packet: unknown, { id }: { id: string }): void => {
    if (id.endsWith('-ingest')) {
      accepted.push(runtime.messages('accepted').length);
    }
  };
  broker.on('ack', told);
  for (let v = 0; v < 30; v++) {
    await machines.publishAsync('plant/a', `{"v":${v}}`, { qos: 1 });
    await runtime.until(() => accepted.length > v, `the acknowledgement of ${v}`);
  }
  broker.off('ack', told);
  assert.deepEqual(
    accepted,
    Array.from({ length: 30 }, (_, v) => v + 1),
  );
});

for (const [deployment, qos, protocolVersion] of [
  ['full', 1, '4'],
  ['nodes', 1, '5'],
  ['nodes', 2, '4'],
  ['nodes', 2, '5'],
] as const) {
  test(`${deployment} deployments while readings of QoS ${qos} flow over MQTT ${protocolVersion} lose none of them`, async (t) => {
    const program = needProgram(t, 'mosquitto');
    if (program === undefined) {
      return;
    }
    const mosquitto = await Mosquitto.start(program);
    const line = { url: mosquitto.url, protocolVersion, sessionExpiry: 3600 };
    // With a session: what arrives while its own connection is lost is no loss of the nodes.
    const plant = await connectAsync(mosquitto.url, { clientId: 'plant', clean: false });
    const arrived = new Set<number>();
    plant.on('message', (_topic, body) => arrived.add((JSON.parse(body.toString()) as { n: number }).n));
    await plant.subscribeAsync('cloud/#', { qos: 1 });
    await runtime.deploy(flow([PASS, PASS, PASS], qos, line));
    await untilStatus(runtime, 'sensor-ingest.status.listening');
    let published = 0;
    const publish = setInterval(() => {
      for (let i = 0; i < 30; i++) {
        const n = published++;
        plant.publish(`plant/m${n % 10}`, JSON.stringify({ n, ts: Date.now() }), { qos });
      }
    }, 10);
    try {
      for (let ttl = 1; ttl <= 2; ttl++) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        const changed = flow([PASS, PASS, PASS], qos, line, deployment === 'nodes' ? ttl * 1000 : 0);
        await runtime.deploy(changed, {}, deployment);
      }
    } finally {
      clearInterval(publish);
    }
    await runtime.until(() => arrived.size === published, 'all readings', 20_000).catch(() => undefined);
    const missing = Array.from({ length: published }, (_, n) => n).filter((n) => !arrived.has(n));
    await plant.endAsync(true);
    await mosquitto.stop();
    const refused = runtime.messages('rejects').map(({ error }) => (error as { code: string }).code);
    assert.deepEqual({ missing, refused }, { missing: [], refused: [] });
  });
}
