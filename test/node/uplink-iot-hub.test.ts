import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test, type TestContext } from 'node:test';
import { connect } from 'mqtt';
import { MqttLink } from '../../nodes/resilient-uplink/mqtt-link';
import { systemClock } from '../../nodes/shared/clock';
import { sasToken } from '../../nodes/shared/device-key';
import { IotHub } from '../support/iot-hub';
import { TestRuntime, type FlowNode } from '../support/runtime';
import { flow } from '../support/uplink-flow';

const HUB = '127.0.0.1';
const KEY = Buffer.from('a key that only device and hub know').toString('base64');
const DEVICE = { id: 'press7', key: KEY };
const TOPIC = 'devices/press7/messages/events/';

let runtime: TestRuntime;
let count = 0;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

async function startHub(t: TestContext): Promise<IotHub> {
  const hub = await IotHub.start(HUB, DEVICE);
  t.after(async () => {
    await runtime.deploy([]);
    await hub.stop();
  });
  return hub;
}

async function deploy(hub: IotHub, key: string, config: object = {}): Promise<string> {
  const id = `hub${++count}`;
  runtime.logs.length = 0;
  const broker: FlowNode = {
    ...{ id: 'hub', type: 'edge-broker', name: 'hub', url: hub.url, protocolVersion: '4' },
    ...{ clientId: DEVICE.id, shareClientId: true },
  };
  await runtime.deploy(flow(id, [broker], { topic: TOPIC, retryMaxMs: 300, ...config }), {
    hub: { deviceKey: key },
  });
  return id;
}

function send(id: string, from: number, to: number): void {
  for (let n = from; n < to; n++) {
    runtime.inject(id, { topic: 'any', payload: `m${n}` });
  }
}

const texts = (many: number): string[] => Array.from({ length: many }, (_, n) => `m${n}`);

test('a device key lets the uplink into a hub, whatever QoS is set, and again with a new token when the old expires', async (t) => {
  const hub = await startHub(t);
  // To the hub, the token is valid for two seconds more.
  hub.aheadMs = 3_598_000;
  const id = await deploy(hub, KEY, { qos: '2' });
  send(id, 0, 20);
  await runtime.collect(`delivered-${id}`, 20);
  await runtime.until(() => hub.refusals.includes('expired'), 'the end of the token');
  send(id, 20, 40);
  await runtime.collect(`delivered-${id}`, 40);
  assert.deepEqual([...new Set(hub.arrived)], texts(40));
  assert.ok(hub.expiries.length >= 2);
  assert.ok(hub.expiries[1] > hub.expiries[0], 'a new token');
});

test('a wrong device key is named and shown red, and loses nothing', async (t) => {
  const hub = await startHub(t);
  const id = await deploy(hub, Buffer.from('another key altogether').toString('base64'));
  send(id, 0, 3);
  await runtime.until(() => hub.refusals.includes('signature'), 'a refusal');
  await runtime.until(() => runtime.status(id)?.fill === 'red', 'red');
  assert.ok(runtime.problems().some(({ msg }) => /correct the .* device key/.test(String(msg))));
  assert.equal(runtime.messages(`undeliverable-${id}`).length, 0);
  assert.deepEqual(hub.arrived, []);
});

test('a connection is renewed before its token expires, with nothing lost, repeated or out of order', async (t) => {
  const hub = await IotHub.start(HUB, DEVICE);
  const broker = {
    ...{ kind: 'broker' as const, id: 'hub', name: 'hub', protocolVersion: 4 as const },
    ...{ renewAfterMs: 300, maxQos: 1 as const },
    connect: ({ mqtt }: { mqtt?: object }) =>
      connect(hub.url, {
        ...{ clientId: DEVICE.id, protocolVersion: 4, ...mqtt, properties: {} },
        username: `${HUB}/${DEVICE.id}/?api-version=2021-04-12`,
        password: sasToken(`${HUB}/devices/${DEVICE.id}`, KEY, Date.now(), 2),
      }),
  };
  const link = new MqttLink(() => broker, 'node', 1, systemClock);
  const losses: string[] = [];
  t.after(async () => {
    link.close();
    await hub.stop();
  });
  await new Promise<void>((resolve) => {
    link.open({ opened: resolve, lost: ({ reason }) => losses.push(reason) });
  });
  let sent = 0;
  const end = Date.now() + 2500;
  while (Date.now() < end) {
    if (link.window > 0) {
      const body = Buffer.from(`m${sent}`);
      const outgoing = {
        id: `x:${sent++}`,
        topic: TOPIC,
        body,
        contentType: 'text/plain',
        storedMs: Date.now(),
        replay: false,
      };
      await new Promise<void>((resolve) => {
        link.send(outgoing, ({ outcome }) => {
          assert.equal(outcome, 'acknowledged');
          resolve();
        });
      });
    } else {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  assert.deepEqual(losses, []);
  assert.deepEqual(hub.refusals, []);
  assert.deepEqual(hub.arrived, texts(sent));
  assert.ok(hub.expiries.length >= 4, `${hub.expiries.length} connections`);
});

test('over HTTPS a request carries a token of the device key', async (t) => {
  const tokens: string[] = [];
  const server = createServer((request, response) => {
    tokens.push(request.headers.authorization ?? '');
    request.resume();
    request.on('end', () => response.writeHead(204).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    await runtime.deploy([]);
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/devices/press7/messages/events?api-version=2020-03-13`;
  const id = `hub${++count}`;
  await runtime.deploy(flow(id, [{ id: 'web', type: 'edge-http', name: 'web', url }]), {
    web: { deviceKey: KEY },
  });
  send(id, 0, 1);
  await runtime.collect(`delivered-${id}`, 1);
  const expiry = Number(/se=(\d+)$/.exec(tokens[0])?.[1]);
  assert.equal(tokens[0], sasToken(`${HUB}/devices/press7`, KEY, expiry * 1000, 0));
  assert.ok(Math.abs(expiry - Date.now() / 1000 - 3600) < 60);
});
