import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import { SeededRandom } from '../../nodes/shared/random';
import { Mosquitto } from '../support/mosquitto';
import { namespaceLines, proxyLines, type Lines } from '../support/network-lines';
import { brokerNode, level, SPACE, StateGateway, stateFlow } from '../support/state-gateway';
import { findProgram } from '../support/tools';
import { WriteOracle } from '../support/write-oracle';

const SEED = Number(process.env.EDGE_SEED ?? Date.now() % 1_000_000);
/** How often the network, the broker or a gateway is ended in the campaign. */
const BLOWS = Number(process.env.EDGE_BLOWS ?? 6);
const SIZE = 5;
const program = findProgram('mosquitto');
const options = program === undefined ? { skip: 'mosquitto is not installed' } : {};

const random = new SeededRandom(SEED);
const oracle = new WriteOracle(random);
const gateways: StateGateway[] = [];
let fleet: { broker: Mosquitto; lines: Lines };

before(async () => {
  if (program === undefined) {
    assert.notEqual(process.env.EDGE_REQUIRE_ALL, '1', 'mosquitto is not installed');
    return;
  }
  const spaces = process.env.EDGE_LINES === 'proxies' ? undefined : namespaceLines(SIZE + 1);
  const broker = await Mosquitto.prepare(program, undefined, spaces ? { address: spaces.address } : {});
  fleet = { broker, lines: spaces ?? (await proxyLines(SIZE + 1, broker.port)) };
});
after(async () => {
  if (program !== undefined) {
    await Promise.all(gateways.map(({ station }) => station.stop()));
    await fleet.broker.stop();
    await fleet.lines.close();
  }
});

/** Starts the process at the end of a line; `copyOf` is the user folder that it begins with. */
async function begin(index: number, gatewayId = `gateway ${index}`, copyOf?: string): Promise<StateGateway> {
  const { within, url } = fleet.lines.lines[index];
  const gateway = await StateGateway.start(`g${index}`, {
    flow: [
      ...stateFlow(gatewayId, { transport: 'mqtt', broker: 'broker' }),
      brokerNode(url(fleet.broker.port)),
    ],
    ...(within && { within }),
    ...(copyOf !== undefined && { install: (userDir) => cpSync(copyOf, userDir, { recursive: true }) }),
  });
  gateways[index] = gateway;
  return gateway;
}

async function watch(): Promise<{ client: MqttClient; topics: string[] }> {
  const client = await connectAsync(fleet.broker.url);
  const topics: string[] = [];
  client.on('message', (topic) => topics.push(topic.slice(`edge/state/${SPACE}/`.length)));
  await client.subscribeAsync(`edge/state/${SPACE}/#`);
  return { client, topics };
}

test('with no broker there, writes are acknowledged; when it comes, all become equal', options, async (t) => {
  t.diagnostic(`seed ${SEED}, ${fleet.lines.kind}`);
  await Promise.all([0, 1, 2, 3].map((index) => begin(index)));
  for (const gateway of gateways) {
    await Promise.all(Array.from({ length: 20 }, () => gateway.write(oracle.write(gateway.name))));
  }
  assert.equal(oracle.acknowledged, 80);
  await fleet.broker.launch();
  await level(gateways, oracle);
});

test('a late joiner takes the whole state from one peer, and the others stay quiet', options, async () => {
  await Promise.all(gateways.map((gateway) => gateway.shows('3 peers, 0 pending')));
  const { client, topics } = await watch();
  const late = await begin(4);
  await level(gateways, oracle);
  assert.deepEqual(late.caught, []);
  const asked = topics.filter((topic) => topic.startsWith('req/'));
  const replied = topics.filter((topic) => topic.startsWith('rep/'));
  assert.equal(new Set(asked).size, 1, `one peer is asked: ${asked.join(' ')}`);
  assert.equal(replied.length, 1, `one chunk is enough: ${replied.join(' ')}`);
  await client.endAsync();
});

test('a killed gateway is missed at once, by its last will', options, async () => {
  await Promise.all(gateways.map((gateway) => gateway.shows('4 peers')));
  const [victim, ...others] = gateways;
  const killed = Date.now();
  await victim.kill();
  await Promise.all(others.map((gateway) => gateway.shows('3 peers')));
  assert.ok(Date.now() - killed < 10_000, 'its silence alone would have taken 30 s to notice');
  await victim.station.launch();
  await Promise.all(others.map((gateway) => gateway.shows('4 peers')));
});

test(
  'no acknowledged write is lost by kills, a broker that dies and cables that are cut',
  options,
  async (t) => {
    gateways.forEach((gateway) => gateway.keepWriting(oracle, random));
    const acknowledgements = async (count: number): Promise<void> => {
      const wanted = oracle.acknowledged + count;
      while (oracle.acknowledged < wanted) {
        await Promise.any(gateways.map((gateway) => once(gateway, 'acknowledged')));
      }
    };
    let cutOff: number | undefined;
    const healed = async (): Promise<void> => {
      if (cutOff !== undefined) {
        await fleet.lines.lines[cutOff].heal();
        cutOff = undefined;
      }
    };
    for (let blow = 0; blow < BLOWS; blow++) {
      await acknowledgements(50 + random.int(300));
      const kind = random.int(4);
      const index = random.int(SIZE);
      if (kind === 0) {
        await fleet.broker.kill();
        await acknowledgements(100);
        await fleet.broker.launch();
      } else if (kind === 1) {
        await healed();
        await fleet.lines.lines[index].cut();
        cutOff = index;
      } else {
        await gateways[index].kill();
        await gateways[index].station.launch();
        gateways[index].keepWriting(oracle, random);
      }
    }
    await acknowledgements(200);
    await healed();
    await Promise.all(gateways.map((gateway) => gateway.pause()));
    await level(gateways, oracle);
    t.diagnostic(`${oracle.acknowledged} writes acknowledged`);
  },
);

test('a gateway whose disk was set back to an older copy loses nothing', options, async () => {
  const [, , victim] = gateways;
  const backup = mkdtempSync(join(tmpdir(), 'edge-backup-'));
  const { userDir } = victim.station;
  await victim.kill();
  cpSync(userDir, backup, { recursive: true });
  await victim.station.launch();
  await Promise.all(Array.from({ length: 40 }, () => victim.write(oracle.write(victim.name))));
  await level(gateways, oracle);

  await victim.kill();
  rmSync(userDir, { recursive: true });
  cpSync(backup, userDir, { recursive: true });
  rmSync(backup, { recursive: true });
  await victim.station.launch();
  // At once, before it can have heard of what it has forgotten.
  await Promise.all(Array.from({ length: 40 }, () => victim.write(oracle.write(victim.name))));
  await level(gateways, oracle);
});

test(
  'a gateway and its cloned disk image may run at the same time, and neither loses a write',
  options,
  async () => {
    const [, , , original] = gateways;
    await original.kill();
    const clone = await begin(SIZE, 'gateway 3', original.station.userDir);
    await original.station.launch();
    for (let round = 0; round < 10; round++) {
      await Promise.all([original, clone].map((gateway) => gateway.write(oracle.write(gateway.name))));
    }
    await level(gateways, oracle);
    await Promise.all([original, clone].map((gateway) => gateway.write(oracle.write(gateway.name))));
    await level(gateways, oracle);
    const refused = gateways.flatMap(({ caught }) => caught.filter(({ code }) => code?.startsWith('SYNC')));
    assert.deepEqual(refused, [], 'nothing of all this looks like a broken frame to anybody');
  },
);
