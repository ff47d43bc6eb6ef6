import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecentIds } from '../../../nodes/sensor-ingest/rows/recent-ids';
import { bench, NOON } from './support';

test('the channels table picks, renames, converts and range-checks', () => {
  const channels = [
    { name: 'temperature', path: 'data.t', scale: 0.1, offset: -40, unit: '°C', min: -20, max: 80 },
    { name: 'running', path: 'on' },
    { path: 'a.b' },
  ];
  const { take, refusal } = bench({ channels });
  assert.deepEqual(take({ data: { t: 600 }, on: true, other: 7 })[0].payload, {
    temperature: 20,
    running: 1,
  });
  assert.deepEqual(take({ 'a.b': 5, data: { t: null } })[0].payload, { 'a.b': 5 });
  const outside = refusal({ data: { t: 1300 } });
  assert.equal(outside.code, 'RANGE');
  assert.match(outside.message, /"temperature" is 90 °C, outside its range of -20 to 80/);
  assert.equal(refusal({ data: { t: '21' } }).code, 'NOT_FINITE');
  assert.equal(refusal({ data: { t: -Infinity } }).code, 'NOT_FINITE');
  assert.equal(refusal({ other: 1 }).code, 'NO_CHANNELS');
  assert.equal(refusal({ toString: 1 }).code, 'NO_CHANNELS');
  assert.deepEqual(bench({ channels: [{ name: 'x', path: '1' }] }).take([7, 8])[0].payload, { x: 8 });
  assert.deepEqual(bench({ channels: [{ name: 'x', path: 'value' }] }).take(8)[0].payload, { x: 8 });
});

test('without a table every number is a channel but time, id and source; nothing numeric is refused', () => {
  const { take, refusal } = bench({ idPath: 'meta.id', sourceId: 'payload.machine' });
  const [{ payload, reading }] = take({
    ts: NOON,
    meta: { id: 7, line: 2 },
    machine: 12,
    temp: 5,
    text: '3',
    flag: true,
    none: null,
    blob: Buffer.from('ab'),
  });
  assert.deepEqual(payload, { 'meta.line': 2, temp: 5 });
  assert.equal(reading.source, '12');
  assert.equal(reading.id, '7');
  for (const empty of [{}, { machine: 1, ts: NOON }, { machine: 1, text: 'a' }]) {
    assert.match(refusal(empty).code, /NO_CHANNELS|DECODE/);
  }
  assert.equal(bench().refusal([]).code, 'NO_CHANNELS');
  assert.equal(bench().refusal([{}]).code, 'NO_CHANNELS');
  assert.equal(bench().refusal({ temp: NaN }).code, 'NOT_FINITE');
  assert.equal(bench().refusal('{"temp":1e999}').code, 'NOT_FINITE');
});

test('names such as __proto__ are data', () => {
  const { take } = bench();
  const [{ payload }] = take('{"__proto__":1,"constructor":2,"hasOwnProperty":3,"a":{"__proto__":{"x":4}}}');
  assert.deepEqual(Object.entries(payload).sort(), [
    ['__proto__', 1],
    ['a.__proto__.x', 4],
    ['constructor', 2],
    ['hasOwnProperty', 3],
  ]);
  assert.equal(Object.getPrototypeOf(payload), Object.prototype);
  assert.equal(({} as { x?: number }).x, undefined);
  const windowed = bench({ window: 'count', windowSize: 1, features: ['mean'], reduce: 'deadband' });
  const [{ payload: features }] = windowed.take('{"__proto__":1}', '__proto__');
  assert.deepEqual(Object.entries(features), [['__proto__.mean', 1]]);
});

test('a field named with dots wins over a nested one of the same path', () => {
  const { take } = bench();
  assert.deepEqual(take({ a: { b: 1 }, 'a.b': 2 })[0].payload, { 'a.b': 2 });
  assert.deepEqual(take({ 'a.b': 2, a: { b: 1 } })[0].payload, { 'a.b': 2 });
});

test('the source is the topic, a path in message or payload, or fixed', () => {
  const topic = 'plant1/cnc-07';
  assert.equal(bench().take({ v: 1 }, topic)[0].reading.source, topic);
  assert.equal(bench({ sourceId: 'payload.dev.id' }).take({ v: 1, dev: { id: 'a' } })[0].reading.source, 'a');
  assert.equal(bench({ sourceId: 'line 4', sourceIdType: 'str' }).take(1)[0].reading.source, 'line 4');
  const none = bench().pipeline.accept({ payload: 1 });
  assert.equal(none.outcomes[0].reading.source, '');
  assert.equal(bench({ sourceId: 'payload.dev' }).refusal({ v: 1 }).code, 'DECODE');
});

test('a repeated delivery has the same id and is refused; without event time it is a new reading', () => {
  const { take, refusal, clock } = bench();
  const [{ reading }] = take({ ts: NOON, temp: 5, part: 'A' });
  const duplicate = refusal('{"ts":1769860800000,"temp":5,"part":"A"}');
  assert.equal(duplicate.code, 'DUPLICATE');
  assert.equal(duplicate.details?.id, reading.id);
  assert.notEqual(take({ ts: NOON, temp: 5, part: 'B' })[0].reading.id, reading.id);
  assert.notEqual(take({ ts: NOON, temp: 5, part: 'A' }, 'm2')[0].reading.id, reading.id);
  assert.notEqual(take({ ts: NOON + 1, temp: 5, part: 'A' })[0].reading.id, reading.id);
  assert.equal(bench().take({ ts: NOON, temp: 5, part: 'A' })[0].reading.id, reading.id);
  const ids = [1, 2, 3].map(() => take({ temp: 5 })[0].reading.id);
  assert.equal(new Set(ids).size, 3);
  clock.advance(1);
  assert.equal(bench({ dedupe: 0 }).take({ ts: NOON, t: 1 }).length, 1);
});

test('the id of the sender is used where there is one', () => {
  const { take, refusal } = bench({ idPath: 'id' });
  assert.equal(take({ id: 'x-1', v: 1 })[0].reading.id, 'x-1');
  assert.equal(refusal({ id: 'x-1', v: 2 }).code, 'DUPLICATE');
  assert.equal(take({ id: 'x-1', v: 2 }, 'other')[0].reading.id, 'x-1');
  assert.equal(take({ v: 2 }).length, 1);
  assert.equal(refusal({ id: {}, v: 2 }).code, 'DECODE');
});

test('rows of a batch that have come before are refused, and the others are sent', () => {
  const { pipeline } = bench();
  const row = (ts: number): object => ({ ts, v: ts % 7 });
  pipeline.accept({ payload: [row(NOON), row(NOON + 1)] });
  const { outcomes, refused } = pipeline.accept({ payload: [row(NOON), row(NOON + 2), row(NOON + 2)] });
  assert.deepEqual(
    outcomes.map(({ reading }) => [reading.ts, reading.seq]),
    [[NOON + 2, 2]],
  );
  assert.equal(refused?.code, 'DUPLICATE');
  assert.deepEqual(refused.details?.rows, [0, 2]);
  assert.throws(() => pipeline.accept({ payload: [row(NOON), row(NOON + 1)] }), { code: 'DUPLICATE' });
});

test('the memory for ids keeps exactly the last ones, whatever comes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 70 }),
      fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 400 }),
      (capacity, stream) => {
        const recent = new RecentIds(capacity);
        let model: number[] = [];
        for (const value of stream) {
          // Few distinct low words, so that many ids share a slot of the table.
          const id = [value, value % 5] as const;
          assert.equal(recent.has(...id), model.includes(value));
          recent.add(...id);
          model = model.includes(value) ? model : [...model, value].slice(-capacity);
          assert.equal(recent.size, model.length);
        }
      },
    ),
  );
});

test('an id that is removed can come again, and no other is forgotten with it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.boolean()), { maxLength: 300 }),
      (stream) => {
        const recent = new RecentIds(1000);
        const model = new Set<number>();
        for (const [value, removed] of stream) {
          const id = [value, value % 5] as const;
          if (removed) {
            recent.remove(...id);
            model.delete(value);
          } else {
            recent.add(...id);
            model.add(value);
          }
          for (let known = 0; known <= 60; known++) {
            assert.equal(recent.has(known, known % 5), model.has(known));
          }
        }
      },
    ),
  );
});

test('late and future readings are uncertain and leave the newest event time alone', () => {
  const { take } = bench({ lateness: 10, futureLimit: 5 });
  const quality = (offset: number): string => take({ ts: NOON + offset, v: offset })[0].reading.quality;
  assert.equal(quality(0), 'good');
  assert.equal(quality(5000), 'good');
  assert.equal(quality(5001), 'uncertain');
  assert.equal(quality(1e9), 'uncertain');
  assert.equal(quality(-5000), 'good');
  assert.equal(quality(-5001), 'uncertain');
});

test('sources beyond the limit are refused, those that are known go on', () => {
  const { take, refusal, pipeline } = bench({ maxSources: 2, sourceId: 'payload.m' });
  take({ m: 'a', v: 1 });
  take({ m: 'b', v: 1 });
  assert.equal(refusal({ m: 'c', v: 1 }).code, 'SOURCE_LIMIT');
  assert.equal(take({ m: 'a', v: 2 })[0].reading.seq, 1);
  assert.equal(
    refusal([
      { m: 'a', v: 3 },
      { m: 'c', v: 1 },
    ]).code,
    'SOURCE_LIMIT',
  );
  assert.equal(take({ m: 'a', v: 3 })[0].reading.seq, 2);
  assert.equal(pipeline.sources.size, 2);
});

test('a clock that ran a day ahead, of the gateway and its sources, makes nothing late once it is set right', () => {
  const { take, clock } = bench({});
  const quality = (ahead: number): string | undefined =>
    take({ ts: clock.now() + ahead, v: 1 })[0]?.reading.quality;
  const day = 86_400_000;
  assert.equal(quality(0), 'good');
  clock.advance(day);
  assert.equal(quality(0), 'good');
  clock.advance(-day);
  clock.advance(1000);
  assert.equal(quality(0), 'good');
  assert.equal(quality(-1000 - 60_001), 'uncertain', 'lateness counts again');
});
