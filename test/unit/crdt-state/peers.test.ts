import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Packr } from 'msgpackr';
import { HybridClock } from '../../../nodes/crdt-state/hybrid-clock';
import { MAX_REPLICAS } from '../../../nodes/crdt-state/limits';
import { readImage } from '../../../nodes/crdt-state/persistence';
import { Peers } from '../../../nodes/crdt-state/peers';
import { newImage, Replica } from '../../../nodes/crdt-state/replica';
import { DEFAULT_TIMES } from '../../../nodes/crdt-state/sync-ports';
import { Synchronizer } from '../../../nodes/crdt-state/synchronizer';
import { SeededRandom } from '../../../nodes/shared/random';
import { FakeClock } from '../../support/fake-clock';
import { World } from './world';

test('a vector that was kept for late comers tells what its sender knew, not that it is there', () => {
  const replica = new Replica(newImage('me.000000000000'), new HybridClock(() => 0));
  const peers = new Peers(replica);
  const [gone, here] = ['gone.000000000000', 'here.000000000000'];
  peers.learn(gone, new Map([['x.000000000000', 5]]), -Infinity);
  peers.learn(here, new Map([['x.000000000000', 5]]), 1000);
  assert.deepEqual(
    peers.present(1000, 30_000).map((peer) => peer.replica),
    [here],
  );
  const random = new SeededRandom(1);
  for (let i = 0; i < 50; i++) {
    assert.equal(peers.ahead(1000, 30_000, random)?.replica, here, 'whoever is there is asked');
  }
  peers.leave(here);
  peers.learn(here, new Map(), -Infinity);
  assert.deepEqual(peers.present(1000, 30_000), [], 'what is kept brings nobody back');
});

test('strangers that claim to be ever new gateways are refused beyond the bound on replicas', () => {
  const clock = new FakeClock();
  const replica = new Replica(newImage('me.000000000000'), new HybridClock(() => clock.now()));
  const synchronizer = new Synchronizer(replica, 'hash', DEFAULT_TIMES, {
    clock,
    random: new SeededRandom(1),
    resumed: false,
    send: () => undefined,
    connected: () => true,
    schedule: () => undefined,
    newIncarnation: () => '0'.repeat(12),
    problem: () => undefined,
  });
  const hear = (index: number): void => {
    const sender = `gateway${index}.000000000000`;
    const frame = { kind: 'vector', sender, context: new Map(), strategies: 'hash', hello: false } as const;
    for (const step of synchronizer.receive(frame)) {
      assert.equal(step, undefined);
    }
  };
  for (let index = 0; index < MAX_REPLICAS; index++) {
    hear(index);
  }
  assert.throws(() => hear(MAX_REPLICAS), { code: 'SYNC_INVALID' });
  hear(0);
  assert.equal(synchronizer.peers.size, MAX_REPLICAS);
});

test('what the peers have acknowledged is known at once after a restart, and so is who they are', async () => {
  const world = new World(1);
  world.weather = { loss: 0, repeat: 0, maxDelay: 5 };
  const [a, b] = [world.addStation('a'), world.addStation('b')];
  const host = await world.boot(a);
  await world.boot(b);
  for (let i = 0; i < 20; i++) {
    await host.write('set', `key ${i}`, i);
  }
  await world.run(30_000);
  world.cut.add('a>b');
  await host.write('set', 'unheard', 1);
  await world.run(1000);
  assert.equal(host.pending, 1);
  world.crash(a);
  world.cut.add('b>a');
  const again = await world.boot(a);
  assert.equal(again.pending, 1);
  assert.equal(again.synchronizer?.peers.size, 1);
});

test('an image without peers, as earlier versions stored it, is read', () => {
  const packr = new Packr({ useRecords: false });
  const id = 'a.000000000000';
  const rows = new Map([['meta', packr.pack([1, id, 0, true, [[id, 3]], []])]]);
  const { value } = readImage(rows).next();
  assert.ok(value);
  assert.deepEqual([value.id, value.base, value.peers.size], [id, 3, 0]);
});

test('a retired gateway is no peer, nobody waits for it, and it is hidden from the flow', async () => {
  const world = new World(2);
  world.weather = { loss: 0, repeat: 0, maxDelay: 5 };
  const stations = ['a', 'b', 'gone'].map((name) => world.addStation(name));
  const hosts = await Promise.all(stations.map((station) => world.boot(station)));
  await hosts[0].write('set', 'key', 1);
  await world.run(20_000);
  world.crash(stations[2]);
  await hosts[0].write('set', 'key', 2);
  await world.run(20_000);
  assert.equal(hosts[0].pending, 1);
  for (const wrong of ['a', 'nobody', '', 5, undefined]) {
    await assert.rejects(hosts[0].retire(wrong), { code: 'VALUE' });
  }
  const told: string[] = [];
  hosts[1].listeners.add({ changed: ({ key }) => void told.push(key) });
  await hosts[1].retire('gone');
  await world.run(20_000);
  assert.equal(hosts[0].pending, 0);
  for (const host of hosts.slice(0, 2)) {
    assert.equal(host.synchronizer?.peers.size, 1);
    assert.deepEqual(await host.snapshot(), { key: 2 });
    assert.equal(host.keys, 1);
  }
  assert.deepEqual(told, []);
  await assert.rejects(hosts[0].write('set', '$retired/gone', []), { code: 'VALUE' });
  world.crash(stations[0]);
  const again = await world.boot(stations[0]);
  assert.equal(again.synchronizer?.peers.size, 1);
});
