import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../nodes/shared/random';
import { preview } from '../../../nodes/sensor-ingest/preview/preview';
import type {
  Encoding,
  LastSample,
  Plot,
  PlotChoice,
  PreviewResult,
  Sample,
} from '../../../nodes/sensor-ingest/preview/result';
import { bench, NOON } from './support';

const NOTHING = {};

function sample(payload: string, encoding: Encoding = 'text', at = NOON): Sample {
  return { topic: 'plant1/m1', at, encoding, payload };
}

function look(properties: object, samples: Sample[], plot: PlotChoice = {}): PreviewResult {
  return preview({ properties, samples, plot });
}

function lastOf(result: PreviewResult): LastSample {
  assert.ok(result.last);
  return result.last;
}

function plotOf(result: PreviewResult): Plot {
  assert.ok(result.plot);
  return result.plot;
}

/** Temperatures that wander, one a second. */
function series(length: number): { ts: number; t: number; other: number }[] {
  const random = new SeededRandom(7);
  let t = 20;
  return Array.from({ length }, (_, i) => ({ ts: NOON + 1000 * i, t: (t += random.normal()), other: i % 3 }));
}

const samplesOf = (rows: { ts: number }[]): Sample[] =>
  rows.map((row) => sample(JSON.stringify(row), 'json', row.ts));

test('a message is shown as it is decoded and converted, with the units of the table', () => {
  const result = look(
    {
      channels: [
        { name: 'temperature', path: 'raw.t', scale: 0.1, offset: 1, unit: '°C' },
        { name: 'rpm', path: 'rpm' },
      ],
    },
    [sample('{"ts":"2026-01-31T11:59:59Z","raw":{"t":205},"rpm":1500}')],
  );
  const { reading, readings, failure, features, progress } = lastOf(result);
  assert.deepEqual(reading, {
    source: 'plant1/m1',
    ts: NOON - 1000,
    arrival: false,
    quality: 'good',
    values: [
      { channel: 'temperature', value: 21.5, unit: '°C' },
      { channel: 'rpm', value: 1500, unit: '' },
    ],
    channels: 2,
  });
  assert.deepEqual([readings, failure, features, progress], [1, undefined, undefined, undefined]);
  assert.deepEqual(result.rejections, []);
});

test('a message without event time is timed by its arrival, and says so', () => {
  const { reading } = lastOf(look(NOTHING, [sample('{"v":1}')]));
  assert.deepEqual([reading?.ts, reading?.arrival], [NOON, true]);
  const sent = lastOf(look(NOTHING, [sample(`{"ts":${NOON},"v":1}`)])).reading;
  assert.deepEqual([sent?.ts, sent?.arrival], [NOON, false]);
});

test('time stands at the arrival of each message', () => {
  const ahead = `{"ts":${NOON + 120_000},"v":1}`;
  assert.equal(lastOf(look(NOTHING, [sample(ahead)])).reading?.quality, 'uncertain');
  assert.equal(lastOf(look(NOTHING, [sample(ahead, 'text', NOON + 90_000)])).reading?.quality, 'good');
});

test('CSV of several lines gives the last of its readings, and a plot of all', () => {
  const result = look({ format: 'csv', timestamp: 'time' }, [
    sample('time;t\n2026-01-31T11:59:58Z;20,5\n2026-01-31T11:59:59Z;21,5\n'),
  ]);
  const { reading, readings } = lastOf(result);
  assert.equal(readings, 2);
  assert.deepEqual(reading?.values, [{ channel: 't', value: 21.5, unit: '' }]);
  assert.deepEqual(plotOf(result).points, [
    [NOON - 2000, 20.5, false],
    [NOON - 1000, 21.5, false],
  ]);
});

test('a waveform pasted as base64 gives its features', () => {
  const wave = Float32Array.from({ length: 1000 }, (_, i) => 3 * Math.sin((2 * Math.PI * 50 * i) / 1000));
  const result = look(
    {
      format: 'float32',
      sampleRate: 1000,
      features: ['rms', 'peak', 'dominantFrequency'],
      channels: [{ name: 'vibration', path: '0', unit: 'mm/s' }],
    },
    [sample(Buffer.from(wave.buffer).toString('base64'), 'base64')],
  );
  const { features, reading, progress } = lastOf(result);
  assert.deepEqual([reading, progress], [undefined, undefined]);
  assert.deepEqual(
    features?.values.map(({ channel, value, unit }) => [channel, Number(value.toFixed(3)), unit]),
    [
      ['vibration.rms', 2.121, 'mm/s'],
      ['vibration.peak', 3, 'mm/s'],
      ['vibration.dominantFrequency', 50, 'Hz'],
    ],
  );
  assert.equal(features.window?.count, 1000);
  assert.equal(features.window.sampleRate, 1000);
});

test('a window that is not full says how far it is, and the row is shown all the same', () => {
  const properties = { window: 'count', windowSize: 10, features: ['mean'] };
  const { reading, features, progress } = lastOf(look(properties, [sample('{"v":1}')]));
  assert.deepEqual(reading?.values, [{ channel: 'v', value: 1, unit: '' }]);
  assert.equal(features, undefined);
  assert.deepEqual(progress, { kind: 'count', rows: 1, size: 10 });

  const timed = look(
    { window: 'time', windowSize: 5, lateness: 2, features: ['mean'] },
    samplesOf(series(4)),
  );
  assert.deepEqual(lastOf(timed).progress, { kind: 'time', rows: 4, span: 3000, size: 5000, lateness: 2000 });
});

test('the latest complete window is shown with the last row, and its features are plotted', () => {
  const rows = series(25);
  const result = look({ window: 'count', windowSize: 10, features: ['max'] }, samplesOf(rows));
  const { reading, features, progress } = lastOf(result);
  assert.equal(reading?.values[0].value, rows[24].t);
  assert.equal(features?.values[0].value, Math.max(...rows.slice(10, 20).map(({ t }) => t)));
  assert.deepEqual(features.window, { start: rows[10].ts, end: rows[19].ts, count: 10 });
  assert.equal(progress, undefined);
  assert.deepEqual(plotOf(result).channels, ['t.max', 'other.max']);
  assert.equal(plotOf(result).points.length, 2);
});

test('a message against the schema is refused as the node would refuse it', () => {
  const schema = '{"required":["temperature"]}';
  const result = look({ schema }, [sample('{"v":1}')]);
  const refusal = bench({ schema }).refusal({ v: 1 });
  assert.deepEqual(lastOf(result).failure, { code: 'SCHEMA', message: refusal.message });
  assert.equal(lastOf(result).reading, undefined);
  assert.deepEqual(result.rejections, [{ code: 'SCHEMA', message: refusal.message, count: 1 }]);
});

test('a configuration that cannot work is told with its property, and nothing is tried', () => {
  const result = look({ reduce: 'deadband', toleranceType: 'percent' }, [sample('{"v":1}')]);
  assert.equal(result.failure?.code, 'CONFIG');
  assert.equal(result.failure.property, 'toleranceType');
  assert.match(result.failure.message, /Property "toleranceType" is percent of max − min/);
  assert.equal(result.last, undefined);
});

test('refusals among many messages are counted by their code, the most frequent first', () => {
  const bad = ['{"v":', '{}', '{"v":1,', '{"v":"x"}', '{'];
  const result = look(
    NOTHING,
    [...bad, '{"v":1}'].map((text) => sample(text)),
  );
  assert.deepEqual(
    result.rejections.map(({ code, count }) => [code, count]),
    [
      ['DECODE', 3],
      ['NO_CHANNELS', 2],
    ],
  );
  assert.equal(result.samples, 6);
  assert.equal(lastOf(result).failure, undefined);
});

test('a batch of which some rows have come before shows both the refusal and the reading', () => {
  const row = { ts: NOON, v: 1 };
  const result = look(NOTHING, [
    sample(JSON.stringify(row), 'json'),
    sample(JSON.stringify([row, { ts: NOON + 1, v: 2 }]), 'json'),
  ]);
  assert.equal(lastOf(result).failure?.code, 'DUPLICATE');
  assert.equal(lastOf(result).reading?.values[0].value, 2);
});

for (const reduce of ['deadband', 'swinging-door']) {
  test(`${reduce}: the dots are the readings that the node itself sends on output 2, and so are the figures`, () => {
    const properties = { reduce, tolerance: 1.5, futureLimit: 1e6 };
    const rows = series(250);
    const { take } = bench(properties);
    const sent = rows.flatMap((row) => take(row, 'plant1/m1')).filter(({ reduction }) => reduction);
    const kept = new Set(sent.map(({ reading }) => reading.ts));
    assert.ok(kept.size > 10 && kept.size < 200, String(kept.size));

    const { points, reduction } = plotOf(look(properties, samplesOf(rows)));
    assert.deepEqual(
      points,
      rows.map(({ ts, t }) => [ts, t, kept.has(ts)]),
    );
    const last = sent.at(-1)?.reduction;
    assert.ok(last && reduction);
    assert.equal(reduction.pointsIn, 250);
    assert.equal(reduction.pointsOut, last.pointsOut);
    assert.equal(reduction.bytesOut, last.bytesOut);
    assert.ok(reduction.maxError >= last.maxError && reduction.maxError <= 1.5);
    assert.deepEqual([reduction.tolerance, reduction.percent], [1.5, false]);
    assert.equal(
      plotOf(look({ ...properties, tolerance: 0 }, samplesOf(rows))).points.filter(([, , isKept]) => isKept)
        .length,
      250,
    );
  });
}

test('without reduction there are no dots and no figures', () => {
  const { points, reduction } = plotOf(look(NOTHING, samplesOf(series(5))));
  assert.equal(points.length, 5);
  assert.ok(points.every(([, , kept]) => !kept));
  assert.equal(reduction, undefined);
});

test('another channel and another source can be chosen; a choice that is gone gives way', () => {
  const samples = ['a', 'b', 'a', 'b'].map((topic, i) => ({
    ...sample(`{"x":${i},"y":${10 * i}}`, 'text', NOON + i),
    topic,
  }));
  const first = plotOf(look(NOTHING, samples));
  assert.deepEqual([first.source, first.channel], ['b', 'x'], 'the source of the last message');
  assert.deepEqual(
    [first.sources, first.channels],
    [
      ['a', 'b'],
      ['x', 'y'],
    ],
  );
  const chosen = plotOf(look(NOTHING, samples, { source: 'a', channel: 'y' }));
  assert.deepEqual(
    chosen.points.map(([, value]) => value),
    [0, 20],
  );
  const gone = plotOf(look(NOTHING, samples, { source: 'c', channel: 'z' }));
  assert.deepEqual([gone.source, gone.channel], ['b', 'x']);
});

test('readings that come late are plotted in their place', () => {
  const { points } = plotOf(
    look(
      NOTHING,
      [3, 1, 2].map((i) => sample(`{"ts":${NOON + i},"v":${i}}`)),
    ),
  );
  assert.deepEqual(
    points.map(([ts, value]) => [ts - NOON, value]),
    [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
  );
});

test('over MQTT a text comes as bytes, so that a waveform format reads it as bytes', () => {
  const properties = { source: 'mqtt', broker: 'b', topic: '#', format: 'int16' };
  assert.ok(lastOf(look(properties, [sample('abcd')])).features);
  assert.equal(lastOf(look({ format: 'int16' }, [sample('abcd')])).failure?.code, 'DECODE');
});

test('a source named by a property of the message that is not known stands as its name', () => {
  const { reading } = lastOf(look({ sourceId: 'machine', sourceIdType: 'msg' }, [sample('{"v":1}')]));
  assert.equal(reading?.source, 'msg.machine');
});

test('what is shown is bounded, whatever is sent', () => {
  const wide = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`channel-${i}`, i]));
  const long = { ['n'.repeat(5000)]: 1 };
  const { reading } = lastOf(look(NOTHING, [sample(JSON.stringify(wide))]));
  assert.deepEqual([reading?.values.length, reading?.channels], [50, 900]);
  assert.ok(
    (lastOf(look(NOTHING, [sample(JSON.stringify(long))])).reading?.values[0].channel.length ?? 0) < 300,
  );
  const rows = Array.from({ length: 5000 }, (_, i) => ({ ts: NOON + i, ...wide }));
  const { plot } = look(NOTHING, [
    sample(JSON.stringify(rows.slice(0, 100))),
    ...Array.from({ length: 250 }, (_, i) => sample(JSON.stringify([{ v: i }, { v: i + 0.5 }]))),
  ]);
  assert.equal(plot?.points.length, 300);
  assert.ok(plot.channels.length <= 50);
});

test('a message that would give more than memory should hold is refused, and the others are shown', () => {
  const rows = JSON.stringify(Array.from({ length: 9999 }, (_, i) => new Array<number>(20).fill(i)));
  const properties = { window: 'count', windowSize: 10, windowStep: 1, features: ['mean', 'std', 'rms'] };
  const result = look(properties, [sample(rows), sample('[1,2]')]);
  assert.deepEqual(
    result.rejections.map(({ code, message }) => [code, /Paste fewer rows/.test(message)]),
    [['TOO_LARGE', true]],
  );
  assert.equal(lastOf(result).reading?.values.length, 2);
  assert.equal(lastOf(look({ ...properties, windowStep: 10 }, [sample(rows)])).failure, undefined);
});

test('more samples than a preview takes are refused', () => {
  const many = Array.from({ length: 301 }, () => sample('1'));
  assert.throws(() => look(NOTHING, many), { code: 'TOO_LARGE' });
  assert.throws(() => look(NOTHING, [sample('1'.repeat(2_100_000))]), { code: 'TOO_LARGE' });
  assert.equal(look(NOTHING, many.slice(1)).samples, 300);
});
