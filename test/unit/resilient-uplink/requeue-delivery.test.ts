import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Delivery, DeliveryNote } from '../../../nodes/resilient-uplink/delivery';
import { FakeClock } from '../../support/fake-clock';
import { FakeLink, folderOf, LocalOutbox, message, openStore, startDelivery } from './support';

const ALL = { after: 0, maxRows: 1000 };

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

function open(): void {
  current = openStore(join(folder.path, 'outbox.db'), clock);
  outbox = new LocalOutbox(current.store);
}

function reopen(): void {
  current.store.finish();
  current.database.close();
  clock = new FakeClock(clock.now());
  open();
}

function reject(sequences: number[]): void {
  const refusal = { reason: 'HTTP 422', connection: 'web' };
  current.store.settle({ remove: [{ fate: 'rejected', connection: '', sequences, refusal }], attempts: [] });
}

const fates = (): string[] =>
  current.store.ledger({ maxRanges: 100 }).ranges.map(({ from, to, fate }) => `${from}-${to} ${fate}`);

/** Delivery over one link that refuses what begins with "bad". */
async function startRefusing(link: FakeLink): Promise<{ delivery: Delivery; notes: DeliveryNote[] }> {
  const notes: DeliveryNote[] = [];
  const delivery = await startDelivery([link], outbox, clock, {
    delivered: (_, note) => notes.push(note),
    corrupt: (sequences) => assert.fail(`corrupt: ${sequences.join()}`),
  });
  return { delivery, notes };
}

const refuse =
  (bad: (text: string) => boolean): FakeLink['onSend'] =>
  ({ outgoing, answer }) =>
    answer(
      bad(Buffer.from(outgoing.body).toString())
        ? { outcome: 'rejected', reason: 'poison' }
        : { outcome: 'acknowledged' },
    );

test('what was refused is delivered after it was requeued, with its id, and told as a possible duplicate', async () => {
  const link = new FakeLink('broker');
  link.onSend = refuse((text) => text.startsWith('bad'));
  const { delivery, notes } = await startRefusing(link);
  delivery.offer(
    outbox.append([message('a', 'bad1'), message('a', 'fine'), message('b', 'bad2', { priority: 2 })]),
  );
  await clock.advance(500);
  assert.deepEqual(fates(), ['1-1 rejected', '2-2 delivered', '3-3 rejected']);
  link.sent.length = 0;
  link.onSend = refuse(() => false);
  const { sequences } = await outbox.requeue(ALL);
  delivery.rewind(sequences[0]);
  await clock.advance(500);
  assert.deepEqual(link.texts, ['bad1', 'bad2']);
  assert.deepEqual(
    link.sent.map(({ id }) => id),
    [1, 3].map((sequence) => `${outbox.uuid}:${sequence}`),
  );
  assert.equal(notes.find(({ id }) => id.endsWith(':1'))?.duplicatePossible, true);
  assert.deepEqual(fates(), ['1-3 delivered']);
  await delivery.stop(0);
});

test('what is refused again is a dead letter again', async () => {
  const link = new FakeLink('broker');
  link.onSend = refuse(() => true);
  const { delivery } = await startRefusing(link);
  delivery.offer(outbox.append([message('a', 'bad')]));
  await clock.advance(500);
  delivery.rewind((await outbox.requeue(ALL)).sequences[0]);
  await clock.advance(500);
  assert.equal(link.sent.length, 2);
  assert.deepEqual(fates(), ['1-1 rejected']);
  assert.equal(current.store.usage().deadLetters.messages, 1);
  await delivery.stop(0);
});

const sequencesOf = (link: FakeLink, topic?: string): number[] =>
  link.sent
    .filter((sent) => topic === undefined || sent.topic === topic)
    .map(({ id }) => Number(id.split(':')[1]));

for (const waiting of [300, 3000]) {
  test(`goes before what waits on its topic, once, with ${waiting} messages held or under way`, async () => {
    const link = new FakeLink('broker');
    link.onSend = refuse((text) => text.startsWith('bad'));
    const { delivery } = await startRefusing(link);
    const topics = ['a', 'b', 'c'];
    const batch = (prefix: string, count: number): void =>
      delivery.offer(
        outbox.append(
          Array.from({ length: count }, (_, index) => message(topics[index % 3], `${prefix}${index}`)),
        ),
      );
    batch('bad', 30);
    await clock.advance(500);
    assert.equal(outbox.usage.deadLetters.messages, 30);
    // Topic a is refused for now, and the others are under way without an answer.
    link.onSend = ({ outgoing, answer }) => {
      if (outgoing.topic === 'a') {
        answer({ outcome: 'retry', reason: 'not now' });
      }
    };
    batch('later', waiting);
    await clock.advance(700);
    link.sent.length = 0;
    delivery.rewind((await outbox.requeue(ALL)).sequences[0]);
    await clock.advance(300);
    link.onSend = ({ answer }) => answer({ outcome: 'acknowledged' });
    link.waiting.forEach(({ answer }) => answer({ outcome: 'acknowledged' }));
    delivery.flush();
    await clock.advance(120_000);
    assert.deepEqual(fates(), [`1-${30 + waiting} delivered`]);
    const sequences = sequencesOf(link);
    assert.equal(new Set(sequences).size, sequences.length, 'sent twice');
    for (const topic of topics) {
      const order = sequencesOf(link, topic);
      for (const part of [
        order.filter((sequence) => sequence <= 30),
        order.filter((sequence) => sequence > 30),
      ]) {
        assert.deepEqual(
          part,
          [...part].sort((one, other) => one - other),
          'out of order',
        );
      }
      assert.ok(order.filter((sequence) => sequence <= 30).length === 10);
      assert.ok(Math.max(...order.map((sequence, at) => (sequence <= 30 ? at : 0))) < order.length - 50);
    }
    await delivery.stop(0);
  });
}

test('goes before what was put back to the store because its topic is stuck', async () => {
  const link = new FakeLink('broker');
  link.onSend = refuse(() => true);
  const { delivery } = await startRefusing(link);
  const batch = (count: number): void =>
    delivery.offer(outbox.append(Array.from({ length: count }, (_, index) => message('a', `m${index}`))));
  batch(700);
  await clock.advance(2000);
  assert.equal(outbox.usage.deadLetters.messages, 700);
  link.onSend = ({ answer }) => answer({ outcome: 'retry', reason: 'not now' });
  batch(1500);
  await clock.advance(5000);
  link.sent.length = 0;
  delivery.rewind((await outbox.requeue(ALL)).sequences[0]);
  // Long enough to read them all, and to put most of them back again.
  await clock.advance(30_000);
  link.sent.length = 0;
  link.onSend = ({ answer }) => answer({ outcome: 'acknowledged' });
  delivery.flush();
  await clock.advance(120_000);
  assert.deepEqual(fates(), ['1-2200 delivered']);
  assert.deepEqual(
    sequencesOf(link),
    Array.from({ length: 2200 }, (_, index) => index + 1),
  );
  await delivery.stop(0);
});

test('is not passed over by a page that was being read while it came back', async () => {
  outbox.append([message('a', 'bad'), message('a', 'm1'), message('a', 'm2')]);
  reject([1]);
  let release: (() => void) | undefined;
  const read = outbox.read.bind(outbox);
  outbox.read = async (request) => {
    const page = await read(request);
    if (request.priority === 1 && !release) {
      await new Promise<void>((resolve) => (release = resolve));
    }
    return page;
  };
  const link = new FakeLink('broker');
  const { delivery } = await startRefusing(link);
  assert.ok(release);
  delivery.rewind((await outbox.requeue(ALL)).sequences[0]);
  release();
  await clock.advance(500);
  assert.deepEqual(link.texts, ['bad', 'm1', 'm2']);
  await delivery.stop(0);
});

test('is not passed over by a page of its stuck topic that was being read while it came back', async () => {
  const link = new FakeLink('broker');
  link.onSend = refuse(() => true);
  const { delivery } = await startRefusing(link);
  const batch = (count: number): void =>
    delivery.offer(outbox.append(Array.from({ length: count }, (_, index) => message('a', `m${index}`))));
  batch(700);
  await clock.advance(2000);
  link.onSend = ({ answer }) => answer({ outcome: 'retry', reason: 'not now' });
  batch(1500);
  await clock.advance(5000);
  const most = Array.from({ length: 700 }, (_, index) => index + 1).filter((sequence) => sequence !== 5);
  delivery.rewind((await outbox.requeue({ ...ALL, sequences: most })).sequences[0]);
  await clock.advance(30_000);
  let release: (() => void) | undefined;
  const read = outbox.read.bind(outbox);
  outbox.read = async (request) => {
    const page = await read(request);
    if (request.only && !release) {
      await new Promise<void>((resolve) => (release = resolve));
    }
    return page;
  };
  link.onSend = ({ answer }) => answer({ outcome: 'acknowledged' });
  delivery.flush();
  await clock.advance(200);
  assert.ok(release, 'what was put back to the store is being read');
  const { sequences } = await outbox.requeue(ALL);
  assert.deepEqual(sequences, [5]);
  delivery.rewind(5);
  await clock.advance(500);
  release();
  await clock.advance(60_000);
  assert.deepEqual(fates(), ['1-2200 delivered']);
  await delivery.stop(0);
});

test('a requeued message is found when it lies behind the cursor of a run that never saw it', async () => {
  outbox.append([message('a', 'bad')]);
  reject([1]);
  reopen();
  const link = new FakeLink('broker');
  const { delivery } = await startRefusing(link);
  await clock.advance(500);
  delivery.rewind((await outbox.requeue(ALL)).sequences[0]);
  await clock.advance(500);
  assert.deepEqual(link.texts, ['bad']);
  await delivery.stop(0);
});
