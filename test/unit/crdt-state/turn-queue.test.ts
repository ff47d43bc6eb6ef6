import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TurnQueue } from '../../../nodes/crdt-state/turn-queue';
import { EdgeError } from '../../../nodes/shared/errors';
import { FakeClock } from '../../support/fake-clock';

function newQueue(): { queue: TurnQueue; commits: string[] } {
  const commits: string[] = [];
  const queue = new TurnQueue(new FakeClock(), () => Promise.resolve(), {
    begin: () => undefined,
    commit: (kind) => {
      commits.push(kind);
      return Promise.resolve();
    },
  });
  return { queue, commits };
}

function* nothing(): Generator<void, void> {
  yield;
}

test('frames that wait share a write to the disk, and a bad one among them fails alone', async () => {
  const { queue, commits } = newQueue();
  const taken: number[] = [];
  const all = Array.from({ length: 100 }, (_, index) =>
    queue.frame(function* () {
      if (index === 50) {
        throw new EdgeError('SYNC_INVALID', 'bad');
      }
      taken.push(index);
      yield;
    }, 100),
  );
  queue.open();
  const results = await Promise.allSettled(all);
  assert.deepEqual(commits, ['frame']);
  assert.equal(taken.length, 99);
  assert.deepEqual(
    results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : [])),
    [50],
  );
});

test('writes and frames keep their order, each kind in turns of its own', async () => {
  const { queue, commits } = newQueue();
  const order: string[] = [];
  const write = (name: string): Promise<void> => queue.shared(() => ({ value: void order.push(name) }));
  const frame = (name: string): Promise<void> =>
    queue.frame(function* () {
      order.push(name);
      yield;
    }, 1);
  const all = [write('w1'), write('w2'), frame('f1'), write('w3'), frame('f2'), frame('f3')];
  queue.open();
  await Promise.all(all);
  assert.deepEqual(order, ['w1', 'w2', 'f1', 'w3', 'f2', 'f3']);
  assert.deepEqual(commits, ['shared', 'frame', 'shared', 'frame']);
});

test('a flood of frames is dropped beyond its bounds while the disk is slow, and is taken again after', async () => {
  const { queue } = newQueue();
  let taken = 0;
  const flood = (count: number, bytes: number): Promise<void>[] =>
    Array.from({ length: count }, () =>
      queue.frame(function* () {
        taken++;
        yield;
      }, bytes),
    );
  const small = flood(10_000, 10);
  queue.open();
  await Promise.all(small);
  assert.ok(taken > 1000 && taken < 10_000, `${taken} of 10,000 small frames`);
  taken = 0;
  await Promise.all(flood(100, 4 * 1024 * 1024));
  assert.ok(taken > 10 && taken < 100, `${taken} of 100 large frames`);
  taken = 0;
  await Promise.all(flood(100, 10));
  assert.equal(taken, 100);
});

test('messages beyond the bound are refused with a reason, and none before them is lost', async () => {
  const { queue } = newQueue();
  let done = 0;
  const all = Array.from({ length: 100_010 }, () => queue.shared(() => ({ value: ++done })));
  const outcome = Promise.allSettled(all);
  queue.open();
  const refused = (await outcome).filter((result) => result.status === 'rejected');
  assert.equal(refused.length, 10);
  assert.equal((refused[0].reason as EdgeError).code, 'STORE');
  assert.equal(done, 100_000);
});

test('what waits is refused when the queue closes', async () => {
  const { queue } = newQueue();
  const waiting = queue.frame(nothing, 1);
  await queue.close(new EdgeError('STORE', 'closed'));
  await assert.rejects(waiting, { code: 'STORE' });
});
