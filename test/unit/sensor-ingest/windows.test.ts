import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Window } from '../../../nodes/shared/messages';
import { claim } from '../../../nodes/sensor-ingest/features/window';
import { ValueBudget } from '../../../nodes/sensor-ingest/value-budget';
import { bench, NOON } from './support';

test('window i of count windows covers the rows i·step to i·step+size−1, for every size, step and stream', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 150 }),
      (size, wanted, values) => {
        const step = Math.min(size, wanted);
        const { take } = bench({
          window: 'count',
          windowSize: size,
          windowStep: step,
          features: ['min', 'max', 'mean'],
        });
        const sent = values.flatMap((v, i) => take({ v, ts: NOON + i }));
        const expected: { min: number; max: number; mean: number; window: Window }[] = [];
        for (let start = 0; start + size <= values.length; start += step) {
          const rows = values.slice(start, start + size);
          expected.push({
            min: Math.min(...rows),
            max: Math.max(...rows),
            mean: rows.reduce((a, b) => a + b, 0) / size,
            window: { start: NOON + start, end: NOON + start + size - 1, count: size },
          });
        }
        assert.equal(sent.length, expected.length);
        sent.forEach(({ payload, reading }, i) => {
          assert.equal(payload['v.min'], expected[i].min);
          assert.equal(payload['v.max'], expected[i].max);
          assert.ok(Math.abs(payload['v.mean'] - expected[i].mean) < 1e-9);
          assert.deepEqual(reading.window, expected[i].window);
          assert.equal(reading.seq, i);
          assert.equal(reading.ts, expected[i].window.end);
        });
      },
    ),
  );
});

test('a window step that is empty or 0 makes windows follow one another', () => {
  for (const windowStep of ['', 0, undefined]) {
    const { take } = bench({ window: 'count', windowSize: 3, windowStep });
    assert.equal([1, 2, 3, 4, 5, 6].flatMap((v) => take(v)).length, 2);
  }
});

test('a channel that some rows lack has features of those that have it, and no spectrum', () => {
  const { take } = bench({
    window: 'count',
    windowSize: 4,
    windowStep: 2,
    sampleRate: 10,
    features: ['mean', 'dominantFrequency'],
  });
  const rows = [{ a: 1 }, { a: 2, b: 10 }, { a: 3 }, { a: 6, b: 20 }, { a: 1 }, { a: 1 }, { a: 1 }, { a: 1 }];
  const windows = rows.flatMap((row) => take(row)).map(({ payload }) => payload);
  assert.equal(windows.length, 3);
  assert.equal(windows[0]['a.mean'], 3);
  assert.equal(windows[0]['b.mean'], 15);
  assert.deepEqual(
    windows.map((window) => Object.keys(window).sort().join()),
    ['a.dominantFrequency,a.mean,b.mean', 'a.dominantFrequency,a.mean,b.mean', 'a.dominantFrequency,a.mean'],
  );
  assert.equal(windows[1]['b.mean'], 20);
});

test('sources have windows of their own, and uncertain readings move none', () => {
  const { take } = bench({ window: 'count', windowSize: 2, features: ['mean'], lateness: 1 });
  assert.equal(take({ ts: NOON, v: 1 }, 'a').length, 0);
  assert.equal(take({ ts: NOON, v: 5 }, 'b').length, 0);
  const [future] = take({ ts: NOON + 1e9, v: 99 }, 'a');
  assert.equal(future.reading.quality, 'uncertain');
  assert.deepEqual(future.payload, { v: 99 });
  assert.equal(take({ ts: NOON - 5000, v: 98 }, 'a')[0].reading.quality, 'uncertain');
  assert.equal(take({ ts: NOON + 10, v: 3 }, 'a')[0].payload['v.mean'], 2);
});

test('time windows hold the rows of [k·step, k·step+size), in any order within the lateness', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
      fc.array(
        fc.record({ gap: fc.integer({ min: 0, max: 2500 }), delay: fc.integer({ min: 0, max: 3000 }) }),
        {
          maxLength: 60,
        },
      ),
      (size, wanted, steps) => {
        const step = Math.min(size, wanted);
        const { take } = bench({
          window: 'time',
          windowSize: size,
          windowStep: step,
          lateness: 3,
          futureLimit: 1e6,
          dedupe: 0,
          features: ['mean', 'max'],
        });
        let ts = NOON - 1e6;
        const rows = steps.map(({ gap, delay }, v) => ({ ts: (ts += gap), at: ts + delay, v }));
        const arrivals = [...rows].sort((a, b) => a.at - b.at);
        // A last event far ahead completes every window.
        const sent = [...arrivals, { ts: NOON + 5e5, v: -1 }].flatMap((row) =>
          take({ ts: row.ts, v: row.v }),
        );
        const expected = new Map<number, number[]>();
        for (const row of rows) {
          const last = Math.floor(row.ts / (step * 1000)) * step * 1000;
          for (let start = last; start > row.ts - size * 1000; start -= step * 1000) {
            expected.set(start, [...(expected.get(start) ?? []), row.v]);
          }
        }
        const starts = [...expected.keys()].sort((a, b) => a - b);
        assert.deepEqual(
          sent.map(({ reading }) => reading.window),
          starts.map((start) => ({ start, end: start + size * 1000, count: expected.get(start)?.length })),
        );
        sent.forEach(({ payload }, i) =>
          assert.equal(payload['v.max'], Math.max(...(expected.get(starts[i]) ?? []))),
        );
        assert.equal(new Set(sent.map(({ reading }) => reading.id)).size, sent.length);
      },
    ),
  );
});

test('a time window is sent when the newest event is past its end by the lateness, and not before', () => {
  const { take } = bench({
    window: 'time',
    windowSize: 10,
    lateness: 5,
    futureLimit: 1000,
    features: ['mean'],
  });
  const at = (seconds: number, v: number): number[] =>
    take({ ts: NOON + seconds * 1000, v }).map(({ payload }) => payload['v.mean']);
  assert.deepEqual([at(1, 10), at(9, 20), at(14.9, 50), at(9.95, 30)], [[], [], [], []]);
  assert.deepEqual(at(15, 60), [20]);
  assert.deepEqual(at(40, 0), [55]);
});

test('a gap of years in event time costs no more than a gap of seconds', () => {
  const { take, clock } = bench({ window: 'time', windowSize: 1, windowStep: 0.001, features: ['mean'] });
  take({ ts: NOON - 10 * 365 * 86_400_000, v: 1 });
  const before = clock.now();
  assert.equal(take({ ts: NOON, v: 2 }).length, 1000);
  assert.equal(clock.now(), before);
});

test('late rows cost no more the more newer ones are held', () => {
  const { take } = bench({ window: 'time', windowSize: 60, dedupe: 0 });
  const batch = (offset: number): object[] =>
    Array.from({ length: 10_000 }, (_, v) => ({ ts: NOON + offset, v }));
  for (let i = 0; i < 20; i++) {
    take(batch(30_000));
  }
  const started = performance.now();
  take(batch(20_000));
  assert.ok(performance.now() - started < 1000);
});

test('what cannot be held is refused, and neither rows nor memory leak', () => {
  const budget = new ValueBudget(100);
  claim(budget, 90);
  assert.throws(() => claim(budget, 11), { code: 'TOO_LARGE' });
  budget.give(90);
  claim(budget, 100);
  const { take, refusal } = bench({ window: 'count', windowSize: 100_000, maxChannels: 3 });
  take({ a: 1, b: 1 });
  assert.equal(refusal({ c: 1, d: 1 }).code, 'TOO_LARGE');
  assert.equal(refusal({ a: 1e200 }).code, 'NOT_FINITE');
});
