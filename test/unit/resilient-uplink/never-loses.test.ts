import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Delivery } from '../../../nodes/resilient-uplink/delivery';
import { SeededRandom } from '../../../nodes/shared/random';
import { FakeClock, settle } from '../../support/fake-clock';
import { HostileLink, type Arrival } from './hostile-link';
import { folderOf, LocalOutbox, message, openStore } from './support';

const CONFIG = {
  retry: { minMs: 100, maxMs: 5000 },
  ackTimeoutMs: 3000,
  healthIntervalMs: 2000,
  failbackMs: 5000,
};
const STEPS = 150;

interface Accepted {
  id: string;
  text: string;
  stream: string;
}

/** One gateway's life under faults; crashes lose everything but the database. */
class World {
  readonly accepted: Accepted[] = [];
  readonly arrivals: Arrival[] = [];
  readonly reported = new Set<string>();
  private readonly path: string;
  private readonly links: HostileLink[];
  private clock = new FakeClock();
  private database!: ReturnType<typeof openStore>;
  private outbox!: LocalOutbox;
  private delivery!: Delivery;
  private count = 0;
  private poisonous = true;

  constructor(
    private readonly random: SeededRandom,
    folder: string,
    private readonly batches: Way,
  ) {
    this.path = join(folder, 'outbox.db');
    const poison = (text: string): boolean => this.poisonous && text.endsWith('poison');
    this.links = [
      new HostileLink('primary', true, random, this.arrivals, poison),
      new HostileLink('second', true, random, this.arrivals, poison),
      new HostileLink('server', false, random, this.arrivals, poison),
    ];
    this.open();
  }

  async step(): Promise<void> {
    const link = this.links[this.random.int(this.links.length)];
    const dice = this.random.int(100);
    if (dice < 25) {
      this.append();
    } else if (dice < 70) {
      for (let count = this.random.int(12); count >= 0; count--) {
        link.step('any');
      }
    } else if (dice < 86) {
      await this.clock.advance(this.random.int(4000));
    } else if (dice < 90) {
      link.die();
    } else if (dice < 93) {
      link.reachable = !link.reachable;
    } else if (dice < 96) {
      link.frozen = !link.frozen;
    } else if (dice < 97) {
      this.clock.jump((this.random.next() - 0.5) * 1e12);
    } else {
      this.crash();
    }
    await settle();
  }

  /** All faults end; gives the number of messages that are left after a long time. */
  async calm(): Promise<number> {
    for (const link of this.links) {
      link.reachable = true;
      link.frozen = false;
    }
    for (let round = 0; round < 400 && this.outbox.usage.messages > 0; round++) {
      for (const link of this.links) {
        while (link.busy) {
          link.step('kind');
        }
      }
      await this.clock.advance(300);
    }
    return this.outbox.usage.messages;
  }

  /** The operator puts back what was refused, and the other side takes it now. */
  async requeue(): Promise<number> {
    this.poisonous = false;
    await this.delivery.settled();
    const { sequences } = await this.outbox.requeue({ after: 0, maxRows: 10_000 });
    this.delivery.rewind(sequences[0] ?? 1);
    return sequences.length;
  }

  /** Fates by sequence, as the ledger tells them. */
  async fates(): Promise<string[]> {
    await this.delivery.settled();
    const { ranges } = await this.outbox.ledger({ maxRanges: 100_000 });
    return ranges.flatMap(({ fate, count }) => new Array<string>(count).fill(fate));
  }

  end(): void {
    this.links.forEach((link) => link.close());
    this.database.database.close();
  }

  private append(): void {
    const rows = Array.from({ length: 1 + this.random.int(6) }, () => {
      const topic = `t${this.random.int(4)}`;
      const suffix = this.random.next() < 0.03 ? ' poison' : '';
      const priority = this.random.int(3);
      return message(topic, `${this.count++} p${priority}${suffix}`, { priority });
    });
    const stored = this.outbox.append(rows);
    for (const { sequence, topic, priority, body } of stored) {
      this.accepted.push({
        id: `${this.outbox.uuid}:${sequence}`,
        text: Buffer.from(body).toString(),
        stream: `${priority} ${topic}`,
      });
    }
    // A crash may come between the commit and whatever follows it.
    if (this.random.next() < 0.02) {
      this.crash();
    } else {
      this.delivery.offer(stored);
    }
  }

  private crash(): void {
    this.links.forEach((link) => link.close());
    this.database.database.close();
    this.clock = new FakeClock(this.clock.now());
    this.open();
  }

  private open(): void {
    this.database = openStore(this.path, this.clock);
    const outbox = new LocalOutbox(this.database.store);
    this.outbox = outbox;
    this.delivery = new Delivery(
      this.links,
      outbox,
      { ...CONFIG, ...this.batches },
      this.clock,
      this.random,
      {
        delivered: () => undefined,
        rejected: ({ sequence }) => this.reported.add(`${outbox.uuid}:${sequence}`),
        corrupt: (sequences) => assert.fail(`corrupt: ${sequences.join()}`),
        connectionFailed: () => undefined,
        changed: () => undefined,
        // A crashed run's last calls find its database closed.
        storeFailed: (error) => assert.equal(outbox === this.outbox, false, error.message),
      },
    );
    this.delivery.start();
  }
}

function check({ accepted, arrivals, reported }: World): void {
  const byId = new Map(accepted.map((entry) => [entry.id, entry]));
  const seen = new Set<string>();
  const last = new Map<string, number>();
  accepted.forEach((entry, index) => Object.assign(entry, { index }));
  for (const { id, text } of arrivals) {
    const entry = byId.get(id) as (Accepted & { index: number }) | undefined;
    assert.ok(entry, `${id} was never accepted`);
    assert.equal(text, entry.text, `${id} arrived with another payload`);
    if (!seen.has(id)) {
      seen.add(id);
      assert.ok((last.get(entry.stream) ?? -1) < entry.index, `${id} was overtaken in ${entry.stream}`);
      last.set(entry.stream, entry.index);
    }
  }
  for (const { id, text } of accepted) {
    assert.equal(reported.has(id), text.endsWith('poison'), `${id} "${text}" on output 2`);
    assert.ok(seen.has(id) || reported.has(id), `${id} "${text}" is missing`);
  }
}

interface Way {
  batchSize: number;
  batchDelayMs: number;
  replayRate: number;
}

const WAYS: [string, fc.Arbitrary<Way>][] = [
  ['one by one', fc.constant({ batchSize: 1, batchDelayMs: 0, replayRate: 0 })],
  [
    'in batches',
    fc.record({
      batchSize: fc.integer({ min: 2, max: 12 }),
      batchDelayMs: fc.constantFrom(0, 70, 900),
      replayRate: fc.constant(0),
    }),
  ],
  [
    'with a limit on the backlog',
    fc.record({
      batchSize: fc.constantFrom(1, 3),
      batchDelayMs: fc.constant(0),
      replayRate: fc.constantFrom(10, 50),
    }),
  ],
];

for (const [way, batches] of WAYS) {
  test(`every accepted message arrives ${way}, in order, or is reported, through any faults and crashes`, () =>
    live(batches));
}

async function live(batches: (typeof WAYS)[number][1]): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 0x7fffffff }), batches, async (seed, config) => {
      const folder = folderOf('never-loses');
      const world = new World(new SeededRandom(seed), folder.path, config);
      try {
        for (let step = 0; step < STEPS; step++) {
          await world.step();
        }
        assert.equal(await world.calm(), 0, 'messages are left');
        check(world);
        const poisoned = world.accepted.filter(({ text }) => text.endsWith('poison'));
        assert.deepEqual(
          await world.fates(),
          world.accepted.map((entry) => (poisoned.includes(entry) ? 'rejected' : 'delivered')),
        );
        const before = world.arrivals.length;
        assert.equal(await world.requeue(), poisoned.length);
        assert.equal(await world.calm(), 0, 'requeued messages are left');
        const again = new Set(world.arrivals.slice(before).map(({ id }) => id));
        assert.ok(poisoned.every(({ id }) => again.has(id)));
        assert.ok((await world.fates()).every((fate) => fate === 'delivered'));
      } finally {
        world.end();
        folder.remove();
      }
    }),
    { numRuns: Number(process.env.UPLINK_WORLDS ?? 40), endOnFailure: true },
  );
}
