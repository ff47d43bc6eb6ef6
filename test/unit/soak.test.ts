import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultsOf, type Account } from '../soak/oracle';
import { FAULTS, scheduleOf } from '../soak/schedule';
import { trendOf } from '../soak/trend';
import { judgeTrends, type Sample } from '../soak/watch';

const GOOD: Account = {
  accepted: 98,
  received: 97,
  duplicates: 4,
  overtaken: 0,
  changed: 0,
  sequences: 100,
  delivered: 97,
  dropped: 3,
  pending: 0,
  summarised: 0,
  lost: 0,
  missing: 3,
  stores: 1,
};

test('an account with every message delivered or dropped by the ledger has no fault, and each flaw is one', () => {
  assert.deepEqual(faultsOf(GOOD), []);
  const flaws: Partial<Account>[] = [
    { lost: 1 },
    { missing: 4 },
    { changed: 1 },
    { overtaken: 1 },
    { pending: 1, delivered: 96 },
    { sequences: 101 },
    { stores: 2 },
  ];
  for (const flaw of flaws) {
    assert.equal(faultsOf({ ...GOOD, ...flaw }).length, 1, JSON.stringify(flaw));
  }
});

test('a trend finds the slope in spite of a fifth of wild values', () => {
  const samples = Array.from({ length: 100 }, (_, n) => ({
    at: n * 10,
    value: n % 5 === 0 ? 1e6 : 300 + n * 0.1,
  }));
  assert.ok(Math.abs(trendOf(samples).perHour - 36) < 2, String(trendOf(samples).perHour));
});

function life(minutes: number, megabytesPerHour: number): Sample[] {
  return Array.from({ length: minutes * 6 }, (_, n) => ({
    at: n * 10,
    life: 0,
    megabytes: { gateway: 300 + (megabytesPerHour * n) / 360 },
    descriptors: { gateway: 50 },
    handles: 20,
    dataMegabytes: 7,
    queue: n % 50,
    oldestSeconds: 1,
    received: n,
  }));
}

test('what grows in an hour fails, what does not passes, and ten minutes are no proof', () => {
  const verdictOf = (samples: Sample[]): string =>
    judgeTrends(samples).find(({ what }) => what.includes('memory'))?.verdict ?? '';
  assert.equal(verdictOf(life(60, 100)), 'fail');
  assert.equal(verdictOf(life(60, 5)), 'pass');
  assert.equal(verdictOf(life(10, 100)), 'too short to judge');
});

test('an hour has every fault several times, kills in its first quarter only, the same for one seed', () => {
  const planned = scheduleOf(60, 7);
  for (const kind of FAULTS) {
    const least = kind === 'gateway killed' ? 2 : 4;
    assert.ok(planned.filter((fault) => fault.kind === kind).length >= least, kind);
  }
  assert.ok(planned.every(({ kind, at }) => kind !== 'gateway killed' || at < 900));
  assert.ok(planned.every(({ at, seconds }, n) => at + seconds < (planned.at(n + 1)?.at ?? 3540)));
  assert.deepEqual(scheduleOf(60, 7), planned);
});
