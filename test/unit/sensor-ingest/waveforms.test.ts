import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench, NOON } from './support';

const ramp = [0, 1, 2, 3];

test('lists in an object are waveforms where a sample rate is set; scalars beside them stay as they are', () => {
  const { take } = bench({ sampleRate: 1000, features: ['mean', 'max'] });
  const [{ payload, reading }] = take({ ts: NOON, rpm: 1500, x: ramp, axis: { y: [4, 6] } });
  assert.deepEqual(payload, { rpm: 1500, 'x.mean': 1.5, 'x.max': 3, 'axis.y.mean': 5, 'axis.y.max': 6 });
  assert.equal(reading.ts, NOON);
  assert.deepEqual(reading.window, { start: NOON - 3, end: NOON, count: 4, sampleRate: 1000 });
  assert.deepEqual(bench().take({ x: ramp })[0].payload, { 'x.0': 0, 'x.1': 1, 'x.2': 2, 'x.3': 3 });
});

test('the channels table names, converts and checks each waveform of an object', () => {
  const channels = [
    { name: 'radial', path: 'data.x', scale: 2, max: 100 },
    { name: 'temperature', path: 't', offset: -40 },
  ];
  const { take, refusal } = bench({ sampleRate: 1000, features: ['peak'], channels });
  assert.deepEqual(take({ data: { x: ramp }, t: 61 })[0].payload, { 'radial.peak': 6, temperature: 21 });
  const outside = refusal({ data: { x: [1, 51] }, t: 61 });
  assert.equal(outside.code, 'RANGE');
  const broken = refusal({ data: { x: [1, null] } });
  assert.equal(broken.code, 'NOT_FINITE');
  assert.match(broken.message, /Sample 1 of the waveform "radial" is null/);
  assert.equal(refusal({ data: { x: [] } }).code, 'NO_CHANNELS');
});

test('a batch of lists is a batch of waveforms', () => {
  const { take } = bench({ sampleRate: 1000, features: ['mean'] });
  assert.deepEqual(
    take([ramp, [10, 20]]).map(({ payload, reading }) => [payload, reading.window?.count]),
    [
      [{ 'value.mean': 1.5 }, 4],
      [{ 'value.mean': 15 }, 2],
    ],
  );
});

test('a waveform that was sent with its time and comes again is a duplicate', () => {
  const { take, refusal } = bench({ sampleRate: 1000, features: ['mean'] });
  take({ ts: NOON, x: ramp });
  assert.equal(refusal({ ts: NOON, x: ramp }).code, 'DUPLICATE');
  assert.equal(take({ ts: NOON, x: [0, 1, 2, 4] }).length, 1);
});

test('waveforms count by the bytes that came, and their features by those that leave', () => {
  const { pipeline } = bench({ format: 'float32', features: ['mean'] });
  const { bytesIn, bytesOut } = pipeline.accept({
    topic: 'm',
    payload: Buffer.from(Float32Array.from(ramp).buffer),
  });
  assert.deepEqual([bytesIn, bytesOut], [16, '{"value.mean":1.5}'.length]);
});

test('a refused waveform is told by its first bad sample: before it is converted, then after, then by its range', () => {
  const channel = { name: 'x', path: 'x', scale: 1e100, offset: 1, unit: 'g', min: -1e101, max: 1e101 };
  const { refusal, take } = bench({ sampleRate: 1000, features: ['rms'], channels: [channel] });
  const forms = [
    (samples: number[]) => samples,
    (samples: number[]) => Float32Array.from(samples),
    (samples: number[]) => Float64Array.from(samples),
  ];
  for (const form of forms) {
    const told = (...samples: number[]): string => refusal({ x: form(samples) }).message;
    assert.match(told(0, 11, 12, NaN, Infinity), /^Sample 3 of the waveform "x" is NaN/);
    assert.match(told(0, 11, -Infinity, NaN), /^Sample 2 of the waveform "x" is -Infinity/);
    assert.match(told(0, 11, 12, 1e30), /^Channel "x" is 1.1e\+101 g, outside its range/);
    assert.match(told(0, -10.5, 11), /^Channel "x" is -1.05e\+101 g, outside its range/);
    assert.deepEqual(Object.keys(take({ x: form([0, 10, -10]) })[0].payload), ['x.rms']);
  }
  assert.match(refusal({ x: [1, 12, 1e130] }).message, /^Sample 2 of the waveform "x" is 1e\+130/);
  const open = bench({ sampleRate: 1000, channels: [{ name: 'x', path: 'x', scale: 1e100 }] });
  assert.match(
    open.refusal({ x: Float32Array.of(1, -1e30) }).message,
    /^Channel "x" is -1\.0+15\d+e\+130, too large/,
  );
});
