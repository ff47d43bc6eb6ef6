import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { get } from 'sparkplug-payload';
import type { Outcome } from '../../../nodes/sensor-ingest/acceptance';
import { rebirthCommand } from '../../../nodes/sensor-ingest/decode/sparkplug/rebirth';
import { bench, NOON, type Bench } from './support';

// Eclipse Tahu's own encoder, which knows nothing of our decoder.
const tahu = get('spBv1.0')!;

interface Metric {
  name?: string;
  alias?: number;
  type:
    'Int8' | 'Int16' | 'Int32' | 'UInt32' | 'UInt64' | 'Float' | 'Double' | 'Boolean' | 'String' | 'DateTime';
  value: number | boolean | string | null;
  timestamp?: number;
  isHistorical?: boolean;
  properties?: Record<string, { type: 'Int32'; value: number }>;
}

const encode = (metrics: Metric[], seq?: number, timestamp: number | undefined = NOON): Buffer =>
  Buffer.from(tahu.encodePayload({ timestamp, seq, metrics }));

const NODE = 'spBv1.0/plant/NBIRTH/edge1';
const DEVICE = 'spBv1.0/plant/DBIRTH/edge1/press';
const DATA = 'spBv1.0/plant/DDATA/edge1/press';

const nodeBirth = (bdSeq = 0): Buffer => encode([{ name: 'bdSeq', type: 'UInt64', value: bdSeq }], 0);
const pressBirth = (seq = 1, timestamp = NOON): Buffer =>
  encode(
    [
      { name: 'Motor/Speed', alias: 1, type: 'Int16', value: -1500 },
      { name: 'Temp', alias: 2, type: 'Float', value: 21.5 },
      { name: 'State', alias: 3, type: 'String', value: 'RUN' },
    ],
    seq,
    timestamp,
  );

/** A pipeline that has seen the births of an edge node and its press. */
function born(properties: object = {}): Bench {
  const station = bench({ format: 'sparkplug', ...properties });
  station.take(nodeBirth(), NODE);
  station.take(pressBirth(), DEVICE);
  return station;
}

const values = (outcomes: Outcome[]): object[] => outcomes.map(({ payload }) => payload);

test('births name the metrics; data by alias is read with their names and data types', () => {
  const { take } = bench({ format: 'sparkplug' });
  assert.deepEqual(take(nodeBirth(), NODE), [], 'a birth that measures nothing is no reject');
  const [birth] = take(pressBirth(), DEVICE);
  assert.deepEqual(birth.payload, { 'Motor/Speed': -1500, Temp: 21.5 });
  assert.equal(birth.reading.source, 'plant/edge1/press');
  assert.equal(birth.reading.ts, NOON);
  const [data] = take(
    encode(
      [
        { alias: 1, type: 'Int16', value: -20, timestamp: NOON + 500 },
        { alias: 2, type: 'Float', value: 22.25, timestamp: NOON + 500 },
      ],
      2,
    ),
    DATA,
  );
  assert.deepEqual(data.payload, { 'Motor/Speed': -20, Temp: 22.25 });
  assert.deepEqual(
    [data.reading.source, data.reading.ts, data.reading.quality],
    ['plant/edge1/press', NOON + 500, 'good'],
  );
});

test('auto knows Sparkplug by its topic, and a payload under it that is none is refused', () => {
  const { take, refusal } = bench();
  assert.equal(take(encode([{ name: 'x', type: 'Double', value: 4 }]), 'spBv1.0/g/NDATA/n')[0].payload.x, 4);
  assert.equal(refusal(Buffer.from('{"x":4}'), 'spBv1.0/g/NDATA/n').code, 'DECODE');
  assert.equal(refusal('{"x":4}', 'spBv1.0/g/NDATA/n').code, 'DECODE');
  assert.equal(take('{"x":4}', 'plant/NDATA/n')[0].payload.x, 4);
  assert.equal(take({ x: 4 }, 'spBv1.0/g/NDATA/n')[0].payload.x, 4, 'decoded by a node in front');
  assert.match(bench({ format: 'sparkplug' }).refusal(nodeBirth(), 'plant1/x').message, /spBv1\.0/);
});

test('an alias that no birth explains is refused with the topic that asks for one, never guessed', () => {
  const { refusal, take, pipeline } = bench({ format: 'sparkplug' });
  const error = refusal(encode([{ alias: 1, type: 'Int16', value: 1 }], 5), DATA);
  assert.equal(error.code, 'DECODE');
  assert.match(error.message, /plant\/edge1\/press/);
  assert.equal(error.details?.rebirthTopic, 'spBv1.0/plant/NCMD/edge1');
  assert.equal(pipeline.sources.size, 0);
  // Aliases belong to one device, and end with the death of the edge node.
  const station = born();
  assert.equal(
    station.refusal(encode([{ alias: 1, type: 'Int16', value: 1 }], 2), 'spBv1.0/plant/DDATA/edge1/other')
      .code,
    'DECODE',
  );
  station.take(encode([{ name: 'bdSeq', type: 'UInt64', value: 0 }]), 'spBv1.0/plant/NDEATH/edge1');
  assert.equal(station.refusal(encode([{ alias: 1, type: 'Int16', value: 1 }], 2), DATA).code, 'DECODE');
  // Names need no birth.
  assert.equal(take(encode([{ name: 'Temp', type: 'Float', value: 3 }], 5), DATA)[0].payload.Temp, 3);
});

test('a whole number whose sign is unknown is refused until a birth gives its data type', () => {
  // Field 2: a metric with name "n" and int_value 4294967295, without a data type.
  const metric = Buffer.from([0x0a, 1, 0x6e, 0x50, 0xff, 0xff, 0xff, 0xff, 0x0f]);
  const data = Buffer.concat([Buffer.from([0x12, metric.length]), metric]);
  const { refusal, take } = bench({ format: 'sparkplug' });
  assert.match(refusal(data, DATA).message, /data type of the metric "n"/);
  take(encode([{ name: 'n', type: 'Int32', value: 7 }], 1), DEVICE);
  assert.equal(take(data, DATA)[0].payload.n, -1);
  take(encode([{ name: 'n', type: 'UInt32', value: 7 }], 2, NOON + 1), DEVICE);
  assert.equal(take(data, DATA)[0].payload.n, 4294967295);
});

test('metrics of different times become readings of their own; null ones are left out', () => {
  const { take } = born();
  const outcomes = take(
    encode(
      [
        { alias: 1, type: 'Int16', value: 3, timestamp: NOON + 2000 },
        { alias: 2, type: 'Float', value: 1, timestamp: NOON + 1000 },
        { alias: 1, type: 'Int16', value: 2, timestamp: NOON + 1000 },
        { alias: 2, type: 'Float', value: null, timestamp: NOON + 2000 },
      ],
      2,
    ),
    DATA,
  );
  assert.deepEqual(values(outcomes), [{ Temp: 1, 'Motor/Speed': 2 }, { 'Motor/Speed': 3 }]);
  assert.deepEqual(
    outcomes.map(({ reading }) => reading.ts),
    [NOON + 1000, NOON + 2000],
  );
});

test('a message whose metrics have ever new times makes no more rows than a batch may have', () => {
  const { refusal } = bench({ format: 'sparkplug' });
  const metrics = Array.from({ length: 10_001 }, (_, i): Metric => ({
    name: 'Temp',
    type: 'Float',
    value: i,
    timestamp: NOON + i,
  }));
  assert.equal(refusal(encode(metrics), DATA).code, 'TOO_LARGE');
});

test('births under names too long to be kept are refused before they are remembered', () => {
  const { refusal, take } = bench({ format: 'sparkplug', maxSources: 1 });
  const topic = `spBv1.0/plant/NBIRTH/${'x'.repeat(2000)}`;
  assert.equal(refusal(nodeBirth(), topic).code, 'TOO_LARGE');
  take(nodeBirth(), NODE);
});

/** A birth or data metric "motor" that is a template with one member "turns". */
function motor(member: object, isDefinition = false): Buffer {
  const value = { templateRef: 'Motor', isDefinition, metrics: [{ name: 'turns', ...member }] };
  const metrics = [{ name: 'motor', type: 'Template', value, timestamp: NOON }];
  return Buffer.from(
    tahu.encodePayload({ timestamp: NOON, metrics } as unknown as Parameters<typeof tahu.encodePayload>[0]),
  );
}

test('a template is read with its members, its definition is no measurement', () => {
  const { take } = bench({ format: 'sparkplug' });
  assert.deepEqual(take(motor({ type: 'Int32', value: 7 }, true), DEVICE), []);
  assert.deepEqual(take(motor({ type: 'Int32', value: -7 }), DEVICE)[0].payload, { 'motor.turns': -7 });
  // A metric "motor" with a template whose member "turns" has int_value 4294967288 and no data type.
  const member = [0x0a, 5, ...Buffer.from('turns'), 0x50, 0xf8, 0xff, 0xff, 0xff, 0x0f];
  const template = [0x12, member.length, ...member];
  const metric = [0x0a, 5, ...Buffer.from('motor'), 0x92, 0x01, template.length, ...template];
  const data = Buffer.from([0x12, metric.length, ...metric]);
  assert.deepEqual(take(data, DATA)[0].payload, { 'motor.turns': -8 }, 'by the data type of the birth');
});

test('historical values pass without moving time on; their order after newer ones makes nothing late', () => {
  const { take } = born({ reduce: 'deadband', tolerance: 100, heartbeat: 0, lateness: 10 });
  const point = (ts: number, isHistorical: boolean, seq: number): Outcome[] =>
    take(encode([{ name: 'Temp', type: 'Float', value: 21, timestamp: ts, isHistorical }], seq), DATA);
  const [old] = point(NOON - 5000, true, 2);
  assert.equal(old.reading.quality, 'good');
  assert.equal(point(NOON - 3_600_000, true, 3)[0].reading.quality, 'uncertain', 'later than lateness');
  // A historical value ahead of the newest does not become the newest.
  point(NOON + 50_000, true, 4);
  assert.equal(point(NOON + 1000, false, 5)[0].reading.quality, 'good');
});

test('the property Quality marks readings', () => {
  const { take } = born();
  const withQuality = (value: number): string =>
    take(
      encode([{ name: 'Temp', type: 'Float', value, properties: { Quality: { type: 'Int32', value } } }]),
      DATA,
    )[0].reading.quality;
  assert.deepEqual([192, 0, 500, 64].map(withQuality), ['good', 'bad', 'uncertain', 'uncertain']);
});

test('deaths report their sources silent at once, births bring them back, an old last will does nothing', () => {
  const { pipeline } = born();
  const accept = (payload: Buffer, topic: string): string[] =>
    pipeline.accept({ topic, payload }).events.map(({ type, source }) => `${type} ${source}`);
  const death = (bdSeq: number): Buffer => encode([{ name: 'bdSeq', type: 'UInt64', value: bdSeq }]);
  assert.deepEqual(accept(death(7), 'spBv1.0/plant/NDEATH/edge1'), []);
  assert.deepEqual(accept(death(0), 'spBv1.0/plant/NDEATH/edge1'), ['SILENT plant/edge1/press']);
  assert.equal(pipeline.sources.silentCount, 1);
  assert.deepEqual(accept(death(0), 'spBv1.0/plant/NDEATH/edge1'), []);
  accept(nodeBirth(1), NODE);
  assert.deepEqual(accept(encode([{ name: 'Temp', type: 'Float', value: 1 }], 1, NOON + 9000), DEVICE), [
    'RETURNED plant/edge1/press',
  ]);
  assert.deepEqual(accept(encode([], 2), 'spBv1.0/plant/DDEATH/edge1/press'), ['SILENT plant/edge1/press']);
  assert.equal(pipeline.sources.silentCount, 1);
});

test('a gap in the sequence asks for a birth, and until it comes makes aliases doubtful', () => {
  const station = born();
  const data = (seq: number, metric: object): { rebirth: string | undefined; quality: string } => {
    const { rebirthTopic, outcomes } = station.pipeline.accept({
      topic: DATA,
      payload: encode([{ type: 'Float', value: seq, timestamp: NOON + seq, ...metric }], seq),
    });
    return { rebirth: rebirthTopic, quality: outcomes[0].reading.quality };
  };
  const alias = { alias: 2 };
  assert.deepEqual(data(2, alias), { rebirth: undefined, quality: 'good' });
  assert.deepEqual(data(4, alias), { rebirth: 'spBv1.0/plant/NCMD/edge1', quality: 'uncertain' });
  assert.deepEqual(data(5, alias), { rebirth: undefined, quality: 'uncertain' });
  assert.equal(data(6, { name: 'Temp' }).quality, 'good', 'names are never in doubt');
  for (let seq = 7; seq < 256; seq++) {
    assert.equal(data(seq, alias).rebirth, undefined);
  }
  assert.equal(data(0, alias).rebirth, undefined);
  station.take(nodeBirth(), NODE);
  station.take(pressBirth(1, NOON + 500), DEVICE);
  assert.equal(data(2, { alias: 2, timestamp: NOON + 999 }).quality, 'good');
});

test('commands, host states and control metrics are no telemetry and no reject', () => {
  const { pipeline, take } = born();
  for (const topic of ['spBv1.0/plant/NCMD/edge1', 'spBv1.0/plant/DCMD/edge1/press', 'spBv1.0/STATE/scada']) {
    const { outcomes, readings } = pipeline.accept({ topic, payload: Buffer.from('{"online":true}') });
    assert.deepEqual([outcomes.length, readings], [0, 0], topic);
  }
  assert.equal(pipeline.accept({ topic: 'spBv1.0/STATE/scada', payload: 'ONLINE' }).readings, 0);
  const [{ payload }] = take(
    encode([
      { name: 'Node Control/Rebirth', type: 'Boolean', value: false },
      { name: 'bdSeq', type: 'UInt64', value: 3 },
      { name: 'Uptime', type: 'UInt32', value: 5 },
    ]),
    'spBv1.0/plant/NDATA/edge1',
  );
  assert.deepEqual(payload, { Uptime: 5 });
});

test('the command for a new birth is what Eclipse Tahu expects', () => {
  const { metrics, timestamp } = tahu.decodePayload(rebirthCommand(NOON));
  const [{ name, value, type }] = metrics!;
  assert.deepEqual([name, value, type], ['Node Control/Rebirth', true, 'Boolean']);
  assert.equal(Number(timestamp), NOON);
});

test('any metrics that Tahu encodes are read as they were given', () => {
  const types: [Metric['type'], fc.Arbitrary<number | boolean>][] = [
    ['Int8', fc.integer({ min: -128, max: 127 })],
    ['Int16', fc.integer({ min: -32768, max: 32767 })],
    ['Int32', fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })],
    ['UInt32', fc.integer({ min: 0, max: 2 ** 32 - 1 })],
    ['Float', fc.float({ noNaN: true, noDefaultInfinity: true })],
    ['Double', fc.double({ noNaN: true, noDefaultInfinity: true })],
  ];
  const metric = fc.oneof(
    ...types.map(([type, value]) => fc.record({ type: fc.constant(type), value })),
  ) as fc.Arbitrary<{ type: Metric['type']; value: number }>;
  fc.assert(
    fc.property(fc.array(metric, { minLength: 1, maxLength: 20 }), (list) => {
      const { take } = bench({ format: 'sparkplug' });
      const named = list.map((entry, i) => ({ ...entry, name: `m${i}` }));
      const [{ payload }] = take(encode(named, 0), DEVICE);
      assert.deepEqual(payload, Object.fromEntries(named.map(({ name, value }) => [name, value])));
    }),
  );
});
