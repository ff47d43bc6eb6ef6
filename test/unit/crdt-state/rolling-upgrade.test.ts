import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, type Station } from './world';

const HISTORIES = 30;

/** Frames of version 1 are written here without a key. */
function oldGateways(seed: number): { world: World; stations: Station[] } {
  const world = new World(seed, '');
  const stations = ['a', 'b', 'c'].map((name) => world.addStation(name));
  for (const station of stations) {
    station.version = 1;
  }
  return { world, stations };
}

async function update(world: World, station: Station): Promise<void> {
  world.crash(station);
  station.version = 2;
  await world.boot(station);
}

test('a gateway that was updated reads the others, which read it again when they are updated', async () => {
  const { world, stations } = oldGateways(1);
  const [a, b, c] = stations;
  world.weather = { loss: 0, repeat: 0.1, maxDelay: 50 };
  for (const station of stations) {
    await world.boot(station);
    await station.host?.write('increment', 'count/parts', 1);
  }
  await world.run(20_000);
  await update(world, a);
  await world.run(20_000);
  for (const [station, parts] of [
    [a, 100],
    [b, 10],
    [c, 10],
  ] as const) {
    await station.host?.write('increment', 'count/parts', parts);
    await station.host?.write('set', `by/${station.name}`, parts);
  }
  await world.run(20_000);
  const old = { 'count/parts': 23, 'by/b': 10, 'by/c': 10 };
  assert.deepEqual(await a.host?.snapshot(), { 'count/parts': 123, 'by/a': 100, 'by/b': 10, 'by/c': 10 });
  assert.deepEqual(await b.host?.snapshot(), old, 'what it cannot read changes nothing');
  assert.deepEqual(await c.host?.snapshot(), old);
  assert.ok(world.framesRefused > 0);
  assert.equal(a.host?.pending, 2, 'it knows that the others have not got its writes');
  await update(world, b);
  await update(world, c);
  await world.run(20_000);
  for (const { name, host } of stations) {
    const all = { 'count/parts': 123, 'by/a': 100, 'by/b': 10, 'by/c': 10 };
    assert.deepEqual(await host?.snapshot(), all, name);
    assert.equal(host?.pending, 0, name);
  }
});

test(`any of ${HISTORIES} updates of one gateway after the other loses nothing and counts nothing twice`, async () => {
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const { world, stations } = oldGateways(seed);
    for (const station of stations) {
      const host = await world.boot(station);
      await host.write('increment', 'count/parts', 1);
    }
    const ids = stations.map(({ host }) => host?.replicaId);
    const wanted: Record<string, number> = { 'count/parts': 3 };
    const work = async (): Promise<void> => {
      for (let writes = world.random.int(12); writes > 0; writes--) {
        const { host, name } = world.pick(stations);
        await host?.write('increment', 'count/parts', 1);
        wanted['count/parts']++;
        wanted[`by/${name}`] = writes;
        await host?.write('set', `by/${name}`, writes);
        await world.run(world.random.int(3000));
      }
    };
    await work();
    for (const station of stations) {
      await update(world, station);
      await work();
    }
    world.weather = { loss: 0.1, repeat: 0.1, maxDelay: 100 };
    await world.run(120_000);
    for (const { name, host } of stations) {
      assert.deepEqual(await host?.snapshot(), wanted, `${name}, seed ${seed}`);
    }
    assert.deepEqual(
      stations.map(({ host }) => host?.replicaId),
      ids,
      `seed ${seed}: nobody takes another identity`,
    );
  }
});
