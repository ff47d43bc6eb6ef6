import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { OutboxStore } from '../../../nodes/resilient-uplink/outbox';
import { FakeClock } from '../../support/fake-clock';
import { delivered, folderOf, message, openStore } from './support';

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

let folder: ReturnType<typeof folderOf>;
let clock: FakeClock;
let current: ReturnType<typeof openStore>;

beforeEach(() => {
  folder = folderOf('outbox');
  clock = new FakeClock();
  current = openStore(join(folder.path, 'outbox.db'), clock);
});

afterEach(() => {
  current.database.close();
  folder.remove();
});

function reopen(graceful = true): OutboxStore {
  if (graceful) {
    current.store.finish();
  }
  current.database.close();
  // A restarted process has another monotonic origin.
  const wall = clock.now();
  clock = new FakeClock(wall);
  current = openStore(join(folder.path, 'outbox.db'), clock);
  return current.store;
}

function texts(store: OutboxStore, priority = 1): string[] {
  return store
    .read({ priority, after: 0, maxRows: 1000, maxBytes: 1e9 })
    .messages.map(({ body }) => Buffer.from(body).toString());
}

test('keeps messages with all that belongs to them over a restart, under the same store identity', () => {
  const { uuid } = current.store;
  current.store.append([message('a', 'one', { priority: 0, kind: 'json', ttlMs: 5000 })]);
  const store = reopen();
  const [row] = store.read({ priority: 0, after: 0, maxRows: 10, maxBytes: 1e6 }).messages;
  assert.equal(store.uuid, uuid);
  assert.equal(row.topic, 'a');
  assert.equal(row.kind, 'json');
  assert.equal(row.ttlMs, 5000);
  assert.equal(row.earlierRun, true);
  assert.equal(Buffer.from(row.body).toString(), 'one');
});

test('numbers messages without gaps and never twice, also after the last one was deleted', () => {
  const first = current.store.append([message('a', '1'), message('a', '2')]).first;
  current.store.settle(delivered([first, first + 1]));
  const store = reopen();
  assert.equal(store.append([message('a', '3')]).first, first + 2);
});

test('stores a batch whole or not at all, and gives its numbers back', () => {
  const broken = message('a', 'x', { topic: Symbol('no text') as unknown as string });
  assert.throws(() => current.store.append([message('a', '1'), broken]));
  assert.deepEqual(texts(current.store), []);
  assert.equal(current.store.usage().messages, 0);
  assert.equal(current.store.append([message('a', '2')]).first, 1);
});

test('counts what it holds, over a restart too', () => {
  const { first } = current.store.append([message('topic', 'abc'), message('topic', 'de', { priority: 2 })]);
  assert.deepEqual(reopen().usage(), {
    messages: 2,
    bytes: 15,
    oldestAge: 0,
    deadLetters: { messages: 0, bytes: 0 },
  });
  current.store.settle(delivered([first, 999]));
  assert.equal(current.store.usage().bytes, 7);
  assert.equal(current.store.usage().messages, 1);
});

test('reads pages by priority behind a cursor, bounded in rows and bytes', () => {
  current.store.append(Array.from({ length: 10 }, (_, index) => message('a', `number ${index}`)));
  const page = current.store.read({ priority: 1, after: 2, maxRows: 3, maxBytes: 1e6 });
  assert.deepEqual(
    page.messages.map(({ sequence }) => sequence),
    [3, 4, 5],
  );
  assert.equal(page.more, true);
  const tiny = current.store.read({ priority: 1, after: 0, maxRows: 100, maxBytes: 1 });
  assert.equal(tiny.messages.length, 1);
  assert.equal(current.store.read({ priority: 1, after: 8, maxRows: 3, maxBytes: 1e6 }).more, false);
});

test('remembers failed sends', () => {
  current.store.append([message('a', '1')]);
  current.store.settle({ remove: [], attempts: [[1, 7]] });
  const [row] = reopen().read({ priority: 1, after: 0, maxRows: 1, maxBytes: 1 }).messages;
  assert.equal(row.attempts, 7);
});

test('tells damaged rows by their checksum and hands on the others', () => {
  current.store.append([message('a', 'good'), message('a', 'flipped'), message('a', 'fine')]);
  current.database.exec("UPDATE message SET body = CAST('flopped' AS BLOB) WHERE sequence = 2");
  const page = current.store.read({ priority: 1, after: 0, maxRows: 10, maxBytes: 1e6 });
  assert.deepEqual(page.corrupt, [2]);
  assert.deepEqual(
    page.messages.map(({ sequence }) => sequence),
    [1, 3],
  );
});

test('expires by time that passed, not by what the wall clock says', async () => {
  current.store.append([message('a', 'short', { ttlMs: 60_000 }), message('a', 'for ever')]);
  clock.jump(10 * YEAR);
  assert.equal(current.store.expired({ maxAgeMs: 0, maxRows: 10 }).messages.length, 0);
  clock.jump(-20 * YEAR);
  await clock.advance(59_000);
  assert.equal(current.store.expired({ maxAgeMs: 0, maxRows: 10 }).messages.length, 0);
  await clock.advance(2000);
  const over = current.store.expired({ maxAgeMs: 0, maxRows: 10 }).messages;
  assert.deepEqual(
    over.map(({ sequence }) => sequence),
    [1],
  );
  assert.equal(current.store.usage().messages, 2, 'expired messages stay until they were reported');
});

test('counts an outage, but no absurd one and none backwards', async () => {
  current.store.append([message('a', 'short', { ttlMs: HOUR })]);
  await clock.advance(HOUR / 2);
  clock.jump(-5 * YEAR);
  assert.equal(reopen().expired({ maxAgeMs: 0, maxRows: 10 }).messages.length, 0);
  clock.jump(10 * YEAR);
  assert.equal(reopen().expired({ maxAgeMs: 0, maxRows: 10 }).messages.length, 0);
  clock.jump(HOUR);
  assert.equal(reopen(false).expired({ maxAgeMs: 0, maxRows: 10 }).messages.length, 1);
});

test('gives the messages that are older than a limit, oldest first', async () => {
  current.store.append([message('a', 'old')]);
  await clock.advance(HOUR);
  current.store.append([message('a', 'young')]);
  const { messages } = current.store.expired({ maxAgeMs: HOUR / 2, maxRows: 10 });
  assert.deepEqual(
    messages.map(({ sequence }) => sequence),
    [1],
  );
});

test('chooses what makes room: the oldest, or the least urgent first, passing over what is under way', () => {
  const body = 'x'.repeat(99);
  current.store.append([
    message('a', body, { priority: 0 }),
    message('a', body, { priority: 2 }),
    message('a', body, { priority: 1 }),
    message('a', body, { priority: 2 }),
  ]);
  const choose = (order: 'drop-oldest' | 'drop-lowest', keep: number[]): number[] =>
    current.store.victims({ bytes: 250, order, keep, maxRows: 10 }).messages.map(({ sequence }) => sequence);
  assert.deepEqual(choose('drop-oldest', []), [1, 2, 3]);
  assert.deepEqual(choose('drop-lowest', []), [2, 4, 3]);
  assert.deepEqual(choose('drop-lowest', [4]), [2, 3, 1]);
});

test('returns disk space after the backlog is gone', () => {
  const body = Buffer.alloc(4000);
  for (let batch = 0; batch < 10; batch++) {
    current.store.append(Array.from({ length: 200 }, () => message('a', '', { body })));
  }
  const pages = (): number =>
    (current.database.prepare('PRAGMA page_count').get() as { page_count: number }).page_count;
  const full = pages();
  current.store.settle(delivered(Array.from({ length: 2000 }, (_, index) => index + 1)));
  for (let sweep = 0; sweep < 10; sweep++) {
    current.store.shrink();
  }
  assert.ok(pages() < full / 2, `${pages()} of ${full} pages left`);
});

test('tells whose messages it holds, stretch by stretch', () => {
  current.store.append([
    message('a', '1'),
    message('b', '2', { priority: 2 }),
    message('a', '3'),
    message('a', '4', { priority: 2 }),
    message('c', '5'),
  ]);
  assert.deepEqual(current.store.topics({ after: 0, maxRows: 4 }), {
    topics: [
      { priority: 1, topic: 'a', last: 3 },
      { priority: 2, topic: 'a', last: 4 },
      { priority: 2, topic: 'b', last: 2 },
    ],
    last: 4,
    more: true,
  });
  assert.deepEqual(current.store.topics({ after: 4, maxRows: 4 }), {
    topics: [{ priority: 1, topic: 'c', last: 5 }],
    last: 5,
    more: false,
  });
});
