import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../nodes/shared/random';
import { freePort, Mosquitto } from '../support/mosquitto';
import type { FlowNode } from '../support/runtime';
import { level, SPACE, StateGateway, stateFlow } from '../support/state-gateway';
import { needProgram } from '../support/tools';
import { WriteOracle } from '../support/write-oracle';

const SEED = Number(process.env.EDGE_SEED ?? Date.now() % 1_000_000);
const WRITES = 40;

/** Loses a quarter of the frames, repeats a quarter and holds a quarter back until others have overtaken it. */
const BAD_NETWORK = `
const next = () => { const seed = ((context.get('seed') || ${1 + (SEED % 1000)}) * 48271) % 2147483647; context.set('seed', seed); return seed; };
const held = context.get('held') || [];
const fate = next() % 4;
const copy = RED.util.cloneMessage(msg);
if (fate === 0) { return null; }
if (fate === 1) { return [[msg, copy]]; }
if (fate === 2 && held.length < 5) { context.set('held', [...held, msg]); return null; }
context.set('held', []);
return [[msg, ...held.reverse()]];`;

/** Frames leave through the bad network and a Link Out node. */
function leave(to: string): FlowNode[] {
  return [
    { id: 'net', type: 'function', func: BAD_NETWORK, outputs: 1, wires: [['link-out']] },
    { id: 'link-out', type: 'link out', mode: 'link', links: ['link-in'], wires: [] },
    { id: 'link-in', type: 'link in', links: ['link-out'], wires: [to.split(' ')] },
  ];
}

const OUT = { transport: 'wire', wires: [['is-reply'], ['net']] };

function overHttp(peer: number): FlowNode[] {
  return [
    {
      ...{ id: 'address', type: 'function', outputs: 1, wires: [['request']] },
      func: `return { payload: msg.payload, method: 'POST', headers: { 'content-type': 'application/octet-stream', 'x-topic': encodeURIComponent(msg.topic) } };`,
    },
    {
      ...{ id: 'request', type: 'http request', method: 'use', ret: 'txt', wires: [[]] },
      url: `http://127.0.0.1:${peer}/frames`,
    },
    { id: 'frames', type: 'http in', url: '/frames', method: 'post', wires: [['topic', 'thanks']] },
    {
      ...{ id: 'topic', type: 'function', outputs: 1, wires: [['state']] },
      func: `return { topic: decodeURIComponent(msg.req.headers['x-topic']), payload: msg.payload };`,
    },
    { id: 'thanks', type: 'http response', statusCode: '204', wires: [] },
  ];
}

function overMqtt(port: number, outgoing: string, incoming: string): FlowNode[] {
  const own = `edge/state/${SPACE}/`;
  return [
    { id: 'mqtt', type: 'mqtt-broker', broker: '127.0.0.1', port: String(port), protocolVersion: '5' },
    {
      ...{ id: 'to-mqtt', type: 'function', outputs: 1, wires: [['mqtt-out']] },
      func: `msg.topic = msg.topic.replace('${own}', '${outgoing}/'); return msg;`,
    },
    { id: 'mqtt-out', type: 'mqtt out', topic: '', qos: '1', broker: 'mqtt', wires: [] },
    {
      ...{ id: 'mqtt-in', type: 'mqtt in', topic: `${incoming}/#`, qos: '1', datatype: 'buffer' },
      ...{ broker: 'mqtt', inputs: 0, wires: [['from-mqtt']] },
    },
    {
      ...{ id: 'from-mqtt', type: 'function', outputs: 1, wires: [['state']] },
      func: `msg.topic = msg.topic.replace('${incoming}/', '${own}'); return msg;`,
    },
  ];
}

test('three gateways in a row, wired by HTTP and by MQTT nodes over a bad network, become equal', async (t) => {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  t.diagnostic(`seed ${SEED}`);
  const broker = await Mosquitto.start(program);
  const [first, second] = [await freePort(), await freePort()];
  const gateways = await Promise.all([
    StateGateway.start('first', {
      port: first,
      flow: stateFlow('first', OUT, [...leave('address'), ...overHttp(second)]),
    }),
    StateGateway.start('second', {
      port: second,
      flow: stateFlow('second', OUT, [
        ...leave('address to-mqtt'),
        ...overHttp(first),
        ...overMqtt(broker.port, 'up', 'down'),
      ]),
    }),
    StateGateway.start('third', {
      flow: stateFlow('third', OUT, [...leave('to-mqtt'), ...overMqtt(broker.port, 'down', 'up')]),
    }),
  ]);
  try {
    const oracle = new WriteOracle(new SeededRandom(SEED));
    const write = async (gateway: StateGateway): Promise<void> => {
      for (let i = 0; i < WRITES; i++) {
        await gateway.write(oracle.write(gateway.name));
      }
    };
    await Promise.all(gateways.map(write));
    await gateways[1].kill();
    await Promise.all([gateways[0], gateways[2]].map(write));
    await gateways[1].station.launch();
    const state = await level(gateways, oracle, 60_000);
    assert.equal(oracle.acknowledged, 5 * WRITES);
    assert.ok(Object.keys(state).includes('own/third'));
  } finally {
    await Promise.all(gateways.map(({ station }) => station.stop()));
    await broker.stop();
  }
});
