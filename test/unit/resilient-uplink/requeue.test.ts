import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { OutboxOptions } from '../../../nodes/resilient-uplink/outbox';
import { ledgerRequestOf, selectionOf } from '../../../nodes/resilient-uplink/operations';
import { EdgeError } from '../../../nodes/shared/errors';
import { FakeClock } from '../../support/fake-clock';
import { delivered, folderOf, LocalOutbox, message, openStore } from './support';

const ALL = { after: 0, maxRows: 1000 };
const PAGE = { after: 0, maxRows: 100, maxBytes: 1e6, bodies: false };

let folder: ReturnType<typeof folderOf>;
let clock: FakeClock;
let current: ReturnType<typeof openStore>;
let outbox: LocalOutbox;

beforeEach(() => {
  folder = folderOf('requeue');
  clock = new FakeClock();
  open();
});

afterEach(() => {
  current.database.close();
  folder.remove();
});

function open(options: OutboxOptions = {}): void {
  current = openStore(join(folder.path, 'outbox.db'), clock, options);
  outbox = new LocalOutbox(current.store);
}

function reopen(options: OutboxOptions = {}): void {
  current.store.finish();
  current.database.close();
  clock = new FakeClock(clock.now());
  open(options);
}

function reject(sequences: number[], reason = 'HTTP 422'): void {
  const refusal = { reason, connection: 'web' };
  current.store.settle({ remove: [{ fate: 'rejected', connection: '', sequences, refusal }], attempts: [] });
}

const fates = (): string[] =>
  current.store.ledger({ maxRanges: 100 }).ranges.map(({ from, to, fate }) => `${from}-${to} ${fate}`);

function texts(): string[] {
  return current.store
    .read({ priority: 1, after: 0, maxRows: 1000, maxBytes: 1e9 })
    .messages.map(({ body }) => Buffer.from(body).toString());
}

test('what is refused for good is kept whole, with why, when and by whom, over a restart', () => {
  outbox.append([message('plant/a', 'ä'), message('plant/b', 'fine', { priority: 0 })]);
  current.store.settle({ remove: [], attempts: [[1, 3]] });
  clock.jump(5000);
  reject([1]);
  reopen();
  const { letters, more } = current.store.listDeadLetters({ ...PAGE, bodies: true });
  assert.equal(more, false);
  assert.deepEqual(
    letters.map(({ body, ...letter }) => ({ ...letter, text: Buffer.from(body!).toString() })),
    [
      {
        sequence: 1,
        topic: 'plant/a',
        priority: 'normal',
        kind: 'text',
        storedMs: clock.now() - 5000,
        attempts: 3,
        reason: 'HTTP 422',
        connection: 'web',
        refusedMs: clock.now(),
        size: 9,
        text: 'ä',
      },
    ],
  );
  assert.deepEqual(current.store.usage().deadLetters, { messages: 1, bytes: 9 });
  assert.equal(current.store.usage().messages, 1);
});

test('dead letters are listed page by page, in rows and in bytes', () => {
  outbox.append(Array.from({ length: 5 }, (_, index) => message('a', `m${index}`)));
  reject([1, 2, 3, 4, 5]);
  const page = current.store.listDeadLetters({ ...PAGE, after: 1, maxRows: 2 });
  assert.deepEqual(
    [page.letters.map(({ sequence }) => sequence), page.more, 'body' in page.letters[0]],
    [[2, 3], true, false],
  );
  assert.equal(current.store.listDeadLetters({ ...PAGE, bodies: true, maxBytes: 3 }).letters.length, 2);
  assert.equal(current.store.listDeadLetters({ ...PAGE, after: 3 }).more, false);
});

test('requeued messages are as they were, under the same sequence and in order', () => {
  outbox.append(Array.from({ length: 6 }, (_, index) => message(index % 2 ? 'b' : 'a', `m${index}`)));
  reject([5, 1, 2, 4]);
  assert.deepEqual(texts(), ['m2', 'm5']);
  assert.deepEqual(current.store.requeue({ ...ALL, topic: 'b' }), { sequences: [2, 4], more: false });
  assert.deepEqual(current.store.requeue({ ...ALL, sequences: [5, 77] }), { sequences: [5], more: false });
  assert.deepEqual(fates(), ['1-1 rejected', '2-6 pending']);
  reopen();
  assert.deepEqual(current.store.requeue(ALL), { sequences: [1], more: false });
  assert.deepEqual(texts(), ['m0', 'm1', 'm2', 'm3', 'm4', 'm5']);
  assert.deepEqual(fates(), ['1-6 pending']);
  assert.deepEqual(current.store.usage().deadLetters, { messages: 0, bytes: 0 });
  assert.deepEqual([current.store.usage().messages, current.store.usage().bytes], [6, 18]);
  assert.equal(outbox.append([message('a', 'new')])[0].sequence, 7);
  current.store.settle(delivered([1, 2, 3, 4, 5, 6]));
  assert.deepEqual(fates(), ['1-6 delivered', '7-7 pending']);
});

test('requeues page by page', () => {
  outbox.append(Array.from({ length: 5 }, (_, index) => message('a', `m${index}`)));
  reject([1, 2, 3, 4, 5]);
  assert.deepEqual(current.store.requeue({ after: 0, maxRows: 2 }), { sequences: [1, 2], more: true });
  assert.deepEqual(current.store.requeue({ after: 2, maxRows: 3 }), { sequences: [3, 4, 5], more: true });
  assert.deepEqual(current.store.requeue({ after: 5, maxRows: 3 }), { sequences: [], more: false });
});

test('the oldest dead letters make room for later ones, and the ledger tells that they are gone', () => {
  reopen({ deadLetterBytes: 25 });
  outbox.append(Array.from({ length: 4 }, () => message('a', 'x'.repeat(9))));
  reject([1, 2]);
  assert.deepEqual(fates(), ['1-2 rejected', '3-4 pending']);
  reject([3]);
  assert.deepEqual(fates(), ['1-1 evicted', '2-3 rejected', '4-4 pending']);
  assert.deepEqual(current.store.usage().deadLetters, { messages: 2, bytes: 20 });
  outbox.append([message('a', 'x'.repeat(100))]);
  reject([5]);
  assert.deepEqual(
    fates(),
    ['1-1 evicted', '2-3 rejected', '4-4 pending', '5-5 evicted'],
    'one that is larger than all of it drives nothing out',
  );
  reopen({ deadLetterBytes: 10 });
  current.store.settle(delivered([4]));
  assert.deepEqual(fates(), ['1-2 evicted', '3-3 rejected', '4-4 delivered', '5-5 evicted']);
});

test('the time as a dead letter does not count against the time to live', async () => {
  outbox.append([message('a', 'short', { ttlMs: 60_000 })]);
  await clock.advance(20_000);
  reject([1]);
  await clock.advance(3_600_000);
  current.store.requeue(ALL);
  const expired = (): number => current.store.expired({ maxAgeMs: 0, maxRows: 10 }).messages.length;
  await clock.advance(39_000);
  assert.equal(expired(), 0);
  await clock.advance(2000);
  assert.equal(expired(), 1);
});

test('a dead letter that the medium damaged is told as such when it comes back', () => {
  outbox.append([message('a', 'good')]);
  reject([1]);
  current.database.exec("UPDATE dead_letter SET body = CAST('evil' AS BLOB)");
  current.store.requeue(ALL);
  assert.deepEqual(current.store.read({ priority: 1, after: 0, maxRows: 1, maxBytes: 1 }).corrupt, [1]);
});

test('reads what an operation asks for, and refuses what it cannot mean', () => {
  for (const payload of [undefined, null, 1764115200000, '', 'all', {}, Buffer.from('x')]) {
    assert.deepEqual(selectionOf(payload, 's'), {});
  }
  assert.deepEqual(selectionOf({ topic: 'a/b' }, 's'), { topic: 'a/b' });
  assert.deepEqual(selectionOf({ ids: ['s:9', 's:2', 's:9'] }, 's'), { sequences: [2, 9] });
  const bad = [
    { ids: 's:1' },
    { ids: ['other:1'] },
    { ids: ['s:x'] },
    { ids: ['s:0'] },
    { ids: [1n] },
    { ids: new Array(10_001).fill('s:1') },
    { topic: 1 },
    { topic: 'a', ids: [] },
    { tpoic: 'a' },
    [],
    ['s:1'],
  ];
  for (const payload of bad) {
    assert.throws(
      () => selectionOf(payload, 's'),
      (thrown) => thrown instanceof EdgeError && thrown.code === 'OPERATION',
    );
  }
  assert.deepEqual(ledgerRequestOf({ from: 7 }), { from: 7, maxRanges: 1000 });
  assert.deepEqual(ledgerRequestOf(123), { maxRanges: 1000 });
  for (const from of [0, 1.5, '7', NaN]) {
    assert.throws(() => ledgerRequestOf({ from }), EdgeError);
  }
});
