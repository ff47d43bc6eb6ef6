import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HybridClock } from '../../../nodes/crdt-state/hybrid-clock';
import { MAX_REPLICAS } from '../../../nodes/crdt-state/limits';
import { newImage, Replica } from '../../../nodes/crdt-state/replica';
import { DEFAULT_TIMES, Synchronizer } from '../../../nodes/crdt-state/synchronizer';
import { SeededRandom } from '../../../nodes/shared/random';
import { FakeClock } from '../../support/fake-clock';

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
