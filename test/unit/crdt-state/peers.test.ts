import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HybridClock } from '../../../nodes/crdt-state/hybrid-clock';
import { MAX_REPLICAS } from '../../../nodes/crdt-state/limits';
import { Peers } from '../../../nodes/crdt-state/peers';
import { newImage, Replica } from '../../../nodes/crdt-state/replica';
import { DEFAULT_TIMES, Synchronizer } from '../../../nodes/crdt-state/synchronizer';
import { SeededRandom } from '../../../nodes/shared/random';
import { FakeClock } from '../../support/fake-clock';

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
