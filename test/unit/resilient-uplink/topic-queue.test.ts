import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TopicQueue, type Held } from '../../../nodes/resilient-uplink/topic-queue';

const held = (sequence: number): Held => ({
  message: {
    ...{ sequence, priority: 1, topic: 't', kind: 'text', body: Buffer.from('x'), ttlMs: 0 },
    ...{ storedMs: 0, storedAge: 0, attempts: 0, earlierRun: false },
  },
  attempts: 0,
  duplicatePossible: false,
  live: false,
  closures: 0,
  closedAt: 0,
});
const numbers = (cargo: readonly Held[]): number[] => cargo.map(({ message }) => message.sequence);

test('a message that has to wait does not keep the page in memory that it came in', () => {
  const queue = new TopicQueue('t');
  const page = new Uint8Array(1024).fill(7);
  const waiting = held(1);
  waiting.message.body = page.subarray(10, 14);
  queue.insert(waiting);
  queue.ownBodies();
  const { body } = waiting.message;
  assert.deepEqual([...body], [7, 7, 7, 7]);
  assert.equal(body.buffer.byteLength, 4);
});

test('what is requeued before a batch that is repeated goes by itself, and the batch stays what its id says', () => {
  const queue = new TopicQueue('t');
  const portion = { maxRows: 10, maxBytes: 1e6 };
  [5, 6, 7].forEach((sequence) => queue.insert(held(sequence)));
  const batch = queue.takePortion(portion);
  queue.insert(held(9));
  queue.takeBack(batch);
  queue.insert(held(2));
  queue.insert(held(1));
  assert.deepEqual(
    [1, 2, 3, 4].map(() => numbers(queue.takePortion(portion))),
    [[1], [2], [5, 6, 7], [9]],
  );
});
