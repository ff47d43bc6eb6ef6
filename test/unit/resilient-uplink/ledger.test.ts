import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import type { LedgerCounts, LedgerReport } from '../../../nodes/resilient-uplink/ledger-report';
import type { OutboxOptions } from '../../../nodes/resilient-uplink/outbox';
import { OUTBOX_MIGRATIONS } from '../../../nodes/resilient-uplink/outbox-schema';
import type { Fate, Settlement } from '../../../nodes/resilient-uplink/outbox-port';
import { openDatabase } from '../../../nodes/shared/store/sqlite';
import { FakeClock } from '../../support/fake-clock';
import { delivered, folderOf, message, openStore } from './support';

const ALL = { maxRanges: 1000 };

let folder: ReturnType<typeof folderOf>;
let clock: FakeClock;
let path: string;
let current: ReturnType<typeof openStore>;

beforeEach(() => {
  folder = folderOf('ledger');
  clock = new FakeClock();
  path = join(folder.path, 'outbox.db');
  current = openStore(path, clock);
});

afterEach(() => {
  current.database.close();
  folder.remove();
});

function reopen(options: OutboxOptions = {}): void {
  current.database.close();
  clock = new FakeClock(clock.now());
  current = openStore(path, clock, options);
}

function append(count: number, topic = 'a'): void {
  current.store.append(Array.from({ length: count }, (_, index) => message(topic, `m${index}`)));
}

function ended(fate: Fate, sequences: number[]): Settlement {
  const refusal = fate === 'rejected' ? { refusal: { reason: 'HTTP 422', connection: 'web' } } : {};
  return { remove: [{ fate, connection: '', sequences, ...refusal }], attempts: [] };
}

/** The report in short: `1-3 delivered broker`. */
function lines(report: LedgerReport): string[] {
  return report.ranges.map(({ from, to, fate, connection }) =>
    [`${from}-${to}`, fate, ...(connection === undefined ? [] : [connection])].join(' '),
  );
}

function total({ delivered: byConnection, ...others }: LedgerCounts): number {
  return [...Object.values(byConnection), ...Object.values(others as Record<string, number>)].reduce(
    (sum, count) => sum + count,
    0,
  );
}

function assertComplete(report: LedgerReport): void {
  let next = report.from;
  for (const { from, to, count } of report.ranges) {
    assert.equal(from, next, 'a gap, or an overlap');
    assert.equal(count, to - from + 1);
    next = to + 1;
  }
  assert.equal(next, report.to + 1);
  assert.equal(total(report.counts), report.to - report.from + 1);
}

test('tells of every sequence what became of it, and how many met which fate', () => {
  append(10);
  current.store.settle(delivered([1, 2, 3], 'cloud'));
  current.store.settle(delivered([4], 'web'));
  current.store.settle(ended('expired', [6]));
  current.store.settle(ended('evicted', [7]));
  current.store.settle(ended('rejected', [8]));
  current.store.settle(ended('corrupt', [9]));
  const report = current.store.ledger(ALL);
  assert.deepEqual(lines(report), [
    '1-3 delivered cloud',
    '4-4 delivered web',
    '5-5 pending',
    '6-6 expired',
    '7-7 evicted',
    '8-8 rejected',
    '9-9 corrupt',
    '10-10 pending',
  ]);
  assert.deepEqual(report.counts, {
    delivered: { cloud: 3, web: 1 },
    expired: 1,
    evicted: 1,
    rejected: 1,
    corrupt: 1,
    unrecorded: 0,
    pending: 2,
  });
  assert.deepEqual(
    [report.store, report.at, report.from, report.to, report.last],
    [current.store.uuid, clock.now(), 1, 10, 10],
  );
  assertComplete(report);
});

test('a store that took nothing has an empty ledger', () => {
  const report = current.store.ledger(ALL);
  assert.deepEqual([report.from, report.to, report.ranges], [1, 0, []]);
  assertComplete(report);
});

test('neighbours with the same fate become one range, in whatever order they end', () => {
  append(9);
  for (const sequences of [[9, 1], [3], [7, 5], [2], [4, 6], [8]]) {
    current.store.settle(delivered(sequences));
  }
  assert.deepEqual(lines(current.store.ledger(ALL)), ['1-9 delivered broker']);
  const rows = current.database.prepare('SELECT first, last FROM ledger').all();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [{ first: 1, last: 9 }],
  );
});

test('settling twice, or what never was, changes nothing', () => {
  append(2);
  current.store.settle(delivered([1, 77]));
  current.store.settle(ended('expired', [1]));
  assert.deepEqual(lines(current.store.ledger(ALL)), ['1-1 delivered broker', '2-2 pending']);
});

test('a settlement that the disk refuses leaves the ledger as it was', () => {
  append(3);
  current.database.exec("CREATE TRIGGER full BEFORE UPDATE ON usage BEGIN SELECT RAISE(ABORT, 'full'); END");
  current.database.exec("CREATE TRIGGER full2 BEFORE INSERT ON usage BEGIN SELECT RAISE(ABORT, 'full'); END");
  assert.throws(() => current.store.settle(ended('rejected', [1, 2])));
  assert.deepEqual(lines(current.store.ledger(ALL)), ['1-3 pending']);
  assert.deepEqual(current.store.usage().deadLetters, { messages: 0, bytes: 0 });
  current.database.exec('DROP TRIGGER full; DROP TRIGGER full2');
  current.store.settle(delivered([1, 2]));
  reopen();
  assert.deepEqual(lines(current.store.ledger(ALL)), ['1-2 delivered broker', '3-3 pending']);
});

test('beyond its bound the oldest ranges are summarised, with their numbers, also for what ends later', () => {
  reopen({ ledgerLimit: { most: 10, keep: 5 } });
  append(40);
  for (let sequence = 2; sequence <= 40; sequence += 2) {
    current.store.settle(delivered([sequence]));
  }
  const report = current.store.ledger(ALL);
  assertComplete(report);
  assert.equal(report.ranges[0].fate, 'summarised');
  assert.ok(report.ranges[0].to >= 20 && report.ranges[0].to < 40);
  assert.equal(report.counts.pending, 20);
  assert.ok((current.database.prepare('SELECT count(*) AS n FROM ledger').get() as { n: number }).n <= 10);
  current.store.settle(ended('expired', [1, 3]));
  current.store.settle(ended('rejected', [5]));
  current.store.requeue({ after: 0, maxRows: 10 });
  reopen({ ledgerLimit: { most: 10, keep: 5 } });
  const { counts, ...rest } = current.store.ledger(ALL);
  assertComplete({ ...rest, counts });
  assert.deepEqual([counts.expired, counts.pending, counts.rejected], [2, 18, 0]);
  assert.deepEqual(counts.delivered, { broker: 20 });
});

test('an answer is bounded: all of it with the oldest summarised, or one page after the other', () => {
  append(40);
  for (let sequence = 2; sequence <= 40; sequence += 2) {
    current.store.settle(delivered([sequence]));
  }
  const whole = current.store.ledger({ maxRanges: 10 });
  assertComplete(whole);
  assert.deepEqual([whole.ranges.length, whole.from, whole.to], [10, 1, 40]);
  assert.equal(whole.ranges[0].counts?.delivered.broker, 15);
  assert.deepEqual(whole.counts, current.store.ledger(ALL).counts);
  let from = 1;
  const pages: string[] = [];
  for (;;) {
    const page = current.store.ledger({ from, maxRanges: 10 });
    assertComplete(page);
    assert.equal(page.from, from);
    pages.push(...lines(page));
    if (page.to === page.last) {
      break;
    }
    from = page.to + 1;
  }
  assert.deepEqual(pages, lines(current.store.ledger(ALL)));
  assert.deepEqual(lines(current.store.ledger({ from: 100, maxRanges: 10 })), []);
});

test('a store from before there was a ledger says what it does not know', () => {
  const old = join(folder.path, 'old.db');
  const { database } = openDatabase(old, OUTBOX_MIGRATIONS.slice(0, 1));
  database.exec("INSERT INTO store VALUES (1, 'old store', 0, 0)");
  database.exec('INSERT INTO usage VALUES (1, 2, 8)');
  const insert = database.prepare("INSERT INTO message VALUES (?, 1, 'a', 'text', 0, 0, 0, NULL, 0, 0, 'b')");
  [4, 5, 9].forEach((sequence) => insert.run(sequence));
  database.exec("UPDATE sqlite_sequence SET seq = 12 WHERE name = 'message'");
  database.close();
  const migrated = openStore(old, clock);
  const report = migrated.store.ledger(ALL);
  migrated.database.close();
  assertComplete(report);
  assert.equal(report.store, 'old store');
  assert.deepEqual(lines(report), [
    '1-3 unrecorded',
    '4-5 pending',
    '6-8 unrecorded',
    '9-9 pending',
    '10-12 unrecorded',
  ]);
});

test('an old store that delivered everything, and one that took nothing, are brought over', () => {
  for (const [name, last] of [
    ['done', 7],
    ['new', 0],
  ] as const) {
    const old = join(folder.path, `${name}.db`);
    const { database } = openDatabase(old, OUTBOX_MIGRATIONS.slice(0, 1));
    if (last > 0) {
      database.exec(`INSERT INTO sqlite_sequence VALUES ('message', ${last})`);
    }
    database.close();
    const migrated = openStore(old, clock);
    assert.deepEqual(lines(migrated.store.ledger(ALL)), last > 0 ? ['1-7 unrecorded'] : []);
    migrated.database.close();
  }
});

const FATES = ['delivered', 'expired', 'evicted', 'rejected', 'corrupt'] as const;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 8 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      fate: fc.constantFrom(...FATES),
      connection: fc.constantFrom('cloud', 'web'),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('requeue' as const),
      picks: fc.array(fc.nat(), { maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

test('stays complete and right through any history, as a list with one entry a message has it', () => {
  let store = 0;
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom({ most: 6, keep: 3 }, { most: 10_000, keep: 9000 }),
      (steps, ledgerLimit) => {
        current.database.close();
        path = join(folder.path, `${store++}.db`);
        current = openStore(path, clock, { ledgerLimit });
        // The oracle: the fate of each message, in a plain list.
        const fates: string[] = [];
        const pick = (picks: number[], fate: string): number[] => {
          const all = fates.flatMap((known, index) => (known === fate ? [index + 1] : []));
          return all.length === 0 ? [] : [...new Set(picks.map((at) => all[at % all.length]))];
        };
        for (const action of steps) {
          if (action.kind === 'append') {
            append(action.count);
            fates.push(...Array.from({ length: action.count }, () => 'pending'));
          } else if (action.kind === 'settle') {
            const chosen = pick(action.picks, 'pending');
            const { fate, connection } = action;
            current.store.settle(fate === 'delivered' ? delivered(chosen, connection) : ended(fate, chosen));
            chosen.forEach((at) => (fates[at - 1] = fate === 'delivered' ? `delivered ${connection}` : fate));
          } else if (action.kind === 'requeue') {
            const chosen = pick(action.picks, 'rejected');
            const { sequences } = current.store.requeue({ sequences: chosen, after: 0, maxRows: 100 });
            assert.deepEqual(sequences.sort(), [...chosen].sort());
            chosen.forEach((at) => (fates[at - 1] = 'pending'));
          } else {
            reopen({ ledgerLimit });
          }
        }
        const report = current.store.ledger({ maxRanges: 100_000 });
        assertComplete(report);
        assert.equal(report.to, fates.length);
        for (const { from, to, fate, connection, counts } of report.ranges) {
          const here = fates.slice(from - 1, to);
          if (counts) {
            assert.equal(counts.pending, here.filter((known) => known === 'pending').length);
            assert.equal(
              new Map(Object.entries(counts.delivered)).get('web') ?? 0,
              here.filter((known) => known === 'delivered web').length,
            );
            assert.equal(counts.rejected, here.filter((known) => known === 'rejected').length);
          } else {
            const expected = connection === undefined ? fate : `${fate} ${connection}`;
            assert.ok(here.every((known) => known === expected));
          }
        }
        report.ranges.slice(1).forEach((range, index) => {
          const before = report.ranges[index];
          assert.ok(
            before.fate !== range.fate || before.connection !== range.connection,
            'neighbours are alike and not merged',
          );
        });
        assert.equal(current.store.usage().messages, report.counts.pending);
        assert.equal(current.store.usage().deadLetters.messages, report.counts.rejected);
      },
    ),
    { numRuns: 60 },
  );
});
