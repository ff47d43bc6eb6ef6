import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HybridClock } from '../../../nodes/crdt-state/hybrid-clock';
import { newImage, Replica, type Delta } from '../../../nodes/crdt-state/replica';
import { latestOwn } from '../../../nodes/crdt-state/peers';

const KEYS = ['a', 'b', '__proto__'];

/** What one replica does: write, delete, or take everything that another has. */
type Step = { by: number; from: number; key: string; kind: 'write' | 'delete' | 'partial' | 'pull' };

const steps = fc.array(
  fc.record<Step>({
    by: fc.nat(2),
    from: fc.nat(2),
    key: fc.constantFrom(...KEYS),
    kind: fc.constantFrom('write', 'write', 'delete', 'partial', 'pull'),
  }),
  { maxLength: 25 },
);

function finish(work: Generator<void, void>): void {
  while (work.next().done !== true) {
    // Each step is one slice.
  }
}

function newReplica(name: string): Replica {
  return new Replica(newImage(`${name}.000000000000`), new HybridClock(() => 0));
}

function pull(into: Replica, from: Replica): void {
  finish(into.joinCatchUp({ context: new Map(from.context), entries: [...from.entries()] }));
}

function copy(replica: Replica, name = replica.id.slice(0, 1)): Replica {
  const made = newReplica(name);
  pull(made, replica);
  return made;
}

function play(history: readonly Step[]): Replica[] {
  const replicas = ['x', 'y', 'z'].map(newReplica);
  history.forEach(({ by, from, key, kind }, index) => {
    const replica = replicas[by];
    if (kind === 'pull') {
      pull(replica, replicas[from]);
    } else if (kind === 'partial') {
      replica.write(key, (sibling) => sibling.replica === replica.id, [String(index)]);
    } else {
      replica.write(key, () => true, [kind === 'delete' ? null : String(index)]);
    }
  });
  return replicas;
}

function stateOf(replica: Replica): unknown {
  return [
    [...replica.context].sort(),
    [...replica.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, siblings]) => [key, siblings]),
  ];
}

test('joining is commutative', () => {
  fc.assert(
    fc.property(steps, (history) => {
      const [x, y] = play(history);
      const xy = copy(x);
      pull(xy, y);
      const yx = copy(y);
      pull(yx, x);
      assert.deepEqual(stateOf(xy), stateOf(yx));
    }),
  );
});

test('joining is associative', () => {
  fc.assert(
    fc.property(steps, (history) => {
      const [x, y, z] = play(history);
      const left = copy(x);
      pull(left, y);
      pull(left, z);
      const yz = copy(y);
      pull(yz, z);
      const right = copy(x);
      pull(right, yz);
      assert.deepEqual(stateOf(left), stateOf(right));
    }),
  );
});

test('joining is idempotent', () => {
  fc.assert(
    fc.property(steps, (history) => {
      const [x, y] = play(history);
      pull(x, y);
      const once = stateOf(x);
      pull(x, y);
      assert.deepEqual(stateOf(x), once);
    }),
  );
});

/** The own writes of a replica above a counter, as a flush sends them. */
function deltaOf(replica: Replica, from: number): Delta {
  return {
    sender: replica.id,
    from,
    context: new Map(replica.context),
    entries: [...replica.entries()].filter(([, siblings]) => latestOwn(siblings, replica.id) > from),
  };
}

test('a delta brings a receiver that is ready to the same state as the whole', () => {
  fc.assert(
    fc.property(steps, steps, (before, after) => {
      const [x, y] = play(before);
      pull(x, y);
      pull(y, x);
      const from = x.counter;
      after.forEach(({ key, kind }, index) => {
        x.write(key, () => kind !== 'partial', [kind === 'delete' ? null : `${index}`]);
      });
      fc.pre(x.counter > from);
      const whole = copy(y);
      pull(whole, x);
      const delta = deltaOf(x, from);
      assert.equal(y.readiness(delta), 'ready');
      finish(y.joinDelta(delta));
      assert.deepEqual(stateOf(y), stateOf(whole));
      assert.equal(y.readiness(delta), 'duplicate');
    }),
  );
});

test('one delta a write and one delta for all writes end in the same state', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...KEYS), { minLength: 1 }), (keys) => {
      const writer = newReplica('w');
      const single = newReplica('s');
      const batched = newReplica('b');
      keys.forEach((key, index) => {
        writer.write(key, () => true, [String(index)]);
        finish(single.joinDelta(deltaOf(writer, index)));
      });
      finish(batched.joinDelta(deltaOf(writer, 0)));
      assert.deepEqual(stateOf(batched), stateOf(single));
    }),
  );
});

test('a catch-up above a vector brings as much as the whole state', () => {
  fc.assert(
    fc.property(steps, steps, (before, after) => {
      const replicas = play(before);
      const behind = copy(replicas[0]);
      const ahead = copy(replicas[0], 'q');
      after.forEach(({ key, kind }, index) => {
        ahead.write(key, () => kind !== 'partial', [kind === 'delete' ? null : `${index}`]);
      });
      const work = ahead.above(behind.context);
      let step = work.next();
      while (step.done !== true) {
        step = work.next();
      }
      const whole = copy(behind);
      pull(whole, ahead);
      finish(behind.joinCatchUp(step.value));
      assert.deepEqual(stateOf(behind), stateOf(whole));
    }),
  );
});

test('a turn that is rolled back leaves nothing behind', () => {
  fc.assert(
    fc.property(steps, steps, (before, after) => {
      const [x, y] = play(before);
      const state = stateOf(x);
      const live = x.live;
      x.begin();
      after.forEach(({ key, kind }) => {
        x.write(key, () => kind !== 'partial', [kind === 'delete' ? null : '1']);
      });
      pull(x, y);
      x.renew('x.ffffffffffff');
      x.rollback();
      assert.deepEqual(stateOf(x), state);
      assert.equal(x.live, live);
    }),
  );
});
