import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameCodec, type Frame } from '../../../nodes/crdt-state/frames';
import { MAX_COUNTER } from '../../../nodes/crdt-state/limits';
import { readKey, replicaOf } from './oracle';
import { settle, World, type Station } from './world';

const EVIL = 'evil.00000000dead';

async function twoStations(seed: number): Promise<[World, Station, Station]> {
  const world = new World(seed);
  world.weather = { loss: 0, repeat: 0, maxDelay: 5 };
  const a = world.addStation('a');
  const b = world.addStation('b');
  await world.boot(a);
  await world.boot(b);
  await world.run(3000);
  return [world, a, b];
}

async function deliver(to: Station, frame: Frame): Promise<void> {
  await to.host?.receive(frame);
}

function vector(sender: string, claims: [string, number][]): Frame {
  return { kind: 'vector', sender, context: new Map(claims), strategies: '', hello: false };
}

test("whoever claims to know the last of a replica's writes takes none of its later ones away", async () => {
  const [world, a, b] = await twoStations(1);
  for (let round = 1; round <= 5; round++) {
    await a.host?.write('set', 'mine', round);
    await world.run(1000);
    await deliver(a, vector(EVIL, [[replicaOf(a).id, MAX_COUNTER]]));
    await a.host?.write('set', 'mine', round * 100);
    await world.run(15_000);
    assert.equal(readKey(b, 'mine'), round * 100, `round ${round}`);
    assert.equal(readKey(a, 'mine'), round * 100, `round ${round}`);
  }
  assert.ok(replicaOf(a).counter < 100, 'the forged counter was taken over');
});

test("a replica that was told of writes that another never made hears that one's real writes all the same", async () => {
  const [world, a, b] = await twoStations(2);
  await b.host?.write('set', 'before', 1);
  await world.run(1000);
  const claims: [string, number][] = [[replicaOf(b).id, MAX_COUNTER]];
  await deliver(a, vector(replicaOf(b).id, claims));
  // a asks b for them; somebody else is quicker.
  const { id } = replicaOf(a);
  world.tamper = (frame) => {
    if (frame.kind === 'request' && frame.sender === id) {
      world.tamper = (each) => each;
      void deliver(a, {
        kind: 'reply',
        sender: frame.target,
        context: new Map(claims),
        target: id,
        transfer: 1,
        index: 0,
        total: 1,
        entries: [],
      });
      return undefined;
    }
    return frame;
  };
  await world.run(2000);
  assert.equal(replicaOf(a).context.get(claims[0][0]), MAX_COUNTER, 'the forged reply was not taken');
  await b.host?.write('set', 'after', 2);
  await world.run(30_000);
  assert.equal(readKey(a, 'before'), 1);
  assert.equal(readKey(a, 'after'), 2);
  assert.equal(a.host?.pending, 0);
});

async function snapshots(stations: readonly Station[]): Promise<unknown[]> {
  const states: unknown[] = [];
  for (const { host } of stations) {
    states.push(await host?.snapshot());
  }
  return states;
}

test('frames of the past that are sent again by whoever recorded them change nothing', async () => {
  const world = new World(3);
  world.weather = { loss: 0, repeat: 0, maxDelay: 5 };
  const codec = new FrameCodec('line', 'secret');
  const stations = ['a', 'b', 'c'].map((name) => world.addStation(name));
  const recorded: Buffer[] = [];
  world.tamper = (frame) => {
    recorded.push(codec.encode(frame));
    return frame;
  };
  for (const station of stations) {
    await world.boot(station);
  }
  for (let i = 0; i < 40; i++) {
    const station = world.pick(stations);
    await station.host?.write('set', `key ${i % 5}`, i);
    await station.host?.write('increment', 'count/parts', i);
    await station.host?.write(i % 3 === 0 ? 'remove' : 'add', 'set/alarms', i % 4);
    if (i % 7 === 0) {
      await station.host?.write('delete', `key ${i % 5}`, undefined);
      await station.host?.collect();
    }
    await world.run(world.random.int(500));
  }
  await world.run(20_000);
  const past = [...recorded];
  const states = await snapshots(stations);
  const ids = stations.map((station) => replicaOf(station).id);
  assert.deepEqual(states[0], states[1]);
  for (const station of stations) {
    for (const bytes of past) {
      const frame = codec.decode(bytes);
      if (frame.sender !== replicaOf(station).id) {
        await station.host?.receive(frame);
      }
    }
  }
  await settle();
  await world.run(20_000);
  assert.deepEqual(await snapshots(stations), states);
  assert.deepEqual(
    stations.map((station) => replicaOf(station).id),
    ids,
  );
});
