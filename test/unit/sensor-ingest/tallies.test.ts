import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { GatheredEnds } from '../../../nodes/sensor-ingest/thread/gathered-ends';
import { BatchTally, EndTally } from '../../../nodes/sensor-ingest/thread/tallies';

const ROUNDS = 400;
const STUCK_MS = 5000;

for (const acknowledged of [true, false]) {
  const what = acknowledged
    ? 'all batches come, and all ends are heard of'
    : 'all batches come where nothing is acknowledged';
  test(`nobody waits for ever between two real threads: ${what}`, () => play(acknowledged));
}

async function play(acknowledged: boolean): Promise<void> {
  const taken = new BatchTally();
  const ends = new GatheredEnds(
    (ms, action) => setTimeout(action, ms),
    () => thread.postMessage('look'),
  );
  const thread = new Worker(join(__dirname, '../../support/tally-thread.js'), {
    workerData: { batches: taken.shared, ends: ends.shared },
  });
  let round = 0;
  let sent = 0;
  let received = 0;
  let heard = 0;
  let stuck: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve, reject) => {
    const next = (): void => {
      clearTimeout(stuck);
      if (round === ROUNDS) {
        resolve();
        return;
      }
      // Fewer than are called for at once, and more than there may be batches under way.
      const messages = ++round % 2 === 0 ? 1 + (round % 9) : 65 + ((37 * round) % 300);
      sent += messages;
      stuck = setTimeout(
        () => reject(new Error(`round ${round}: ${received} of ${sent} came, ${heard} were heard of`)),
        STUCK_MS,
      );
      thread.postMessage(messages);
    };
    thread.on('error', reject);
    thread.on('message', (report: { count: number; heard: number }) => {
      received += report.count;
      heard += report.heard;
      for (let end = 0; acknowledged && end < report.count; end++) {
        ends.add();
      }
      if (report.count > 0 && taken.take()) {
        thread.postMessage('look');
      }
      if (received === sent && (heard === sent || !acknowledged)) {
        next();
      }
    });
    next();
  });
  await thread.terminate();
}

test('counts go on over the largest number', () => {
  const shared = new SharedArrayBuffer(8);
  new Int32Array(shared).fill(2 ** 31 - 2);
  const ends = new EndTally(shared);
  for (let end = 0; end < 5; end++) {
    ends.settle();
  }
  assert.equal(ends.hasHeard(ends.settled), false);
  assert.equal(ends.hear(), 5);
  assert.equal(ends.hasHeard(ends.settled), true);
  const taken = new BatchTally(new SharedArrayBuffer(8));
  new Int32Array(taken.shared)[0] = -(2 ** 31);
  assert.equal(taken.underWay(2 ** 31 + 1), 1);
});

test('only a reader that waits is told of a batch that was taken, and once', () => {
  const taken = new BatchTally();
  assert.equal(taken.take(), false);
  taken.await();
  assert.equal(taken.take(), true);
  assert.equal(taken.take(), false);
});
