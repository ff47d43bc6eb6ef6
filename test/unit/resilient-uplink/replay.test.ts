import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import type { Delivery, DeliveryConfig } from '../../../nodes/resilient-uplink/delivery';
import type { NewMessage } from '../../../nodes/resilient-uplink/outbox-port';
import { TokenBucket } from '../../../nodes/resilient-uplink/token-bucket';
import { UnheldTopics } from '../../../nodes/resilient-uplink/unheld-topics';
import { SeededRandom } from '../../../nodes/shared/random';
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

let folder: ReturnType<typeof folderOf>;
let clock: FakeClock;
let current: ReturnType<typeof openStore>;
let outbox: LocalOutbox;
let running: Delivery | undefined;

function begin(): void {
  folder = folderOf('replay');
  clock = new FakeClock();
  current = openStore(join(folder.path, 'outbox.db'), clock);
  outbox = new LocalOutbox(current.store);
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

async function start(link: FakeLink, config: Partial<DeliveryConfig>): Promise<Delivery> {
  running = await startDelivery([link], outbox, clock, {}, config);
  return running;
}

function append(delivery: Delivery, messages: NewMessage[]): void {
  delivery.offer(outbox.append(messages));
}

test('the backlog goes at the rate and no faster', async () => {
  outbox.append(numbered('a', 100));
  outbox.append(numbered('b', 100));
  const link = new FakeLink('broker');
  await start(link, { replayRate: 20 });
  for (const second of [1, 2, 5]) {
    await clock.advance(second * 1000 - clock.monotonic());
    assert.ok(link.sent.length <= 20 * second + 2, `${link.sent.length} after ${second} s`);
    assert.ok(link.sent.length >= 20 * second - 5, `${link.sent.length} after ${second} s`);
  }
  await clock.advance(6000);
  assert.equal(outbox.usage.messages, 0);
});

test('a batch counts with all its messages', async () => {
  outbox.append(numbered('a', 100));
  const link = new FakeLink('broker');
  await start(link, { replayRate: 10, batchSize: 20 });
  await clock.advance(3900);
  assert.equal(link.sent.length, 2);
  await clock.advance(6000);
  assert.equal(outbox.usage.messages, 0);
});

test('a live message of another topic passes a backlog that is larger than memory, at once', async () => {
  outbox.append(numbered('old', 6000));
  const link = new FakeLink('broker');
  const delivery = await start(link, { replayRate: 10 });
  await clock.advance(1000);
  for (let index = 0; index < 300; index++) {
    append(delivery, [message(`live${index % 3}`, `live ${index}`)]);
    assert.equal(link.texts.at(-1), `live ${index}`);
    await clock.advance(10);
  }
  const old = link.texts.filter((text) => text.startsWith('old'));
  assert.ok(old.length > 30 && old.length < 50, `${old.length} of the backlog in 4 s`);
  assert.deepEqual(
    old,
    numbered('old', old.length).map(({ body }) => Buffer.from(body).toString()),
  );
});

test('a live message waits behind the backlog of its own topic, held in memory or not', async () => {
  outbox.append(numbered('old', 2000));
  outbox.append([message('rare', 'first')]);
  const link = new FakeLink('broker');
  const delivery = await start(link, { replayRate: 200 });
  append(delivery, [message('rare', 'second'), message('old', 'old2000')]);
  await clock.advance(3000);
  assert.ok(!link.texts.includes('second'));
  await clock.advance(9000);
  assert.equal(outbox.usage.messages, 0);
  assert.ok(link.texts.indexOf('first') < link.texts.indexOf('second'));
  assert.deepEqual(
    link.texts.filter((text) => text.startsWith('old')),
    numbered('old', 2001).map(({ body }) => Buffer.from(body).toString()),
  );
  assert.equal(link.sent.length, 2003, 'nothing twice');
});

test('alerts of the backlog are never held up', async () => {
  outbox.append(numbered('a', 50, { priority: 0 }));
  outbox.append(numbered('n', 50));
  const link = new FakeLink('broker');
  await start(link, { replayRate: 1 });
  await clock.advance(200);
  assert.equal(link.texts.filter((text) => text.startsWith('a')).length, 50);
  assert.ok(link.sent.length <= 52);
});

test('a topic that is fed faster than the rate still works its backlog off', async () => {
  outbox.append(numbered('a', 300));
  const link = new FakeLink('broker');
  const delivery = await start(link, { replayRate: 20 });
  for (let index = 300; index < 2300; index++) {
    append(delivery, [message('a', `a${index}`)]);
    await clock.advance(10);
  }
  await clock.advance(1000);
  assert.equal(outbox.usage.messages, 0);
  assert.deepEqual(
    link.texts,
    numbered('a', 2300).map(({ body }) => Buffer.from(body).toString()),
  );
});

test('what is stored while no connection works is backlog when one does', async () => {
  const link = new FakeLink('broker');
  link.reachable = false;
  const delivery = await start(link, { replayRate: 10 });
  append(delivery, numbered('a', 100));
  link.reachable = true;
  await clock.advance(3000);
  assert.ok(link.sent.length > 5 && link.sent.length <= 35, `${link.sent.length} in 3 s at most`);
  append(delivery, [message('b', 'live')]);
  assert.equal(link.texts.at(-1), 'live');
});

test('what came while sending was paused is backlog afterwards', async () => {
  const link = new FakeLink('broker');
  const delivery = await start(link, { replayRate: 10 });
  await clock.advance(1000);
  delivery.pause();
  append(delivery, numbered('a', 2000));
  delivery.resume();
  await clock.advance(2000);
  assert.ok(link.sent.length > 5 && link.sent.length <= 25, `${link.sent.length} in 2 s`);
});

test('live messages that passed the backlog and are stuck then are put back and lose neither order nor anything', async () => {
  outbox.append(numbered('old', 3000));
  const link = new FakeLink('broker');
  const refused = new Set(['secret']);
  link.onSend = ({ outgoing, answer }) =>
    answer(
      refused.has(outgoing.topic) ? { outcome: 'retry', reason: 'not now' } : { outcome: 'acknowledged' },
    );
  const delivery = await start(link, { replayRate: 300 });
  append(delivery, numbered('secret', 100));
  await clock.advance(1000);
  refused.add('old');
  await clock.advance(60_000);
  append(delivery, [message('other', 'goes'), message('secret', 'secret100')]);
  await clock.advance(1000);
  assert.equal(link.texts.at(-1), 'goes', 'what is stuck holds up nothing else');
  refused.clear();
  link.sent.length = 0;
  await clock.advance(120_000);
  assert.equal(outbox.usage.messages, 0);
  assert.deepEqual(
    link.texts.filter((text) => text.startsWith('secret')),
    numbered('secret', 101).map(({ body }) => Buffer.from(body).toString()),
  );
});

test('order holds, and nothing is sent twice, with backlogs, stuck topics and live messages beyond memory', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 0x7fffffff }), async (seed) => {
      const random = new SeededRandom(seed);
      await end();
      begin();
      const link = new FakeLink('broker', random.int(2) === 0);
      const stuck = new Set<string>();
      const arrived = new Map<string, number[]>();
      link.onSend = ({ outgoing, answer }) => {
        clock.after(random.int(30), () => {
          if (stuck.has(outgoing.topic)) {
            answer({ outcome: 'retry', reason: 'not now' });
            return;
          }
          const numbers = entriesOf(outgoing).map(({ id }) => Number(id.split(':')[1]));
          arrived.set(outgoing.topic, [...(arrived.get(outgoing.topic) ?? []), ...numbers]);
          answer({ outcome: 'acknowledged' });
        });
      };
      if (link.ordered) {
        link.window = 1;
      }
      const some = (most: number): NewMessage[] =>
        Array.from({ length: random.int(most) }, () => {
          const topic = `t${random.int(6)}`;
          return message(topic, 'x', { priority: 1 + Number(topic > 't4') });
        });
      outbox.append(some(3000));
      const delivery = await start(link, {
        replayRate: [20, 300, 3000][random.int(3)],
        batchSize: [1, 1, 50][random.int(3)],
        retry: { minMs: 50, maxMs: 1000 },
      });
      for (let step = 0; step < 25; step++) {
        const topic = `t${random.int(6)}`;
        if (!stuck.delete(topic) && stuck.size < 3) {
          stuck.add(topic);
        }
        append(delivery, some(random.int(5) === 0 ? 1500 : 60));
        await clock.advance(random.int(300));
      }
      stuck.clear();
      for (let round = 0; outbox.usage.messages > 0 && round < 1000; round++) {
        await clock.advance(2000);
      }
      assert.equal(outbox.usage.messages, 0);
      for (const [topic, numbers] of arrived) {
        numbers.forEach((sequence, index) => {
          assert.ok(
            index === 0 || sequence > numbers[index - 1],
            `${sequence} of ${topic} after ${numbers[index - 1]}`,
          );
        });
      }
    }),
    { numRuns: Number(process.env.UPLINK_WORLDS ?? 8), endOnFailure: true },
  );
});

test('a rate below one a second is kept too, and what is saved up is bounded', () => {
  const bucket = new TokenBucket(0.5, 0);
  assert.ok(bucket.isReady(0));
  bucket.take(1, 0);
  assert.ok(!bucket.isReady(1999));
  assert.ok(bucket.isReady(2000));
  bucket.take(1, 1_000_000);
  assert.ok(!bucket.isReady(1_001_000), 'an idle hour is worth one message');
  assert.equal(bucket.readyAt(1_001_000), 1_002_000);
});

test('in doubt a topic is taken to have messages in the store', () => {
  const topics = new UnheldTopics();
  assert.ok(topics.mayHave('a', 100), 'nobody has counted yet');
  topics.note('a', 7);
  topics.complete();
  assert.ok(topics.mayHave('a', 6));
  assert.ok(!topics.mayHave('a', 7));
  assert.ok(!topics.mayHave('b', 0));
  for (let index = 0; index < 20_000; index++) {
    topics.note(`t${index}`, 100 + index);
  }
  assert.ok(topics.mayHave('b', 20_098), 'too many to know');
  assert.ok(!topics.mayHave('b', 20_099));
});
