import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Outcome } from '../../../nodes/sensor-ingest/acceptance';
import type { Point } from '../../../nodes/sensor-ingest/reduce/reducer';
import { SwingingDoor } from '../../../nodes/sensor-ingest/reduce/swinging-door';
import {
  absoluteTolerance,
  percentTolerance,
  type Tolerance,
} from '../../../nodes/sensor-ingest/reduce/tolerance';
import { ValueBudget } from '../../../nodes/sensor-ingest/value-budget';
import { bench, NOON } from './support';

interface Sample {
  gap: number;
  value: number;
}

function largestError(tolerance: Tolerance, samples: Sample[]): { measured: number; said: number } {
  const door = new SwingingDoor({ kind: 'swinging-door', tolerance, heartbeatMs: 0 }, new ValueBudget(1e6));
  let ts = NOON;
  const input = samples.map(({ gap, value }, seq): Point => {
    const reading = { id: String(seq), source: '', ts: (ts += gap), seq, quality: 'good' } as const;
    return { payload: { v: value }, reading, late: false };
  });
  const sent = [...input.flatMap((point) => door.push(point)), ...door.flush()];
  assert.equal(sent.at(-1)?.reading.id, input.at(-1)?.reading.id, 'a flush leaves nothing held');
  let measured = 0;
  let next = 0;
  for (const { payload, reading } of input) {
    if (sent[next].reading.id === reading.id) {
      next++;
      continue;
    }
    const [from, to] = [sent[next - 1], sent[next]];
    const share = (reading.ts - from.reading.ts) / (to.reading.ts - from.reading.ts);
    const line = from.payload.v + share * (to.payload.v - from.payload.v);
    measured = Math.max(measured, tolerance.error('v', payload.v, line));
  }
  return { measured, said: door.maxError };
}

test('the bound of the swinging door holds for values of any magnitude and tolerances of any size', () => {
  const magnitudes = fc.constantFrom(5e-324, 1e-300, 1e-9, 1, 1e6, 1e300, 1.7e308);
  const limits = fc.constantFrom(0, 5e-324, 1e-300, 1e-9, 0.5, 5, 100, 200, 1e6);
  fc.assert(
    fc.property(
      magnitudes,
      limits,
      fc.boolean(),
      fc.array(
        fc.record({
          gap: fc.integer({ min: 1, max: 9 }),
          value: fc.oneof(fc.double({ min: -1, max: 1, noNaN: true }), fc.constantFrom(0, 1, -1)),
        }),
        { minLength: 3, maxLength: 60 },
      ),
      (magnitude, limit, percent, shape) => {
        const tolerance = percent ? percentTolerance(limit, [], []) : absoluteTolerance(limit);
        const samples = shape.map(({ gap, value }) => ({ gap, value: value * magnitude }));
        const { measured, said } = largestError(tolerance, samples);
        assert.ok(measured <= limit * (1 + 1e-12), `${measured} > ${limit}`);
        assert.ok(Math.abs(measured - said) <= 1e-9 * measured, `measured ${measured}, said ${said}`);
      },
    ),
    { numRuns: 2000 },
  );
});

test('what the swinging door holds leaves before the reading whose quality ends the run', () => {
  const { take } = bench({ reduce: 'swinging-door', tolerance: 10, heartbeat: 0 });
  const times = (outcomes: Outcome[]): number[] =>
    outcomes.flatMap(({ reduction, reading }) => (reduction ? [reading.ts - NOON] : []));
  assert.deepEqual(times(take({ ts: NOON, a: 1 })), [0]);
  assert.deepEqual(times(take({ ts: NOON + 1000, a: 2 })), []);
  assert.deepEqual(times(take({ ts: NOON + 9e5, a: 2 })), [1000, 9e5], 'ahead of the clock: uncertain');
  assert.deepEqual(times(take({ ts: NOON + 2000, a: 2 })), [2000]);
});

test('readings that are too late pass and change nothing, although their quality is uncertain', () => {
  for (const reduce of ['deadband', 'swinging-door']) {
    const { take } = bench({ reduce, tolerance: 10, heartbeat: 0, lateness: 1 });
    const points = (offset: number): number =>
      take({ ts: NOON + offset, a: 1 }).filter(({ reduction }) => reduction).length;
    assert.equal(points(10_000), 1);
    assert.equal(points(11_000), 0);
    assert.equal(points(0), 1, 'too late');
    assert.equal(points(12_000), 0, `${reduce} goes on as before`);
  }
});

test('sources with many channels that find no room are not reduced, rather than filling the memory', () => {
  const options = { kind: 'swinging-door', tolerance: absoluteTolerance(1), heartbeatMs: 0 } as const;
  const wide = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`c${i}`, 0]));
  const pushed = (budget: ValueBudget): number[] => {
    const door = new SwingingDoor(options, budget);
    return [0, 1, 2, 3].map((seq) => {
      const reading = { id: String(seq), source: '', ts: NOON + seq, seq, quality: 'good' } as const;
      return door.push({ payload: wide, reading, late: false }).length;
    });
  };
  const budget = new ValueBudget(1000);
  assert.deepEqual(pushed(budget), [1, 0, 0, 0]);
  assert.deepEqual(pushed(budget), [1, 1, 1, 1]);
  assert.ok(budget.held <= 1000);
});
