import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Delivery, DeliveryNote } from '../../../nodes/resilient-uplink/delivery';
import type { Link } from '../../../nodes/resilient-uplink/link';
import type { NewMessage, StoredMessage } from '../../../nodes/resilient-uplink/outbox-port';
import { FakeClock, settle } from '../../support/fake-clock';
import { FakeLink, folderOf, LocalOutbox, message, numbered, openStore, startDelivery } from './support';

let folder: ReturnType<typeof folderOf>;
let clock: FakeClock;
let current: ReturnType<typeof openStore>;
let outbox: LocalOutbox;
let delivered: { message: StoredMessage; note: DeliveryNote }[];
let rejected: { message: StoredMessage; reason: string }[];
let corrupt: number[];

beforeEach(() => {
  folder = folderOf('delivery');
  clock = new FakeClock();
  current = openStore(join(folder.path, 'outbox.db'), clock);
  outbox = new LocalOutbox(current.store);
  delivered = [];
  rejected = [];
  corrupt = [];
});

afterEach(() => {
  current.database.close();
  folder.remove();
});

function start(links: Link[]): Promise<Delivery> {
  return startDelivery(links, outbox, clock, {
    delivered: (row, note) => delivered.push({ message: row, note }),
    rejected: (row, reason) => rejected.push({ message: row, reason }),
    corrupt: (sequences) => corrupt.push(...sequences),
  });
}

function append(delivery: Delivery, messages: NewMessage[]): void {
  delivery.offer(outbox.append(messages));
}

const ignore = (): void => undefined;

test('sends the backlog at once on start, without a new message, and deletes what was acknowledged', async () => {
  outbox.append(numbered('a', 700));
  const link = new FakeLink('broker');
  await start([link]);
  await clock.advance(1000);
  assert.equal(link.sent.length, 700);
  assert.equal(outbox.usage.messages, 0);
  assert.equal(delivered[0].note.duplicatePossible, false);
});

test('a message that comes while the backlog is read does not overtake it', async () => {
  outbox.append(numbered('a', 1500));
  const link = new FakeLink('broker');
  link.onSend = ignore;
  const delivery = await start([link]);
  append(delivery, [message('a', 'new')]);
  link.onSend = ({ answer }) => answer({ outcome: 'acknowledged' });
  link.waiting.splice(0).forEach(({ answer }) => answer({ outcome: 'acknowledged' }));
  await clock.advance(1000);
  assert.equal(link.sent.length, 1501);
  assert.equal(link.texts.at(-1), 'new');
  assert.equal(outbox.usage.messages, 0);
});

test('deletes nothing that was not acknowledged', async () => {
  const link = new FakeLink('broker');
  link.onSend = ignore;
  const delivery = await start([link]);
  append(delivery, numbered('a', 3));
  await clock.advance(9000);
  assert.ok(link.sent.length > 0);
  assert.equal(outbox.usage.messages, 3);
  assert.equal(delivered.length, 0);
});

test('sends again with the same id after a reconnect, and says that it may be a duplicate', async () => {
  const link = new FakeLink('broker');
  link.onSend = ignore;
  const delivery = await start([link]);
  append(delivery, numbered('a', 1));
  link.die();
  link.onSend = ({ answer }) => answer({ outcome: 'acknowledged' });
  await clock.advance(2000);
  assert.deepEqual(
    link.sent.map(({ id }) => id),
    [`${outbox.uuid}:1`, `${outbox.uuid}:1`],
  );
  assert.equal(delivered.length, 1);
  assert.equal(delivered[0].note.duplicatePossible, true);
  assert.equal(delivered[0].note.attempts, 2);
});

test('gives up a connection that acknowledges nothing, whatever its socket says, and uses the next', async () => {
  const stalled = new FakeLink('primary');
  stalled.onSend = ignore;
  const second = new FakeLink('second');
  const delivery = await start([stalled, second]);
  append(delivery, numbered('a', 5));
  await clock.advance(9000);
  assert.equal(second.sent.length, 0);
  await clock.advance(3000);
  assert.deepEqual(second.texts, ['a0', 'a1', 'a2', 'a3', 'a4']);
  assert.deepEqual(
    delivered.map(({ note }) => [note.connection, note.fallback]),
    Array.from({ length: 5 }, () => ['second', true]),
  );
});

test('keeps a slow connection as long as acknowledgements come', async () => {
  const slow = new FakeLink('primary');
  slow.onSend = ignore;
  const second = new FakeLink('second');
  const delivery = await start([slow, second]);
  append(delivery, numbered('a', 1));
  append(delivery, numbered('b', 5));
  for (let round = 0; round < 6; round++) {
    await clock.advance(8000);
    slow.waiting.shift()?.answer({ outcome: 'acknowledged' });
  }
  assert.equal(delivered.length, 6);
  assert.equal(second.sent.length, 0);
});

test('returns to the primary when it has been healthy for the time that failback asks', async () => {
  const primary = new FakeLink('primary');
  primary.reachable = false;
  const second = new FakeLink('second');
  const delivery = await start([primary, second]);
  append(delivery, numbered('a', 1));
  await clock.advance(500);
  assert.deepEqual(second.texts, ['a0']);
  primary.reachable = true;
  await clock.advance(6000);
  append(delivery, numbered('b', 5));
  await clock.advance(1000);
  assert.ok(primary.sent.length <= 1, 'one message at most, on trial');
  await clock.advance(35_000);
  const onTrial = primary.sent.length;
  append(delivery, numbered('c', 5));
  assert.deepEqual(primary.texts.slice(onTrial), ['c0', 'c1', 'c2', 'c3', 'c4']);
});

test('does not return to a primary that connects and then acknowledges nothing', async () => {
  const primary = new FakeLink('primary');
  primary.onSend = ignore;
  const second = new FakeLink('second');
  const delivery = await start([primary, second]);
  for (let minute = 0; minute < 120; minute++) {
    append(delivery, [message(`t${minute % 7}`, `m${minute}`)]);
    await clock.advance(1000);
  }
  await clock.advance(30_000);
  assert.equal(delivered.length, 120);
  assert.ok(primary.sent.length < 20, `${primary.sent.length} messages were held up by it`);
});

test('a message that a primary refuses for its credential goes to the next connection without waiting', async () => {
  const primary = new FakeLink('primary', false);
  primary.onSend = ({ answer }) => answer({ outcome: 'retry', reason: '401', fault: 'credential' });
  const second = new FakeLink('second');
  const delivery = await start([primary, second]);
  append(delivery, [...numbered('a', 3), ...numbered('b', 3)]);
  await clock.advance(3000);
  assert.equal(delivered.length, 6);
  // Each look at whether the primary works by now takes one message along.
  for (let minute = 1; minute <= 60; minute++) {
    append(delivery, [message('a', `m${minute}`)]);
    await clock.advance(60_000);
    assert.equal(delivered.length, 6 + minute, `after ${minute} minutes`);
  }
  assert.ok(primary.sent.length > 10, `${primary.sent.length} looks`);
});

test('a message that a primary on trial puts off goes over the connection that carries, at once', async () => {
  const primary = new FakeLink('primary');
  primary.reachable = false;
  const second = new FakeLink('second');
  const delivery = await start([primary, second]);
  append(delivery, numbered('a', 1));
  await clock.advance(500);
  primary.reachable = true;
  primary.onSend = ({ answer }) => answer({ outcome: 'retry', reason: 'the server answered 503' });
  for (let count = 1; count <= 120; count++) {
    append(delivery, [message('a', `m${count}`)]);
    await clock.advance(1000);
    assert.equal(delivered.length, 1 + count, `after ${count} s`);
  }
  assert.ok(primary.sent.length > 1, `${primary.sent.length} trials`);
});

test('uses whichever connection opens when all had failed', async () => {
  const primary = new FakeLink('primary');
  const second = new FakeLink('second');
  primary.reachable = second.reachable = false;
  const delivery = await start([primary, second]);
  append(delivery, numbered('a', 3));
  await clock.advance(600_000);
  assert.ok(primary.opens < 60, `${primary.opens} attempts in ten minutes`);
  second.reachable = true;
  await clock.advance(61_000);
  assert.equal(delivered.length, 3);
});

test('holds a topic back behind a refused message while others go on', async () => {
  const link = new FakeLink('broker');
  let allowed = false;
  link.onSend = ({ outgoing, answer }) =>
    answer(
      outgoing.topic === 'secret' && !allowed
        ? { outcome: 'retry', reason: 'not authorized' }
        : { outcome: 'acknowledged' },
    );
  const delivery = await start([link]);
  append(delivery, [...numbered('secret', 3), ...numbered('open', 3)]);
  await clock.advance(60_000);
  assert.deepEqual(
    delivered.map(({ message: { topic } }) => topic),
    ['open', 'open', 'open'],
  );
  allowed = true;
  await clock.advance(120_000);
  assert.deepEqual(
    delivered.slice(3).map(({ message: { body } }) => Buffer.from(body).toString()),
    ['secret0', 'secret1', 'secret2'],
  );
});

test('lets other topics pass a stuck one whose backlog is larger than memory', async () => {
  const link = new FakeLink('broker');
  let allowed = false;
  link.onSend = ({ outgoing, answer }) =>
    answer(
      outgoing.topic === 'secret' && !allowed
        ? { outcome: 'retry', reason: 'not authorized' }
        : { outcome: 'acknowledged' },
    );
  outbox.append(numbered('secret', 5000));
  outbox.append(numbered('open', 5));
  const delivery = await start([link]);
  await clock.advance(600_000);
  assert.deepEqual([...new Set(delivered.map(({ message: { topic } }) => topic))], ['open']);
  append(delivery, [...numbered('secret', 2), ...numbered('open', 1)]);
  await clock.advance(1000);
  assert.equal(delivered.length, 6);
  allowed = true;
  await clock.advance(120_000);
  assert.equal(outbox.usage.messages, 0);
  const order = delivered.filter(({ message: { topic } }) => topic === 'secret');
  assert.equal(order.length, 5002);
  assert.ok(
    order.every(
      ({ message: { sequence } }, index) => index === 0 || sequence > order[index - 1].message.sequence,
    ),
  );
});

test('hands a message that is refused for good out and goes on with the next of its topic', async () => {
  const link = new FakeLink('broker');
  link.onSend = ({ outgoing, answer }) =>
    answer(
      Buffer.from(outgoing.body).toString() === 'a1'
        ? { outcome: 'rejected', reason: 'payload format invalid' }
        : { outcome: 'acknowledged' },
    );
  const delivery = await start([link]);
  append(delivery, numbered('a', 3));
  await clock.advance(1000);
  assert.equal(rejected[0].message.sequence, 2);
  assert.equal(rejected[0].reason, 'payload format invalid');
  assert.equal(delivered.length, 2);
  assert.equal(outbox.usage.messages, 0);
});

test('waits as long as the other side asks', async () => {
  const link = new FakeLink('server', false);
  link.onSend = ({ answer }) => answer({ outcome: 'retry', reason: '429', retryAfterMs: 20_000 });
  const delivery = await start([link]);
  append(delivery, [message('a', '1'), message('b', '2')]);
  await clock.advance(19_000);
  assert.equal(link.sent.length, 1);
  link.onSend = ({ answer }) => answer({ outcome: 'acknowledged' });
  await clock.advance(5000);
  assert.equal(delivered.length, 2);
});

test('sends one message a topic at a time over a connection that does not keep order', async () => {
  const link = new FakeLink('server', false);
  link.onSend = ignore;
  const delivery = await start([link]);
  append(delivery, [...numbered('a', 3), ...numbered('b', 3)]);
  assert.deepEqual(link.texts, ['a0', 'b0']);
  link.waiting[0].answer({ outcome: 'acknowledged' });
  assert.deepEqual(link.texts, ['a0', 'b0', 'a1']);
});

test('has many messages of one topic under way over a connection that keeps order', async () => {
  const link = new FakeLink('broker');
  link.onSend = ignore;
  const delivery = await start([link]);
  append(delivery, numbered('a', 500));
  for (let round = 0; round < 4; round++) {
    link.waiting.splice(0).forEach(({ answer }) => answer({ outcome: 'acknowledged' }));
  }
  assert.equal(link.waiting.length, link.window);
});

test('prefers alerts and still moves the bulk', async () => {
  const link = new FakeLink('broker');
  link.window = 1;
  link.onSend = ignore;
  const delivery = await start([link]);
  for (let index = 0; index < 300; index++) {
    append(delivery, [
      message('bulk', 'b', { priority: 2 }),
      message('alert', 'a', { priority: 0 }),
      message('normal', 'n', { priority: 1 }),
    ]);
  }
  for (let round = 0; round < 210; round++) {
    link.waiting.splice(0).forEach(({ answer }) => answer({ outcome: 'acknowledged' }));
  }
  const share = (text: string): number => link.texts.filter((sent) => sent === text).length;
  assert.ok(share('a') > 150, `${share('a')} alerts`);
  assert.ok(share('n') > 30, `${share('n')} normal`);
  assert.ok(share('b') >= 9, `${share('b')} bulk`);
});

test('sends nothing while paused and goes on after', async () => {
  const link = new FakeLink('broker');
  const delivery = await start([link]);
  delivery.pause();
  append(delivery, numbered('a', 2));
  await clock.advance(60_000);
  assert.equal(link.sent.length, 0);
  delivery.resume();
  assert.deepEqual(link.texts, ['a0', 'a1']);
});

test('flush tries everything at once', async () => {
  const link = new FakeLink('broker');
  link.reachable = false;
  const delivery = await start([link]);
  append(delivery, numbered('a', 1));
  await clock.advance(600_000);
  link.reachable = true;
  delivery.flush();
  await settle();
  assert.equal(delivered.length, 1);
});

test('reports damaged rows once and deletes them', async () => {
  outbox.append(numbered('a', 3));
  current.database.exec("UPDATE message SET body = CAST('bad' AS BLOB) WHERE sequence = 2");
  await start([new FakeLink('broker')]);
  await clock.advance(1000);
  assert.deepEqual(corrupt, [2]);
  assert.equal(delivered.length, 2);
  assert.equal(outbox.usage.messages, 0);
});

test('waits for answers that are due when it stops, and deletes what they settle', async () => {
  const link = new FakeLink('broker');
  link.onSend = ignore;
  const delivery = await start([link]);
  append(delivery, numbered('a', 2));
  const stopping = delivery.stop(2000);
  await clock.advance(100);
  link.waiting.forEach(({ answer }) => answer({ outcome: 'acknowledged' }));
  await clock.advance(100);
  await stopping;
  assert.equal(outbox.usage.messages, 1);
  assert.equal(delivered.length, 1);
});

test('discards what is not under way', async () => {
  const link = new FakeLink('broker');
  link.onSend = ignore;
  const delivery = await start([link]);
  const rows = outbox.append(numbered('a', 3));
  delivery.offer(rows);
  const gone = delivery.discard(rows, 'evicted');
  assert.deepEqual(
    gone.map(({ sequence }) => sequence),
    [2, 3],
  );
  link.waiting[0].answer({ outcome: 'acknowledged' });
  await clock.advance(1000);
  assert.deepEqual(link.texts, ['a0']);
  assert.equal(outbox.usage.messages, 0);
});
