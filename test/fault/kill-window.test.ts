import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { SeededRandom } from '../../nodes/shared/random';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { quiet } from '../support/factory-run';
import { Mosquitto } from '../support/mosquitto';
import type { FlowNode } from '../support/runtime';
import { Station } from '../support/station';
import { needProgram } from '../support/tools';

const SEED = Number(process.env.EDGE_SEED ?? 1);
const KILLS = Number(process.env.EDGE_KILLS ?? 5);
const READINGS_PER_SECOND = 500;

function flow(url: string): FlowNode[] {
  return [
    { id: 'tab', type: 'tab', label: 'kill' },
    { id: 'broker', type: 'edge-broker', url },
    {
      id: 'ingest',
      type: 'sensor-ingest',
      z: 'tab',
      source: 'mqtt',
      broker: 'broker',
      topic: 'plant1/+',
      wires: [['function'], [], []],
    },
    // What lies between in a real flow: an ordinary node, and a detector that learns.
    { id: 'function', type: 'function', z: 'tab', func: 'return msg;', outputs: 1, wires: [['forest']] },
    { id: 'forest', type: 'iso-forest', z: 'tab', wires: [['uplink'], ['uplink']] },
    {
      id: 'uplink',
      type: 'resilient-uplink',
      z: 'tab',
      connections: ['broker'],
      topic: 'cloud/{topic}',
      wires: [[], []],
    },
    { id: 'complete', type: 'complete', z: 'tab', scope: ['uplink'], wires: [['accepted']] },
    { id: 'accepted', type: 'test-sink', z: 'tab', wires: [] },
  ];
}

test(`Node-RED is killed ${KILLS} times while readings flow: nothing is lost, accepted or not`, async (t) => {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  t.diagnostic(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const broker = await Mosquitto.start(program);
  const cloud = await connectAsync(broker.url, { clientId: 'cloud', clean: false });
  const machines = await connectAsync(broker.url, { clientId: 'machines' });
  const station = await Station.start({ flow: flow(broker.url) });
  try {
    await station.shows('ingest', 'sensor-ingest.status.listening');
    const arrived = new Map<number, number>();
    cloud.on('message', (_topic, body) => {
      const { n } = JSON.parse(body.toString()) as { n: number };
      arrived.set(n, (arrived.get(n) ?? 0) + 1);
    });
    await cloud.subscribeAsync('cloud/#', { qos: 1 });
    const accepted = new Set<number>();
    station.on('sink', (_id: string, msg: EdgeMessage) => {
      accepted.add((msg.payload as { n: number }).n);
    });

    let published = 0;
    const acknowledged: Promise<unknown>[] = [];
    const timer = setInterval(() => {
      for (let i = 0; i < READINGS_PER_SECOND / 50; i++) {
        const n = published++;
        acknowledged.push(machines.publishAsync(`plant1/m${n % 20}`, JSON.stringify({ n }), { qos: 1 }));
      }
    }, 20);
    for (let kill = 0; kill < KILLS; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 500 + random.next() * 1500));
      await station.kill();
      await station.launch();
    }
    clearInterval(timer);
    await Promise.all(acknowledged);
    await quiet(() => arrived.size + accepted.size, 3000);

    assert.ok(accepted.size > 0);
    const missing = [...accepted].filter((n) => !arrived.has(n));
    assert.deepEqual(missing, [], `accepted and lost, seed ${SEED}`);
    assert.ok(
      [...arrived.keys()].every((n) => n < published),
      'nothing is invented',
    );
    const window = published - arrived.size;
    const repeated = [...arrived.values()].filter((count) => count > 1).length;
    t.diagnostic(
      `${published} readings at ${READINGS_PER_SECOND}/s, ${KILLS} kills: ${window} lost between the broker and acceptance, ${repeated} arrived more than once`,
    );
    // The broker is told only when the uplink has accepted a reading, so it sends the others again.
    assert.equal(window, 0, `readings lost in ${KILLS} kills, seed ${SEED}`);
  } finally {
    await machines.endAsync(true);
    await cloud.endAsync(true);
    await station.stop();
    await broker.stop();
  }
});
