import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack } from 'msgpackr';
import { bench } from './support';

const floats = (...values: number[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => buffer.writeFloatLE(value, index * 4));
  return buffer;
};

test('auto passes what is decoded, and reads JSON from texts and Buffers', () => {
  const { take } = bench();
  const cases: [unknown, object][] = [
    [
      { temp: 21.5, motor: { rpm: 1500, load: { pct: 40 } } },
      { temp: 21.5, 'motor.rpm': 1500, 'motor.load.pct': 40 },
    ],
    ['{"temp":21.5}', { temp: 21.5 }],
    [Buffer.from(' \n{"temp":21.5}'), { temp: 21.5 }],
    [Buffer.from('\ufeff{"temp":1}'), { temp: 1 }],
    [Buffer.from('23.5'), { value: 23.5 }],
    ['-4', { value: -4 }],
    [7, { value: 7 }],
    [[1, 2, 3], { 0: 1, 1: 2, 2: 3 }],
    [Float64Array.of(4, 5), { 0: 4, 1: 5 }],
    ['[4,5]', { 0: 4, 1: 5 }],
  ];
  for (const [payload, expected] of cases) {
    const [{ payload: found, reading }] = take(payload);
    assert.deepEqual(found, expected);
    assert.equal(reading.source, 'm1');
  }
});

test('what auto cannot tell is refused and says what to do, never guessed', () => {
  const { refusal } = bench();
  for (const payload of [
    floats(1, 2, 3),
    Buffer.from([0xff, 0xfe, 0]),
    'hello',
    '',
    'NaN',
    '{"temp":',
    'ts,temp\n1,2',
  ]) {
    const { code, message } = refusal(payload);
    assert.equal(code, 'DECODE', String(payload));
    assert.match(message, /format|JSON/);
  }
  for (const payload of [null, undefined, true, 'true', '"text"', 'null', () => 1]) {
    assert.equal(refusal(payload).code, 'DECODE', String(payload));
  }
});

test('float32 and int16 Buffers are little-endian waveforms, at any alignment', () => {
  const { take } = bench({ format: 'float32', sampleRate: 1000, features: ['min', 'max', 'mean'] });
  const unaligned = Buffer.concat([Buffer.from([1]), floats(0.5, -2, 4.5)]).subarray(1);
  const [{ payload, reading }] = take(unaligned);
  assert.deepEqual(payload, { 'value.min': -2, 'value.max': 4.5, 'value.mean': 1 });
  assert.deepEqual(reading.window, { start: reading.ts - 2, end: reading.ts, count: 3, sampleRate: 1000 });

  const integers = Buffer.alloc(6);
  [-300, 0, 600].forEach((value, index) => integers.writeInt16LE(value, index * 2));
  const table = [{ name: 'vibration', path: 'value', scale: 0.01, offset: 1 }];
  const [scaled] = bench({ format: 'int16', channels: table, features: ['min', 'max'] }).take(integers);
  assert.deepEqual(scaled.payload, { 'vibration.min': -2, 'vibration.max': 7 });
});

test('a list of numbers is a waveform where a sample rate is set', () => {
  const { take } = bench({ sampleRate: 100, features: ['rms'] });
  assert.deepEqual(take([3, -3, 3, -3])[0].payload, { 'value.rms': 3 });
  assert.deepEqual(take(Float32Array.of(2, 2))[0].payload, { 'value.rms': 2 });
  assert.deepEqual(take({ temp: 5 })[0].payload, { temp: 5 });
});

test('waveforms that are cut off, empty, not finite or of the wrong kind are refused', () => {
  const { refusal } = bench({ format: 'float32' });
  assert.equal(refusal(Buffer.alloc(7)).code, 'DECODE');
  assert.equal(refusal(Buffer.alloc(0)).code, 'DECODE');
  assert.equal(refusal('0.5').code, 'DECODE');
  assert.equal(refusal(floats(1, NaN)).code, 'NOT_FINITE');
  assert.equal(refusal(floats(1, Infinity)).code, 'NOT_FINITE');
  assert.equal(refusal([1, 'a']).code, 'NOT_FINITE');
  assert.equal(refusal([]).code, 'NO_CHANNELS');
  const ranged = bench({ format: 'float32', channels: [{ name: 'v', max: 2 }] });
  assert.equal(ranged.refusal(floats(1, 3)).code, 'RANGE');
});

test('a batch gives one reading a row, in order', () => {
  const { take } = bench();
  assert.deepEqual(
    take('[{"t":1},{"t":2},{"t":3}]').map(({ payload, reading }) => [payload.t, reading.seq]),
    [
      [1, 0],
      [2, 1],
      [3, 2],
    ],
  );
  assert.deepEqual(
    take([
      [1, 2],
      [3, 4],
    ]).map(({ payload }) => payload),
    [
      { 0: 1, 1: 2 },
      { 0: 3, 1: 4 },
    ],
  );
});

test('one bad row refuses the whole batch, says which, and changes nothing', () => {
  const { take, refusal, pipeline } = bench();
  const error = refusal([{ t: 1 }, { t: Infinity }, { t: 3 }]);
  assert.equal(error.code, 'NOT_FINITE');
  assert.equal(error.details?.row, 1);
  assert.match(error.message, /Row 1/);
  const holes = refusal(Object.assign([{ t: 1 }], { 2: { t: 3 } }));
  assert.deepEqual([holes.code, holes.details?.row], ['DECODE', 1]);
  assert.equal(pipeline.sources.size, 0);
  assert.equal(take({ t: 1 })[0].reading.seq, 0);
});

test('CSV is read with and without header, with quotes, other separators and decimal commas', () => {
  const { take, refusal } = bench({ format: 'csv', channels: [] });
  const values = (csv: string): unknown[] => take(Buffer.from(csv)).map(({ payload }) => payload);
  assert.deepEqual(values('1.5,2,-3e2'), [{ 0: 1.5, 1: 2, 2: -300 }]);
  assert.deepEqual(values('temp,rpm\n21.5,1500\n22,1510\n'), [
    { temp: 21.5, rpm: 1500 },
    { temp: 22, rpm: 1510 },
  ]);
  assert.deepEqual(values('temp;state;rpm\r\n21,5;"a;b ""c""";1500\r\n'), [{ temp: 21.5, rpm: 1500 }]);
  assert.deepEqual(values('1\t2\n3\t4'), [
    { 0: 1, 1: 2 },
    { 0: 3, 1: 4 },
  ]);
  assert.deepEqual(values('temp,rpm\n,1500'), [{ rpm: 1500 }]);
  const [timed] = take('ts,temp\n2026-01-31T11:59:00Z,5');
  assert.deepEqual([timed.payload, timed.reading.ts], [{ temp: 5 }, Date.UTC(2026, 0, 31, 11, 59)]);
  for (const bad of ['', 'temp,rpm', 'a,b\n1', 'a,a\n1,2', '"open', '"a"b,1', '\n\n']) {
    assert.equal(refusal(bad).code, 'DECODE', JSON.stringify(bad));
  }
});

test('MessagePack is decoded, and refused where it lies about lengths, nests, or has extension types', () => {
  const { take, refusal } = bench({ format: 'msgpack' });
  assert.deepEqual(take(pack({ temp: 21.5, motor: { rpm: 1500 } }))[0].payload, {
    temp: 21.5,
    'motor.rpm': 1500,
  });
  assert.equal(take(pack([{ t: 1 }, { t: 2 }])).length, 2);
  assert.equal(take(pack({ ts: BigInt(1_769_860_700_000), v: 1 }))[0].reading.ts, 1_769_860_700_000);
  const bad: [Buffer, string][] = [
    [Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff, 1]), 'DECODE'],
    [Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xff]), 'DECODE'],
    [Buffer.from([0xd6, 0xff, 1, 2, 3, 4]), 'DECODE'],
    [Buffer.from([0x81, 0x01, 0x02]), 'DECODE'],
    [Buffer.from([0x81, 0xa1, 0x61]), 'DECODE'],
    [Buffer.from([0x01, 0x02]), 'DECODE'],
    [Buffer.alloc(0), 'DECODE'],
    [Buffer.alloc(5000, 0x91), 'TOO_LARGE'],
  ];
  for (const [bytes, code] of bad) {
    assert.equal(refusal(bytes).code, code, bytes.subarray(0, 8).toString('hex'));
  }
});

test('what is too large is refused before it is decoded', () => {
  const { refusal, take } = bench({ maxBytes: 100, maxChannels: 5 });
  assert.equal(refusal(Buffer.alloc(101, '{')).code, 'TOO_LARGE');
  assert.equal(refusal('é'.repeat(51)).code, 'TOO_LARGE');
  assert.equal(refusal(new Float64Array(13)).code, 'TOO_LARGE');
  assert.equal(refusal([1, 2, 3, 4, 5, 6]).code, 'TOO_LARGE');
  assert.equal(refusal({ a: 1, b: 2, c: { d: 3, e: 4, f: 5, g: 6 } }).code, 'TOO_LARGE');
  assert.equal(take([1, 2, 3, 4, 5]).length, 1);
  let nested: object = { deep: 1 };
  for (let i = 0; i < 1000; i++) {
    nested = { nested };
  }
  assert.equal(refusal(nested).code, 'TOO_LARGE');
  const circular: Record<string, unknown> = { ts: 1_769_860_800_000, v: 1 };
  circular.self = circular;
  assert.equal(refusal(circular).code, 'TOO_LARGE');
  assert.equal(refusal(Array.from({ length: 10_001 }, () => ({ v: 1 }))).code, 'TOO_LARGE');
  assert.equal(refusal({ v: 1 }, 't'.repeat(1025)).code, 'TOO_LARGE');
});
