import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { get } from 'sparkplug-payload';
import { errorOf, ingestFlow, ingestNode, readingOf, untilStatus } from '../support/ingest-node';
import { TestRuntime } from '../support/runtime';

let runtime: TestRuntime;

before(async () => {
  runtime = await TestRuntime.start();
});

after(() => runtime.stop());

test('a message passes through with its reading, other properties and done', async () => {
  await runtime.deploy(ingestFlow());
  runtime.inject('ingest', { topic: 'm1', payload: { ts: '2026-01-31T12:00:00Z', temp: 5 }, batchNumber: 7 });
  const [msg] = await runtime.collect('readings', 1);
  assert.deepEqual(msg.payload, { temp: 5 });
  assert.equal(msg.topic, 'm1');
  assert.equal(msg.batchNumber, 7);
  assert.equal(readingOf(msg).ts, Date.UTC(2026, 0, 31, 12));
  assert.deepEqual(runtime.messages('reduced'), []);
});

test('every kind of bad message comes out of output 3 untouched, with its code, and the next reading gets through', async () => {
  const channels = [{ name: 'temp', path: 'temp', min: 0, max: 100 }];
  await runtime.deploy(
    ingestFlow({
      channels,
      maxBytes: 200,
      maxSources: 1,
      schema: '{"properties":{"mode":{"type":"string"}}}',
    }),
  );
  const good = { ts: Date.now(), temp: 5 };
  runtime.inject('ingest', { topic: 'm1', payload: good });
  const bad: [string, unknown, string?][] = [
    ['DECODE', Buffer.from([0xff, 0, 1, 2])],
    ['SCHEMA', { temp: 1, mode: 7 }],
    ['NO_CHANNELS', { pressure: 1 }],
    ['NOT_FINITE', { temp: NaN }],
    ['RANGE', { temp: 101 }],
    ['TIMESTAMP', { ts: 'yesterday', temp: 5 }],
    ['TOO_LARGE', `{"temp":5,"pad":"${'x'.repeat(200)}"}`],
    ['SOURCE_LIMIT', { temp: 5 }, 'm2'],
    ['DUPLICATE', { ...good }],
  ];
  for (const [, payload, topic] of bad) {
    runtime.inject('ingest', { topic: topic ?? 'm1', payload, mark: 1 });
  }
  runtime.inject('ingest', { topic: 'm1', payload: { temp: 6 } });
  const rejects = await runtime.collect('rejects', bad.length);
  assert.deepEqual(
    rejects.map((msg) => errorOf(msg).code),
    bad.map(([code]) => code),
  );
  rejects.forEach((msg, index) => {
    assert.deepEqual(msg.payload, bad[index][1]);
    assert.equal(msg.mark, 1);
    assert.ok(!('reading' in msg));
    assert.deepEqual(errorOf(msg).source, { id: 'ingest', type: 'sensor-ingest', name: 'press' });
  });
  const readings = await runtime.collect('readings', 2);
  assert.deepEqual(readings[1].payload, { temp: 6 });
  assert.equal(readingOf(readings[1]).seq, 1);
  assert.deepEqual(runtime.messages('caught'), []);
  const counted = (await ingestNode(runtime))?.figures ?? {};
  assert.equal(counted.edge_readings_total, 2);
  for (const [code] of bad) {
    assert.equal(counted[`edge_rejected_total{code="${code}"}`], 1, code);
  }
  await untilStatus(runtime, '8 rejected, last SOURCE_LIMIT');
});

test('a batch gives one message a row; repeated rows come out as one reject', async () => {
  await runtime.deploy(ingestFlow());
  const ts = Date.now();
  runtime.inject('ingest', {
    topic: 'm',
    payload: [
      { ts, v: 1 },
      { ts: ts + 1, v: 2 },
    ],
  });
  runtime.inject('ingest', {
    topic: 'm',
    payload: [
      { ts, v: 1 },
      { ts: ts + 2, v: 3 },
    ],
  });
  const readings = await runtime.collect('readings', 3);
  assert.deepEqual(
    readings.map((msg) => [msg.payload, readingOf(msg).seq]),
    [1, 2, 3].map((v, seq) => [{ v }, seq]),
  );
  const [reject] = await runtime.collect('rejects', 1);
  assert.equal(errorOf(reject).code, 'DUPLICATE');
  assert.deepEqual(reject.payload, [
    { ts, v: 1 },
    { ts: ts + 2, v: 3 },
  ]);
});

test('windows and the reduced stream leave by their outputs, and cannot change each other', async () => {
  await runtime.deploy(
    ingestFlow({
      window: 'count',
      windowSize: 2,
      features: ['mean'],
      reduce: 'deadband',
      tolerance: 1,
      timestamp: '',
    }),
  );
  for (const v of [1, 3, 2, 2.5, 9, 9]) {
    runtime.inject('ingest', { topic: 'm', payload: { v } });
  }
  const readings = await runtime.collect('readings', 3);
  const reduced = await runtime.collect('reduced', 2);
  assert.deepEqual(
    readings.map(({ payload }) => payload),
    [2, 2.25, 9].map((mean) => ({ 'v.mean': mean })),
  );
  assert.deepEqual(
    reduced.map(({ payload }) => payload),
    [2, 9].map((mean) => ({ 'v.mean': mean })),
  );
  assert.deepEqual(reduced[1].reduction, {
    pointsIn: 3,
    pointsOut: 2,
    bytesIn: 39,
    bytesOut: 24,
    maxError: 0.25,
  });
  assert.notEqual(readings[0].payload, reduced[0].payload);
  assert.deepEqual(reduced[0].reading, readings[0].reading);
});

test('a deployment that leaves the node as it is goes on where it was; a changed node begins anew', async () => {
  const properties = { reduce: 'deadband', tolerance: 1, idPath: 'id', window: 'none' };
  await runtime.deploy(ingestFlow(properties));
  const now = Date.now();
  const send = (offset: number, v: number): void =>
    runtime.inject('ingest', { topic: 'kept', payload: { ts: now + offset, id: `r${offset}`, v } });
  send(0, 5);
  await runtime.collect('reduced', 1);
  await runtime.deploy(ingestFlow({ ...properties, name: 'renamed' }));
  send(1, 5.5);
  send(2, 7);
  const [point] = await runtime.collect('reduced', 1);
  assert.deepEqual(point.payload, { v: 7 }, '5.5 is within the band of 5, which was sent before');
  const { pointsIn, pointsOut } = point.reduction as Record<string, number>;
  assert.deepEqual([pointsIn, pointsOut], [3, 2]);
  assert.deepEqual(
    (await runtime.collect('readings', 2)).map((msg) => readingOf(msg).seq),
    [0, 1],
    'by wire nothing comes twice, so numbers and ids begin anew',
  );
  await runtime.deploy(ingestFlow({ ...properties, tolerance: 2 }));
  send(3, 7.5);
  assert.deepEqual((await runtime.collect('reduced', 1))[0].payload, { v: 7.5 });
});

test('Sparkplug by wire: births, data and the death of an edge node', async () => {
  await runtime.deploy(ingestFlow({ format: 'sparkplug' }));
  const tahu = get('spBv1.0')!;
  const send = (topic: string, metrics: object[], seq: number): void =>
    runtime.inject('ingest', {
      topic: `spBv1.0/plant/${topic}`,
      payload: Buffer.from(
        tahu.encodePayload({ timestamp: Date.now(), metrics, seq } as Parameters<
          typeof tahu.encodePayload
        >[0]),
      ),
    });
  send('DDATA/edge/press', [{ alias: 4, type: 'Double', value: 3.5 }], 2);
  const [unborn] = await runtime.collect('rejects', 1);
  assert.equal(errorOf(unborn).code, 'DECODE');
  assert.match(errorOf(unborn).message, /no birth of "plant\/edge\/press"/);
  send('NBIRTH/edge', [{ name: 'bdSeq', type: 'UInt64', value: 1 }], 0);
  send('DBIRTH/edge/press', [{ name: 'Force', alias: 4, type: 'Double', value: 1.5 }], 1);
  send('DDATA/edge/press', [{ alias: 4, type: 'Double', value: 3.5 }], 2);
  const readings = await runtime.collect('readings', 2);
  assert.deepEqual(
    readings.map(({ topic, payload }) => [topic, payload]),
    [1.5, 3.5].map((Force) => ['plant/edge/press', { Force }]),
  );
  send('NDEATH/edge', [{ name: 'bdSeq', type: 'UInt64', value: 1 }], 0);
  const [, silent] = await runtime.collect('rejects', 2);
  assert.equal((silent.event as { type: string }).type, 'SILENT');
  assert.equal(silent.topic, 'plant/edge/press');
});

test('a source that falls silent and returns is reported on output 3', async () => {
  await runtime.deploy(ingestFlow({ silence: 0.2 }));
  runtime.inject('ingest', { topic: 'm', payload: 1 });
  await runtime.collect('rejects', 1);
  await untilStatus(runtime, 'silent sources: 1');
  runtime.inject('ingest', { topic: 'm', payload: 2 });
  const [silent, returned] = await runtime.collect('rejects', 2);
  assert.equal((silent.event as { type: string }).type, 'SILENT');
  assert.equal(silent.topic, 'm');
  assert.deepEqual(silent.payload, silent.event);
  assert.equal((returned.event as { type: string }).type, 'RETURNED');
});

test('a configuration that cannot work is reported, shown, and rejects instead of throwing', async () => {
  await runtime.deploy(ingestFlow({ format: 'xml' }));
  const problem = runtime.problems().find(({ id }) => id === 'ingest');
  assert.match(String(problem?.msg), /Property "format" must be one of auto, json/);
  runtime.inject('ingest', { payload: 1 });
  assert.equal(errorOf((await runtime.collect('rejects', 1))[0]).code, 'CONFIG');
});
