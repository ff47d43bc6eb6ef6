import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTimestamp } from '../../../nodes/sensor-ingest/rows/timestamp';
import { bench, NOON } from './support';

test('seconds, milliseconds, microseconds and nanoseconds are told apart, as numbers and as texts', () => {
  const instant = 1_769_860_800_123;
  const forms = [
    [instant / 1000, 1_769_860_800_123],
    [instant, instant],
    [instant * 1000 + 456, instant],
    [1_769_860_800_123_456_789n, instant],
    ['1769860800', 1_769_860_800_000],
    ['1769860800123', instant],
    [' 1769860800123456 ', instant],
    ['1769860800123456789', instant],
    [new Date(instant), instant],
  ];
  for (const [form, expected] of forms) {
    assert.equal(parseTimestamp(form, 'ts'), expected, String(form));
  }
});

test('any instant from 1974 to 2250 comes back from each unit and from ISO 8601', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1.3e11, max: 8.8e12 }), (ms) => {
      assert.equal(parseTimestamp(ms, 'ts'), ms);
      assert.equal(parseTimestamp(ms * 1000, 'ts'), ms);
      assert.equal(parseTimestamp(ms / 1000, 'ts'), ms);
      assert.equal(parseTimestamp(Math.floor(ms / 1000), 'ts'), Math.floor(ms / 1000) * 1000);
      assert.equal(parseTimestamp(new Date(ms).toISOString(), 'ts'), ms);
    }),
  );
});

test('ISO 8601 is read in its usual forms; without a zone it is UTC', () => {
  const expected: [string, string][] = [
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31 12:00', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T12:00:00.123456789+02:00', '2026-01-31T10:00:00.123Z'],
    ['2026-01-31T12:00:00,5-0530', '2026-01-31T17:30:00.500Z'],
    ['2024-02-29T23:59:60Z', '2024-03-01T00:00:00.000Z'],
  ];
  for (const [text, iso] of expected) {
    assert.equal(new Date(parseTimestamp(text, 'ts')).toISOString(), iso);
  }
});

test('what is no event time is refused, and an absent one is the arrival time', () => {
  const { take, refusal } = bench();
  const bad = [
    0,
    12,
    -1,
    99_999_999,
    1e20,
    NaN,
    Infinity,
    '',
    'yesterday',
    '2026-02-30',
    '2026-13-01T00:00:00Z',
  ];
  for (const ts of [...bad, '2026-01-31T24:00:00Z', '31.01.2026', null, true, {}, []]) {
    const { code, message } = refusal({ ts, temp: 1 });
    assert.equal(code, 'TIMESTAMP', JSON.stringify(ts));
    assert.match(message, /"ts"/);
  }
  assert.equal(take({ temp: 1 })[0].reading.ts, NOON);
  assert.equal(bench({ timestamp: '' }).take({ ts: 12, temp: 1 })[0].payload.ts, 12);
  const [{ reading, payload }] = bench({ timestamp: 'meta.at' }).take({ meta: { at: NOON - 5 }, temp: 1 });
  assert.equal(reading.ts, NOON - 5);
  assert.deepEqual(payload, { temp: 1 });
});
