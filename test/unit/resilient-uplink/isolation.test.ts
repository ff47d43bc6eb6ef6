import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Delivery } from '../../../nodes/resilient-uplink/delivery';
import type { DeliveryConfig } from '../../../nodes/resilient-uplink/delivery-types';
import type { Outgoing } from '../../../nodes/resilient-uplink/link';
import type { NewMessage } from '../../../nodes/resilient-uplink/outbox-port';
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

const SEED = Number(process.env.EDGE_SEED ?? Date.now() % 1_000_000);
/** A round trip to the broker. */
const TRIP_MS = 20;

let folder: ReturnType<typeof folderOf>;
let clock: FakeClock;
let store: ReturnType<typeof openStore>;
let outbox: LocalOutbox;
let rejected: { text: string; reason: string }[];

beforeEach(() => {
  folder = folderOf('isolation');
  clock = new FakeClock();
  store = openStore(join(folder.path, 'outbox.db'), clock);
  outbox = new LocalOutbox(store.store);
  rejected = [];
});

afterEach(() => {
  store.database.close();
  folder.remove();
});

/** A broker that takes messages in order, answers after a round trip, and may close the connection instead. */
class ClosingLink extends FakeLink {
  /** First arrivals, in order. */
  readonly arrived: string[] = [];
  closures = 0;
  private session = 0;

  /** @param closes whether it closes the connection when a message comes */
  constructor(private readonly closes: (outgoing: Outgoing) => boolean) {
    super('broker');
    this.onSend = ({ outgoing, answer }) => {
      const { session } = this;
      clock.after(TRIP_MS, () => {
        if (session !== this.session) {
          return;
        }
        if (this.closes(outgoing)) {
          this.drop();
          return;
        }
        for (const { text } of entriesOf(outgoing)) {
          if (!this.arrived.includes(text)) {
            this.arrived.push(text);
          }
        }
        answer({ outcome: 'acknowledged' });
      });
    };
  }

  drop(): void {
    this.closures++;
    this.die('the broker closed the connection', { closed: true });
  }

  probe(alive: () => void): void {
    const { session } = this;
    clock.after(TRIP_MS, () => {
      if (session === this.session && this.observer) {
        alive();
      }
    });
  }

  override die(...how: Parameters<FakeLink['die']>): void {
    this.session++;
    super.die(...how);
  }

  override close(): void {
    this.session++;
    super.close();
  }
}

const holdsPoison = (outgoing: Outgoing): boolean =>
  entriesOf(outgoing).some(({ text }) => text.startsWith('poison'));

function start(link: ClosingLink, config: Partial<DeliveryConfig> = {}): Promise<Delivery> {
  return startDelivery(
    [link],
    outbox,
    clock,
    {
      rejected: ({ body }, reason) => rejected.push({ text: Buffer.from(body).toString(), reason }),
    },
    config,
  );
}

async function advanceUntil(done: () => boolean, limitMs: number): Promise<void> {
  for (let passed = 0; !done() && passed < limitMs; passed += 1000) {
    await clock.advance(1000);
  }
}

const poison = message('a', 'poison');
const PLACES: [string, NewMessage[]][] = [
  ['head', [poison, ...numbered('a', 20), ...numbered('b', 40)]],
  ['middle', [...numbered('b', 20), ...numbered('a', 10), poison, ...numbered('c', 20)]],
  ['end', [...numbered('b', 40), ...numbered('a', 20), poison]],
];

for (const [place, backlog] of PLACES) {
  test(`a message that the broker closes the connection for is found at the ${place} of a backlog`, async () => {
    outbox.append(backlog);
    const link = new ClosingLink(holdsPoison);
    await start(link);
    await advanceUntil(() => outbox.usage.messages === 0, 600_000);
    assert.deepEqual(
      rejected.map(({ text }) => text),
      ['poison'],
    );
    assert.match(rejected[0].reason, /closed each of three times.*topic, size or content/);
    assert.equal(outbox.usage.messages, 0);
    for (const topic of ['a', 'b', 'c']) {
      const good = backlog.filter((entry) => entry.topic === topic && entry !== poison);
      assert.deepEqual(
        link.arrived.filter((text) => text.startsWith(topic)),
        good.map(({ body }) => Buffer.from(body).toString()),
      );
    }
    assert.ok(link.closures < 12, `${link.closures} closures`);
  });
}

test('it is found also when nothing else is left to send', async () => {
  const link = new ClosingLink(holdsPoison);
  const delivery = await start(link);
  delivery.offer(outbox.append([message('a', 'good')]));
  await clock.advance(1000);
  delivery.offer(outbox.append([poison]));
  await advanceUntil(() => outbox.usage.messages === 0, 600_000);
  assert.equal(rejected.length, 1);
});

test('where none is ever taken it is not the messages: nothing is rejected, and what to check is told', async () => {
  const link = new ClosingLink(() => true);
  const delivery = await start(link);
  delivery.offer(outbox.append([...numbered('a', 10), ...numbered('b', 10)]));
  await clock.advance(100);
  assert.match(delivery.pool.report()[0].error ?? '', /has taken none yet: check the quality of service/);
  await advanceUntil(() => false, 3_600_000);
  assert.deepEqual(rejected, []);
  assert.equal(outbox.usage.messages, 20);
});

test('a suspect gets through a connection that never stays quiet, whatever ends it', async () => {
  let refusals = 0;
  const link = new ClosingLink(() => refusals++ < 4);
  const delivery = await start(link, { retry: { minMs: 50, maxMs: 200 } });
  delivery.offer(outbox.append([message('a', 'good')]));
  while (refusals < 4) {
    await clock.advance(100);
  }
  for (let round = 0; round < 10 && link.arrived.length === 0; round++) {
    await clock.advance(4000);
    link.die('keep alive timeout');
  }
  assert.deepEqual(link.arrived, ['good']);
  assert.deepEqual(rejected, []);
});

test('the others go on around it, live ones too', async () => {
  const link = new ClosingLink(holdsPoison);
  const delivery = await start(link);
  delivery.offer(outbox.append([poison, message('a', 'behind it')]));
  let sent = 0;
  while (rejected.length === 0 && sent < 600) {
    delivery.offer(outbox.append([message(`live/${sent % 5}`, `m${sent++}`)]));
    await clock.advance(1000);
    assert.ok(link.arrived.length >= sent - 70, `${link.arrived.length} of ${sent} arrived`);
    if (link.arrived.includes('behind it')) {
      assert.equal(rejected[0]?.text, 'poison', 'overtook what is before it');
    }
  }
  await clock.advance(5000);
  assert.equal(rejected.length, 1);
  assert.ok(link.arrived.includes('behind it'));
  assert.equal(outbox.usage.messages, 0);
});

test('of a batch only the message that is to blame is rejected', async () => {
  outbox.append([...numbered('a', 5), poison, ...numbered('a', 20).slice(5)]);
  const link = new ClosingLink(holdsPoison);
  await start(link, { batchSize: 8 });
  await advanceUntil(() => outbox.usage.messages === 0, 3_600_000);
  assert.equal(rejected.length, 1);
  assert.deepEqual(
    link.arrived,
    numbered('a', 20).map(({ body }) => Buffer.from(body).toString()),
  );
});

test('two topics that are not taken are both found', async () => {
  outbox.append([
    message('x', 'poison x'),
    ...numbered('a', 5),
    message('y', 'poison y'),
    ...numbered('b', 5),
  ]);
  const link = new ClosingLink(holdsPoison);
  await start(link);
  await advanceUntil(() => outbox.usage.messages === 0, 3_600_000);
  assert.deepEqual(rejected.map(({ text }) => text).sort(), ['poison x', 'poison y']);
  assert.equal(link.arrived.length, 10);
});

test('a client that may not publish there is not the message: it is tried on, and nothing is rejected', async () => {
  let allowed = false;
  const link = new ClosingLink(() => false);
  link.onSend = ({ outgoing, answer }) => {
    clock.after(TRIP_MS, () => {
      if (outgoing.topic === 'secret' && !allowed) {
        link.die('not authorized', { closed: true, fault: 'permission' });
      } else {
        answer({ outcome: 'acknowledged' });
      }
    });
  };
  const delivery = await start(link);
  delivery.offer(outbox.append([...numbered('secret', 2), ...numbered('b', 10)]));
  await advanceUntil(() => false, 900_000);
  assert.equal(rejected.length, 0);
  assert.equal(outbox.usage.messages, 2, 'the others have gone');
  allowed = true;
  await advanceUntil(() => outbox.usage.messages === 0, 300_000);
  assert.equal(outbox.usage.messages, 0);
});

for (const [what, upMs] of [
  ['a second', 1000],
  ['as long as a quiet connection', 9000],
  ['hardly a round trip', 40],
] as const) {
  for (const regular of [false, true]) {
    const how = regular ? 'regularly' : 'at random';
    test(`a network that fails ${how} after ${what} rejects nothing good (seed ${SEED})`, async () => {
      const random = new SeededRandom(SEED, upMs);
      const link = new ClosingLink(() => false);
      const delivery = await start(link, { retry: { minMs: 50, maxMs: 500 } });
      const flap = (): void => {
        const wait = regular ? upMs : -upMs * Math.log(1 - random.next());
        clock.after(wait, () => {
          link.drop();
          flap();
        });
      };
      flap();
      let sent = 0;
      for (let second = 0; second < 400; second++) {
        if (second % 20 < 10) {
          delivery.offer(outbox.append([message(`t${sent % 3}`, `m${sent++}`)]));
        }
        await clock.advance(1000);
      }
      assert.deepEqual(rejected, []);
      link.drop = () => undefined;
      await advanceUntil(() => outbox.usage.messages === 0, 120_000);
      assert.equal(outbox.usage.messages, 0);
      assert.equal(link.arrived.length, sent);
    });
  }
}
