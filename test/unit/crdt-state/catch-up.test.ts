import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameCodec, type Frame } from '../../../nodes/crdt-state/frames';
import { replicaOf, readKey } from './oracle';
import { settle, World } from './world';

const KEYS = 5000;

async function fill(world: World, name: string, rounds: number): Promise<void> {
  const station = world.addStation(name);
  const host = await world.boot(station);
  for (let round = 1; round <= rounds; round++) {
    await Promise.all(
      Array.from({ length: KEYS }, (_, index) => host.write('set', `machine/${index}`, round * 1000 + index)),
    );
    await world.run(1000);
  }
}

/** The bytes of all frames that the world carries from now on, and the largest of them. */
function weigh(world: World): { total: number; largest: number; kinds: Map<string, number> } {
  const codec = new FrameCodec('simulation', '');
  const sum = { total: 0, largest: 0, kinds: new Map<string, number>() };
  world.tamper = (frame: Frame) => {
    const { length } = codec.encode(frame);
    sum.total += length;
    sum.largest = Math.max(sum.largest, length);
    sum.kinds.set(frame.kind, (sum.kinds.get(frame.kind) ?? 0) + 1);
    return frame;
  };
  return sum;
}

test('a late joiner gets the whole state in bounded chunks, whatever is lost on the way', async () => {
  const world = new World(1);
  world.weather = { loss: 0.3, repeat: 0.1, maxDelay: 50 };
  await fill(world, 'old', 1);
  const sum = weigh(world);
  const late = world.addStation('late');
  await world.boot(late);
  for (let i = 0; i < 60 && replicaOf(late).size < KEYS; i++) {
    await world.run(1000);
  }
  assert.equal(replicaOf(late).size, KEYS);
  assert.equal(readKey(late, 'machine/4999'), 5999);
  assert.ok((sum.kinds.get('reply') ?? 0) > 2, 'one chunk cannot hold the state');
  assert.ok(sum.largest < 100_000, `a frame of ${sum.largest} bytes`);
});

test('what a station that was away must fetch does not depend on how much was overwritten meanwhile', async () => {
  const bytes: number[] = [];
  for (const rounds of [1, 12]) {
    const world = new World(2);
    world.weather = { loss: 0, repeat: 0, maxDelay: 5 };
    await fill(world, 'busy', rounds);
    const sum = weigh(world);
    const away = world.addStation('away');
    await world.boot(away);
    for (let i = 0; i < 30 && replicaOf(away).size < KEYS; i++) {
      await world.run(1000);
    }
    assert.equal(readKey(away, 'machine/0'), rounds * 1000);
    bytes.push(sum.total);
  }
  assert.ok(bytes[1] < bytes[0] * 1.3, `${bytes.join(' and ')} bytes`);
});

test('many writes within one flush travel as one delta with the last value of each key', async () => {
  const world = new World(3);
  world.weather = { loss: 0, repeat: 0, maxDelay: 5 };
  const writer = await world.boot(world.addStation('writer'));
  const reader = world.addStation('reader');
  await world.boot(reader);
  await world.run(1000);
  const sum = weigh(world);
  for (let i = 0; i < 1000; i++) {
    void writer.write('set', `key ${i % 10}`, i);
  }
  await settle();
  await world.run(300);
  assert.equal(sum.kinds.get('delta'), 1);
  assert.equal(readKey(reader, 'key 9'), 999);
  assert.ok(sum.total < 2000, `${sum.total} bytes`);
});

test('with a full disk nothing is told or changed, and the next write works again', async () => {
  const world = new World(4);
  world.weather = { loss: 0, repeat: 0, maxDelay: 5 };
  const station = world.addStation('full');
  const host = await world.boot(station);
  await host.write('set', 'key', 'before');
  station.disk.failing = true;
  await assert.rejects(host.write('set', 'key', 'lost'), { code: 'STORE' });
  assert.equal(readKey(station, 'key'), 'before');
  assert.equal(host.failure?.code, 'STORE');
  station.disk.failing = false;
  await host.write('set', 'key', 'after');
  assert.equal(host.failure, undefined);
  assert.equal(readKey(station, 'key'), 'after');
  assert.equal(replicaOf(station).counter, 2);
});

test('a restored image that crashes before it has heard anybody still finds out, and loses nothing', async () => {
  const world = new World(5);
  world.weather = { loss: 0, repeat: 0, maxDelay: 5 };
  const [a, b] = [world.addStation('a'), world.addStation('b')];
  const host = await world.boot(a);
  await (await world.boot(b)).write('set', 'of b', 1);
  await world.run(15_000);
  const image = new Map(a.disk.rows);
  for (const key of ['one', 'two', 'three']) {
    await host.write('set', key, key);
  }
  await world.run(15_000);
  world.crash(a);
  a.disk.rows = image;
  world.cut.add('b>a');
  await (await world.boot(a)).write('set', 'four', 'four');
  world.crash(a);
  const again = await world.boot(a);
  await again.write('set', 'five', 'five');
  world.cut.clear();
  await world.run(30_000);
  for (const station of [a, b]) {
    for (const key of ['one', 'two', 'three', 'four', 'five']) {
      assert.equal(readKey(station, key), key, `${key} at ${station.name}`);
    }
  }
});
