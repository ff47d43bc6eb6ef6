import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Outcome } from '../../../nodes/sensor-ingest/acceptance';
import { SwingingDoor } from '../../../nodes/sensor-ingest/reduce/swinging-door';
import { absoluteTolerance } from '../../../nodes/sensor-ingest/reduce/tolerance';
import { ValueBudget } from '../../../nodes/sensor-ingest/value-budget';
import { SeededRandom } from '../../../nodes/shared/random';
import { bench, NOON } from './support';

const reduced = (outcomes: readonly Outcome[]): Outcome[] => outcomes.filter(({ reduction }) => reduction);

interface Sample {
  gap: number;
  a: number;
  b: number;
}

const series = fc.array(
  fc.record({
    gap: fc.integer({ min: 1, max: 5000 }),
    a: fc.oneof(fc.double({ min: -100, max: 100, noNaN: true }), fc.integer({ min: -2, max: 2 })),
    b: fc.double({ min: -3, max: 3, noNaN: true }),
  }),
  { minLength: 1, maxLength: 120 },
);

function run(
  properties: object,
  samples: Sample[],
): { input: { ts: number; a: number; b: number }[]; kept: Outcome[] } {
  const { take } = bench({ futureLimit: 1e6, dedupe: 0, ...properties });
  let ts = NOON;
  const input = samples.map(({ gap, a, b }) => ({ ts: (ts += gap), a, b }));
  return { input, kept: input.flatMap((row) => reduced(take(row))) };
}

test('deadband: whoever holds the last value sent is within the tolerance at every sample', () => {
  fc.assert(
    fc.property(series, fc.double({ min: 0, max: 50, noNaN: true }), (samples, tolerance) => {
      const { input, kept } = run({ reduce: 'deadband', tolerance }, samples);
      let next = 0;
      let largest = 0;
      for (const row of input) {
        while (next < kept.length && kept[next].reading.ts <= row.ts) {
          next++;
        }
        const { payload } = kept[next - 1];
        largest = Math.max(largest, Math.abs(payload.a - row.a), Math.abs(payload.b - row.b));
      }
      assert.equal(next, kept.length);
      assert.ok(largest <= tolerance, `${largest} > ${tolerance}`);
      const last = kept.at(-1)?.reduction;
      assert.ok(last && last.maxError <= largest);
      assert.equal(last.pointsOut, kept.length);
    }),
  );
});

test('swinging door: the line between the points sent is within the tolerance at every sample', () => {
  fc.assert(
    fc.property(series, fc.double({ min: 0, max: 50, noNaN: true }), (samples, tolerance) => {
      const { input, kept } = run({ reduce: 'swinging-door', tolerance, heartbeat: 60 }, samples);
      for (let i = 1; i < kept.length; i++) {
        const [from, to] = [kept[i - 1], kept[i]];
        for (const row of input.filter(({ ts }) => ts >= from.reading.ts && ts <= to.reading.ts)) {
          const share = (row.ts - from.reading.ts) / (to.reading.ts - from.reading.ts);
          for (const name of ['a', 'b'] as const) {
            const line = from.payload[name] + share * (to.payload[name] - from.payload[name]);
            assert.ok(Math.abs(line - row[name]) <= tolerance * (1 + 1e-12) + 1e-12);
          }
        }
      }
      assert.ok((kept.at(-1)?.reduction?.maxError ?? 0) <= tolerance);
      assert.equal(kept[0].reading.ts, input[0].ts);
    }),
  );
});

test('a constant takes one point a heartbeat, and noise within the tolerance none in between', () => {
  const random = new SeededRandom(3);
  const noisy = Array.from({ length: 600 }, () => ({ gap: 1000, a: random.next(), b: 0 }));
  for (const reduce of ['deadband', 'swinging-door']) {
    const { kept } = run({ reduce, tolerance: 1.01, heartbeat: 60 }, noisy);
    assert.ok(kept.length <= 11, `${reduce}: ${kept.length} points in ten minutes`);
  }
});

test('a run ends at the last reading whose line fits, not before the first whose line does not', () => {
  const gaps = [0, 0.9, 0, 0.9, 0, 0.9, 0, 30, 30].map((a) => ({ gap: 1000, a, b: 0 }));
  const { kept } = run({ reduce: 'swinging-door', tolerance: 1, heartbeat: 0 }, gaps);
  assert.deepEqual(
    kept.map(({ payload }) => payload.a),
    [0, 0, 30],
  );
});

test('swinging door of a percentage: features without a span are within a share of what stands for them', () => {
  const channels = [{ name: 'x', min: -50, max: 50 }];
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -40, max: 40, noNaN: true }), { minLength: 5, maxLength: 80 }),
      fc.double({ min: 0, max: 150, noNaN: true }),
      (values, tolerance) => {
        const { take } = bench({
          channels,
          window: 'count',
          windowSize: 1,
          features: ['mean', 'crest'],
          reduce: 'swinging-door',
          tolerance,
          toleranceType: 'percent',
          heartbeat: 0,
          timestamp: 'ts',
        });
        const outcomes = values.flatMap((x, i) => take({ ts: NOON + i * 1000, x }));
        const all = outcomes.filter(({ reduction }) => !reduction);
        const kept = reduced(outcomes);
        for (let i = 1; i < kept.length; i++) {
          const [from, to] = [kept[i - 1], kept[i]];
          for (const { reading, payload } of all) {
            const share = (reading.ts - from.reading.ts) / (to.reading.ts - from.reading.ts);
            if (share < 0 || share > 1) {
              continue;
            }
            for (const name of ['x.mean', 'x.crest']) {
              const line = from.payload[name] + share * (to.payload[name] - from.payload[name]);
              const error = Math.abs(line - payload[name]);
              const unit = name === 'x.mean' ? 1 : Math.abs(line) / 100;
              assert.ok(error <= tolerance * unit * (1 + 1e-12) + 1e-12, `${name}: ${error}`);
            }
          }
        }
      },
    ),
  );
});

test('a straight line needs its two ends, a constant one point a heartbeat', () => {
  const line = Array.from({ length: 100 }, () => ({ gap: 1000, a: 0, b: 0 })).map((s, i) => ({
    ...s,
    a: i * 2,
  }));
  assert.equal(run({ reduce: 'swinging-door', tolerance: 0.001, heartbeat: 0 }, line).kept.length, 1);
  const turn = [...line, { gap: 1000, a: 0, b: 0 }, { gap: 1000, a: 0, b: 0 }];
  const { kept } = run({ reduce: 'swinging-door', tolerance: 0.001, heartbeat: 0 }, turn);
  assert.deepEqual(
    kept.map(({ payload }) => payload.a),
    [0, 198, 0],
  );
  const steady = Array.from({ length: 100 }, () => ({ gap: 1000, a: 7, b: 0 }));
  for (const reduce of ['deadband', 'swinging-door']) {
    const times = run({ reduce, tolerance: 1, heartbeat: 20 }, steady).kept.map(({ reading }) => reading.ts);
    const gaps = times.slice(1).map((ts, i) => ts - times[i]);
    assert.ok(gaps.length >= 4 && gaps.every((gap) => gap <= 20_000), `${reduce}: ${gaps.join()}`);
  }
});

test('percent is of the span of the channel, and maxError is measured in the same unit', () => {
  const channels = [{ name: 'a', min: 0, max: 200 }];
  const { take } = bench({
    channels,
    reduce: 'deadband',
    tolerance: 1,
    toleranceType: 'percent',
    timestamp: '',
  });
  const kept = [100, 102, 98, 101.5, 102.1, 104].map((a) => reduced(take({ a })));
  assert.deepEqual(
    kept.map((outcomes) => outcomes.length),
    [1, 0, 0, 0, 1, 0],
  );
  assert.equal(kept[4][0].reduction?.maxError, 1);
  assert.equal(kept[4][0].reduction.pointsIn, 5);
  assert.equal(kept[4][0].reduction.bytesIn, '{"a":100}{"a":102}{"a":98}{"a":101.5}{"a":102.1}'.length);
  assert.equal(kept[4][0].reduction.bytesOut, '{"a":100}{"a":102.1}'.length);
  const dimensionless = bench({
    channels,
    window: 'count',
    windowSize: 1,
    features: ['mean', 'kurtosis'],
    reduce: 'deadband',
    tolerance: 1,
    toleranceType: 'percent',
  });
  assert.equal([50, 51.9, 52.1].flatMap((a) => reduced(dimensionless.take({ a }))).length, 2);
});

test('a change of quality passes, late data passes and changes nothing, channels that come or go pass', () => {
  for (const reduce of ['deadband', 'swinging-door']) {
    const { take } = bench({ reduce, tolerance: 10, heartbeat: 0, lateness: 10 });
    const sends = (offset: number, payload: object): number =>
      reduced(take({ ts: NOON + offset, ...payload })).filter(({ reading }) => reading.ts === NOON + offset)
        .length;
    assert.equal(sends(0, { a: 1 }), 1);
    assert.equal(sends(1000, { a: 2 }), 0);
    assert.equal(sends(500, { a: 3 }), 1, 'late');
    assert.equal(sends(2000, { a: 2 }), 0);
    assert.equal(sends(1e9, { a: 2 }), 1, 'uncertain');
    assert.equal(sends(3000, { a: 2 }), 1, 'good again');
    assert.equal(sends(4000, { a: 2, b: 0 }), 1, 'a channel came');
    assert.equal(sends(5000, { a: 2 }), 1, 'a channel went');
    assert.equal(sends(6000, { a: 2.5 }), 0);
  }
});

test('what follows a kept reading cannot change it', () => {
  const { take } = bench({ reduce: 'deadband', tolerance: 1, timestamp: '' });
  const outcomes = take({ a: 5 });
  outcomes.forEach(({ payload }) => (payload.a = 1000));
  assert.equal(reduced(take({ a: 5.5 })).length, 0);
});

test('arrival times that go back with the clock do not stop the heartbeat', () => {
  const { take, clock } = bench({ reduce: 'deadband', tolerance: 1, heartbeat: 10 });
  take({ a: 1 });
  clock.advance(-3_600_000);
  assert.equal(reduced(take({ a: 1 })).length, 1);
  clock.advance(9000);
  assert.equal(reduced(take({ a: 1 })).length, 0);
  clock.advance(1000);
  assert.equal(reduced(take({ a: 1 })).length, 1);
});

test('runs are cut where the readings held for all sources would fill the memory', () => {
  const budget = new ValueBudget(400);
  const options = { kind: 'swinging-door', tolerance: absoluteTolerance(1), heartbeatMs: 0 } as const;
  const doors = Array.from({ length: 50 }, () => new SwingingDoor(options, budget));
  let points = 0;
  for (let i = 0; i < 1000; i++) {
    for (const door of doors) {
      const reading = { id: '', source: '', ts: NOON + i, seq: i, quality: 'good' } as const;
      points += door.push({ payload: { v: 5 }, reading, late: false }).length;
    }
  }
  assert.ok(budget.held <= 400);
  assert.ok(points <= (50 * 1000) / 7 && points > 50 * 4, `${points} points`);
});
