import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Delivery, DeliveryConfig, DeliveryNote } from '../../../nodes/resilient-uplink/delivery';
import type { Answer, Link, Outgoing } from '../../../nodes/resilient-uplink/link';
import type { NewMessage, StoredMessage } from '../../../nodes/resilient-uplink/outbox-port';
import { FakeClock } from '../../support/fake-clock';
import {
  entriesOf,
  FakeLink,
  folderOf,
  LocalOutbox,
  message,
  numbered,
  openStore,
  startDelivery,
} from './support';

const ACKNOWLEDGED: Answer = { outcome: 'acknowledged' };
const REJECTED: Answer = { outcome: 'rejected', reason: 'poison' };

let folder: ReturnType<typeof folderOf>;
let clock: FakeClock;
let current: ReturnType<typeof openStore>;
let outbox: LocalOutbox;
let delivered: { message: StoredMessage; note: DeliveryNote }[];
let rejected: StoredMessage[];
let running: Delivery | undefined;

function begin(): void {
  folder = folderOf('batches');
  clock = new FakeClock();
  current = openStore(join(folder.path, 'outbox.db'), clock);
  outbox = new LocalOutbox(current.store);
  delivered = [];
  rejected = [];
}

async function end(): Promise<void> {
  const stopping = running?.stop(0);
  await clock.advance(100);
  await stopping;
  running = undefined;
  current.database.close();
  folder.remove();
}

beforeEach(begin);
afterEach(end);

async function start(links: Link[], config: Partial<DeliveryConfig>): Promise<Delivery> {
  running = await startDelivery(
    links,
    outbox,
    clock,
    {
      delivered: (row, note) => delivered.push({ message: row, note }),
      rejected: (row) => rejected.push(row),
      corrupt: (sequences) => assert.equal(sequences.length, 0),
    },
    config,
  );
  return running;
}

function append(delivery: Delivery, messages: NewMessage[]): void {
  delivery.offer(outbox.append(messages));
}

/** What arrived, one text for each publish. */
function sentTexts(link: FakeLink): string[] {
  return link.sent.map((outgoing) =>
    entriesOf(outgoing)
      .map(({ text }) => text)
      .join(' '),
  );
}

const ignore = (): void => undefined;

test('messages of one topic go together, as many as a batch may hold, and are delivered each by itself', async () => {
  outbox.append(['a0', 'b0', 'a1', 'b1', 'a2'].map((text) => message(text[0], text)));
  const link = new FakeLink('broker');
  await start([link], { batchSize: 2 });
  await clock.advance(500);
  assert.deepEqual(sentTexts(link), ['a0 a1', 'b0 b1', 'a2']);
  const { uuid } = outbox;
  assert.deepEqual(
    link.sent.map(({ id, batch }) => [id, batch]),
    [
      [`${uuid}:1-3`, 2],
      [`${uuid}:2-4`, 2],
      [`${uuid}:5`, 1],
    ],
  );
  assert.deepEqual(
    delivered.map(({ message: row, note }) => [Buffer.from(row.body).toString(), note.id]),
    [
      ['a0', `${uuid}:1`],
      ['a1', `${uuid}:3`],
      ['b0', `${uuid}:2`],
      ['b1', `${uuid}:4`],
      ['a2', `${uuid}:5`],
    ],
  );
  assert.equal(outbox.usage.messages, 0);
});

test('a batch that is not full waits for more, and no longer than it may', async () => {
  const link = new FakeLink('broker');
  const delivery = await start([link], { batchSize: 3, batchDelayMs: 40 });
  append(delivery, numbered('a', 2));
  await clock.advance(39);
  assert.equal(link.sent.length, 0);
  await clock.advance(1);
  assert.deepEqual(sentTexts(link), ['a0 a1']);
  append(delivery, numbered('b', 3));
  assert.equal(sentTexts(link)[1], 'b0 b1 b2', 'a full one does not wait');
});

test('alerts do not wait for company, and flush ends all waiting', async () => {
  const link = new FakeLink('broker');
  const delivery = await start([link], { batchSize: 10, batchDelayMs: 60_000 });
  append(delivery, [message('a', 'calm'), message('a', 'alert', { priority: 0 })]);
  assert.deepEqual(sentTexts(link), ['alert']);
  delivery.flush();
  assert.deepEqual(sentTexts(link), ['alert', 'calm']);
});

test('one batch of a topic is under way at a time, and counts as one in the window', async () => {
  const link = new FakeLink('broker');
  link.window = 2;
  link.onSend = ignore;
  const delivery = await start([link], { batchSize: 4 });
  append(delivery, [...numbered('a', 8), ...numbered('b', 8), ...numbered('c', 8)]);
  assert.deepEqual(sentTexts(link), ['a0 a1 a2 a3', 'b0 b1 b2 b3']);
  assert.equal(delivery.inFlight, 8);
  assert.equal(delivery.untouchable().length, 8);
  link.waiting[0].answer(ACKNOWLEDGED);
  assert.equal(sentTexts(link)[2], 'c0 c1 c2 c3');
});

test('nothing of a batch is deleted or reported before its acknowledgement, and a retry is the same batch', async () => {
  const link = new FakeLink('broker');
  link.onSend = ignore;
  const delivery = await start([link], { batchSize: 3 });
  outbox.append([]);
  const rows = outbox.append(numbered('a', 2));
  delivery.offer(rows);
  append(delivery, [message('a', 'a2'), message('a', 'a3')]);
  const [first] = sentTexts(link);
  await clock.advance(5000);
  assert.equal(delivered.length, 0);
  assert.equal(outbox.usage.messages, 4);
  link.waiting[0].answer({ outcome: 'retry', reason: 'busy' });
  link.onSend = ({ answer }) => answer(ACKNOWLEDGED);
  await clock.advance(2000);
  assert.equal(sentTexts(link)[1], first);
  assert.equal(link.sent[1].id, link.sent[0].id);
  assert.deepEqual(
    delivered.map(({ message: row }) => Buffer.from(row.body).toString()),
    ['a0', 'a1', 'a2', 'a3'],
  );
  assert.equal(delivered[0].note.attempts, 2);
});

test('after a broken connection the same batch goes over the next one, with the same id', async () => {
  const primary = new FakeLink('primary');
  primary.onSend = ignore;
  const second = new FakeLink('second', false);
  const delivery = await start([primary, second], { batchSize: 5 });
  append(delivery, numbered('a', 2));
  append(delivery, [message('a', 'later')]);
  primary.reachable = false;
  primary.die();
  await clock.advance(8000);
  assert.deepEqual(sentTexts(second), ['a0 a1', 'later']);
  assert.equal(second.sent[0].id, primary.sent[0].id);
  assert.deepEqual(
    delivered.map(({ note }) => note.duplicatePossible),
    [true, true, false],
  );
});

test('a batch is no larger than the other side takes', async () => {
  const link = new FakeLink('broker');
  Object.assign(link, { bodyLimit: () => 2000 });
  const delivery = await start([link], { batchSize: 100 });
  append(
    delivery,
    Array.from({ length: 20 }, (_, index) => message('a', `${index}${'x'.repeat(300)}`)),
  );
  await clock.advance(500);
  assert.equal(delivered.length, 20);
  assert.ok(link.sent.length < 10, `${link.sent.length} publishes`);
  assert.ok(link.sent.every(({ body }) => body.byteLength <= 2000));
});

/** Refuses whatever holds one of the poisoned texts. */
function judge(outgoing: Outgoing, poison: ReadonlySet<string>): Answer {
  return entriesOf(outgoing).some(({ text }) => poison.has(text)) ? REJECTED : ACKNOWLEDGED;
}

for (const [place, index] of [
  ['head', 0],
  ['middle', 7],
  ['end', 15],
] as const) {
  test(`a poisonous message at the ${place} of a batch is found, alone rejected, and overtaken by nothing`, async () => {
    const link = new FakeLink('server', false);
    link.onSend = ({ outgoing, answer }) => answer(judge(outgoing, new Set([`a${index}`])));
    outbox.append(numbered('a', 16));
    outbox.append([message('a', 'newer')]);
    await start([link], { batchSize: 16 });
    await clock.advance(500);
    assert.deepEqual(
      rejected.map(({ sequence }) => sequence),
      [index + 1],
    );
    assert.deepEqual(
      delivered.map(({ message: { sequence } }) => sequence),
      Array.from({ length: 17 }, (_, at) => at + 1).filter((sequence) => sequence !== index + 1),
    );
    assert.ok(link.sent.length <= 11, `${link.sent.length} requests for one among 16`);
    assert.equal(outbox.usage.messages, 0);
  });
}

test('any poison in any batches is found, and nothing else is rejected, lost, repeated or overtaken', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 40 }),
      fc.boolean(),
      fc.array(fc.record({ topic: fc.constantFrom('a', 'b', 'c'), bad: fc.boolean(), rare: fc.nat(3) }), {
        minLength: 1,
        maxLength: 120,
      }),
      async (batchSize, ordered, rows) => {
        await end();
        begin();
        const poison = new Set<string>();
        const messages = rows.map(({ topic, bad, rare }, index) => {
          if (bad && rare === 0) {
            poison.add(`${index}`);
          }
          return message(topic, `${index}`);
        });
        const link = new FakeLink('server', ordered);
        const arrived: string[] = [];
        link.onSend = ({ outgoing, answer }) => {
          // Answers come later, so that messages pile up behind a batch.
          clock.after(20, () => {
            const verdict = judge(outgoing, poison);
            if (verdict === ACKNOWLEDGED) {
              arrived.push(...entriesOf(outgoing).map(({ text }) => text));
            }
            answer(verdict);
          });
        };
        const delivery = await start([link], { batchSize });
        append(delivery, messages.slice(0, 50));
        await clock.advance(30);
        append(delivery, messages.slice(50));
        await clock.advance(20_000);
        assert.equal(outbox.usage.messages, 0);
        assert.deepEqual(new Set(rejected.map(({ body }) => Buffer.from(body).toString())), poison);
        assert.equal(rejected.length, poison.size);
        for (const topic of ['a', 'b', 'c']) {
          const inOrder = messages
            .filter((row) => row.topic === topic)
            .map(({ body }) => Buffer.from(body).toString());
          assert.deepEqual(
            arrived.filter((text) => messages[Number(text)].topic === topic),
            inOrder.filter((text) => !poison.has(text)),
          );
        }
      },
    ),
    { numRuns: Number(process.env.UPLINK_WORLDS ?? 40), endOnFailure: true },
  );
});

test('with compression every publish is gzip, in the order of its topic, whatever its size', async () => {
  const link = new FakeLink('broker');
  outbox.append([
    message('a', 'x'.repeat(2_000_000)),
    ...numbered('a', 30),
    message('b', 'other', { kind: 'binary' }),
  ]);
  await start([link], { compression: 'gzip' });
  for (let turn = 0; delivered.length < 32 && turn < 500; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    await clock.advance(10);
  }
  assert.ok(link.sent.every(({ encoding }) => encoding === 'gzip'));
  const texts = link.sent.filter(({ topic }) => topic === 'a').map(({ body }) => gunzipSync(body).toString());
  assert.equal(texts[0].length, 2_000_000);
  assert.deepEqual(
    texts.slice(1),
    Array.from({ length: 30 }, (_, index) => `a${index}`),
  );
  assert.ok(link.sent.some(({ body }) => body.byteLength < 10_000));
});

test('what was compressed for a connection that is gone is not sent over the next', async () => {
  const link = new FakeLink('broker');
  const delivery = await start([link], { compression: 'gzip', batchSize: 2 });
  append(delivery, numbered('a', 2));
  link.die();
  await clock.advance(2000);
  for (let turn = 0; delivered.length < 2 && turn < 500; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    await clock.advance(10);
  }
  assert.deepEqual(
    link.sent.map(({ id }) => id),
    [`${outbox.uuid}:1-2`],
  );
  assert.equal(delivered.length, 2);
});
