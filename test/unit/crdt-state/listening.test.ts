import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, type Station } from './world';

const CALM = { loss: 0, repeat: 0, maxDelay: 20 };

async function pair(): Promise<{ world: World; a: Station; b: Station }> {
  const world = new World(1);
  world.weather = CALM;
  const [a, b] = [world.addStation('a'), world.addStation('b')];
  await world.boot(a);
  await world.boot(b);
  await world.run(1000);
  return { world, a, b };
}

test('a gateway that is put back to an old image while all others are down loses nothing and counts nothing twice', async () => {
  const { world, a, b } = await pair();
  await a.host?.write('increment', 'count/parts', 1);
  await world.run(20_000);
  const image = new Map(a.disk.rows);
  const before = a.host?.replicaId;
  for (const [parts, name] of [
    [10, 'first'],
    [100, 'second'],
  ] as const) {
    await a.host?.write('increment', 'count/parts', parts);
    await a.host?.write('set', name, parts);
  }
  await world.run(20_000);
  world.crash(a);
  world.crash(b);
  a.disk.rows = image;
  await world.boot(a);
  for (let i = 0; i < 9; i++) {
    await a.host?.write('increment', 'count/parts', 1000);
    await a.host?.write('set', 'third', i);
  }
  await world.run(600_000);
  await world.boot(b);
  await world.run(20_000);
  const wanted = { 'count/parts': 9111, first: 10, second: 100, third: 8 };
  assert.deepEqual(await b.host?.snapshot(), wanted);
  assert.deepEqual(await a.host?.snapshot(), wanted);
  assert.notEqual(a.host?.replicaId, before);
});

test('a gateway that starts while all others are down keeps its identity, and they hear of its writes when they come', async () => {
  const { world, a, b } = await pair();
  await a.host?.write('set', 'before', 1);
  await world.run(20_000);
  const before = a.host?.replicaId;
  world.crash(b);
  world.crash(a);
  await world.boot(a);
  await a.host?.write('set', 'after', 2);
  await world.run(60_000);
  assert.equal(a.host?.pending, 1, 'nobody has it yet');
  await world.boot(b);
  await world.run(10_000);
  assert.deepEqual(await b.host?.snapshot(), { before: 1, after: 2 });
  assert.equal(a.host.pending, 0);
  assert.equal(a.host.replicaId, before);
});

test('a gateway that never hears anybody tells its writes all the same, also after a restart', async () => {
  const world = new World(1);
  world.weather = CALM;
  const [a, b] = [world.addStation('a'), world.addStation('b')];
  world.cut.add('b>a');
  await world.boot(a);
  await world.boot(b);
  await a.host?.write('set', 'before', 1);
  await world.run(20_000);
  world.crash(a);
  await world.boot(a);
  await a.host?.write('set', 'after', 2);
  await world.run(5000);
  assert.deepEqual(await b.host?.snapshot(), { before: 1, after: 2 });
  // What it has told is no reason to take itself for a restored image.
  const before = a.host?.replicaId;
  world.crash(a);
  world.cut.clear();
  await world.boot(a);
  await world.run(20_000);
  assert.equal(a.host?.replicaId, before);
});
