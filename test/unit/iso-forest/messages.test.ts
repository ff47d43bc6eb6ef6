import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeError } from '../../../nodes/shared/errors';
import type { Detection } from '../../../nodes/shared/messages';
import { parseIsoForestConfig } from '../../../nodes/iso-forest/config';
import { Bench, machine } from './support';

const SMALL = {
  trees: 10,
  sample: 32,
  history: 100,
  retrain: 20,
  warmup: 20,
  reference: 100,
  persist: false,
};

const coded =
  (code: string, mentions = '') =>
  (thrown: unknown): boolean =>
    thrown instanceof EdgeError && thrown.code === code && thrown.message.includes(mentions);

/** Sends so many healthy readings. */
async function warm(bench: Bench, count: number, topic = 'machine'): Promise<() => Record<string, number>> {
  const next = machine(3, 1);
  for (let reading = 0; reading < count; reading++) {
    await bench.detect(next(), topic);
  }
  return next;
}

test('plain numbers, arrays, nested objects and readings of sensor-ingest are all judged', async () => {
  const bench = new Bench(SMALL);
  for (const [topic, payload] of [
    ['number', 7],
    ['array', [1, 2]],
    ['typed', Float32Array.of(1, 2)],
    ['nested', { spindle: { rms: 1 }, text: 'x' }],
  ] as const) {
    assert.equal((await bench.detect(payload, topic)).source, topic);
  }
  const reading = { id: '1', source: 'press', ts: 5, seq: 1, quality: 'good' };
  const detection = await bench.detect({ a: 1 }, 'topic', { reading });
  assert.deepEqual([detection.source, detection.ts], ['press', 5]);
});

test('hostile payloads are refused with a code, and change nothing', async () => {
  const bench = new Bench(SMALL);
  const untouched = new Bench(SMALL);
  const next = await warm(bench, 60);
  await warm(untouched, 60);
  for (const [payload, code] of [
    [null, 'PAYLOAD'],
    ['12', 'PAYLOAD'],
    [Buffer.from('x'), 'PAYLOAD'],
    [{}, 'CHANNEL_MISSING'],
    [{ c0: 1, c1: 1 }, 'CHANNEL_MISSING'],
    [{ c0: 1, c1: 1, c2: '1' }, 'CHANNEL_MISSING'],
    [{ c0: 1, c1: 1, c2: NaN }, 'NOT_FINITE'],
    [{ c0: 1, c1: -Infinity, c2: 1 }, 'NOT_FINITE'],
    [{ c0: 1, c1: 1e300, c2: 1 }, 'NOT_FINITE'],
    [JSON.parse('{"__proto__": {"c0": 1, "c1": 1, "c2": 1}}') as unknown, 'CHANNEL_MISSING'],
  ] as const) {
    await assert.rejects(async () => bench.send({ topic: 'machine', payload }), coded(code), code);
  }
  for (const payload of [{}, { text: 'x' }, true, [], undefined]) {
    await assert.rejects(async () => bench.send({ topic: 'stranger', payload }), coded('PAYLOAD'));
  }
  const reading = next();
  assert.equal((await bench.detect(reading)).score, (await untouched.detect(reading)).score);
  assert.equal(bench.figures.get('edge_rejected_total{code="NOT_FINITE"}'), 3);
  assert.equal(bench.figures.get('edge_forest_sources'), 1);
});

test('one bad row refuses the whole batch before anything is learned', async () => {
  const bench = new Bench(SMALL);
  const untouched = new Bench(SMALL);
  const next = await warm(bench, 60);
  await warm(untouched, 60);
  const rows = [...Array.from({ length: 40 }, next), { c0: NaN, c1: 0, c2: 0 }];
  await assert.rejects(
    async () => bench.send({ topic: 'machine', payload: rows }),
    coded('NOT_FINITE', 'c0'),
  );
  const reading = next();
  assert.deepEqual(
    { ...(await bench.detect(reading)), latencyMs: 0 },
    { ...(await untouched.detect(reading)), latencyMs: 0 },
  );
});

test('a batch of several sources is judged by each source’s forest, in order', async () => {
  const bench = new Bench(SMALL);
  const rows = Array.from({ length: 60 }, machine(2, 2));
  const reading = rows.map((_, i) => ({
    id: String(i),
    source: `m${i % 2}`,
    ts: i,
    seq: i,
    quality: 'good',
  }));
  const [{ output, msg }] = await bench.send({ topic: '', payload: rows, reading });
  assert.equal(output, 1);
  assert.equal(bench.figures.get('edge_forest_sources'), 2);
  const detections = msg.detection as Detection[];
  assert.deepEqual(
    detections.map(({ index }) => index),
    rows.map((_, i) => i),
  );
  assert.equal(detections.filter(({ status }) => status === 'LEARNING').length, 40);
});

test('channels are fixed by the first reading: more later are ignored, fewer refused', async () => {
  const bench = new Bench(SMALL);
  await bench.detect({ a: 1, b: 2 });
  await bench.detect({ a: 1, b: 2, c: 3 });
  await assert.rejects(
    async () => bench.send({ topic: 'machine', payload: { a: 1 } }),
    coded('CHANNEL_MISSING', '"b"'),
  );
});

test('each policy for missing values does what it says', async () => {
  const after = async (missing: string, payload: object): Promise<number | null> => {
    const bench = new Bench({ ...SMALL, missing, channels: ['c0', 'c1', 'c2'] });
    await warm(bench, 80);
    await bench.detect({ c0: 9, c1: 9, c2: 9 });
    return (await bench.detect(payload)).score;
  };
  assert.equal(await after('zero', { c0: 10, c1: 10 }), await after('zero', { c0: 10, c1: 10, c2: 0 }));
  assert.equal(await after('last', { c0: 10, c1: 10 }), await after('last', { c0: 10, c1: 10, c2: 9 }));
  const unknown = await after('nan', { c0: 10, c1: 10 });
  assert.ok(unknown !== null && unknown < ((await after('nan', { c0: 10, c1: 10, c2: 99 })) ?? 0));
  const bench = new Bench({ ...SMALL, missing: 'last', channels: ['a', 'b'] });
  await assert.rejects(
    async () => bench.send({ topic: 'x', payload: { a: 1 } }),
    coded('CHANNEL_MISSING', '"b"'),
  );
});

test('a known failure is scored and not learned; nor is a doubtful reading', async () => {
  const failure = { detector: 'onnx-detect', kind: 'KNOWN_FAILURE', score: 0.9 };
  const reading = { id: '1', source: 'machine', ts: 5, seq: 1, quality: 'bad' };
  for (const more of [{ detections: [failure] }, { reading }]) {
    const bench = new Bench(SMALL);
    const untouched = new Bench(SMALL);
    const next = await warm(bench, 60);
    await warm(untouched, 60);
    for (let i = 0; i < 30; i++) {
      const { score } = await bench.detect({ c0: 11, c1: 11, c2: 11 }, 'machine', more);
      assert.ok(score !== null && score > 0);
    }
    const probe = next();
    assert.equal((await bench.detect(probe)).score, (await untouched.detect(probe)).score);
  }
});

test('a known failure stays the leading detection', async () => {
  const bench = new Bench(SMALL);
  const failure = { detector: 'onnx-detect', kind: 'KNOWN_FAILURE', score: 0.9 };
  const [{ msg }] = await bench.send({ topic: 'x', payload: { a: 1 }, detections: [failure] });
  assert.deepEqual(msg.detection, failure);
  assert.equal((msg.detections as Detection[]).length, 2);
});

test('votes and hold-off make one episode of an event', async () => {
  const bench = new Bench({ ...SMALL, votes: 3, voteWindow: 5, holdOff: 10 });
  const next = await warm(bench, 90);
  const outputs: string[] = [];
  for (let second = 0; second < 40; second++) {
    bench.clock.time += 1000;
    const payload = second >= 5 && second < 12 ? { c0: 90, c1: 90, c2: 90 } : next();
    const [{ output, detection }] = await bench.send({ topic: 'machine', payload });
    if (output === 0) {
      outputs.push(`${second} ${detection.episode?.phase}`);
    }
  }
  assert.deepEqual(outputs, ['7 start', '21 end']);
});

test('under maintenance nothing is flagged or learned, for one source or for all', async () => {
  const bench = new Bench(SMALL);
  const next = await warm(bench, 60);
  const strange = { c0: 90, c1: 90, c2: 90 };
  assert.deepEqual(
    await bench.send({ topic: 'machine', operation: 'maintenance', payload: { on: true } }),
    [],
  );
  for (let i = 0; i < 60; i++) {
    const [{ output, detection }] = await bench.send({ topic: 'machine', payload: strange });
    assert.deepEqual([output, detection.status, detection.kind], [1, 'SUPPRESSED', undefined]);
  }
  await bench.send({ topic: '', operation: 'maintenance', payload: { on: false } });
  assert.equal((await bench.detect(next())).status, 'OPERATIONAL');
  assert.equal((await bench.detect(strange)).kind, 'NOVEL_ANOMALY');
});

test('more sources than allowed are refused, in a batch too, and known ones go on', async () => {
  const bench = new Bench({ ...SMALL, maxSources: 2 });
  await bench.detect(1, 'a');
  const reading = ['b', 'c'].map((source) => ({ id: '1', source, ts: 1, seq: 1, quality: 'good' }));
  await assert.rejects(
    async () => bench.send({ payload: [[1], [1]], reading }),
    coded('SOURCE_LIMIT', 'maxSources'),
  );
  await bench.detect(1, 'b');
  await assert.rejects(async () => bench.send({ topic: 'c', payload: 1 }), coded('SOURCE_LIMIT'));
  await bench.send({ topic: 'a', operation: 'reset' });
  await bench.detect(1, 'c');
});

test('one forest for all sources learns from each of them', async () => {
  const bench = new Bench({ ...SMALL, scope: 'node' });
  const next = machine(2, 5);
  for (let i = 0; i < 21; i++) {
    await bench.detect(next(), `machine ${i % 3}`);
  }
  assert.equal((await bench.detect(next(), 'machine 9')).status, 'OPERATIONAL');
});

test('reset forgets, commission learns anew; an unknown operation is an error', async () => {
  const bench = new Bench(SMALL);
  const next = await warm(bench, 60);
  await bench.send({ topic: 'machine', operation: 'commission' });
  assert.equal((await bench.detect(next())).status, 'LEARNING');
  await warm(bench, 60);
  await bench.send({ topic: '', operation: 'reset' });
  assert.equal((await bench.detect({ other: 1 })).status, 'LEARNING');
  for (const operation of ['explode', 7, {}]) {
    await assert.rejects(async () => bench.send({ operation, payload: 1 }), coded('OPERATION', 'commission'));
  }
});

test('an import gives the scores of the export, on another node and under another name', async () => {
  for (const count of [15, 60, 130, 400]) {
    const bench = new Bench({ ...SMALL, shingle: 2, smoothing: 3 });
    const next = await warm(bench, count);
    const [{ output, msg }] = await bench.send({ topic: 'machine', operation: 'export' });
    assert.equal(output, 1);
    const payload: unknown = JSON.parse(JSON.stringify(msg.payload));
    const other = new Bench({ ...SMALL, shingle: 2, smoothing: 3 });
    assert.deepEqual(await other.send({ topic: 'twin', operation: 'import', payload }), []);
    for (let i = 0; i < 150; i++) {
      const reading = next();
      const expected = await bench.detect(reading);
      const actual = await other.detect(reading, 'twin');
      assert.deepEqual(
        [actual.score, actual.threshold],
        [expected.score, expected.threshold],
        `${count} + ${i}`,
      );
    }
  }
});

test('a broken import is refused whole, whatever is wrong with it', async () => {
  const bench = new Bench(SMALL);
  await warm(bench, 150);
  const [{ msg }] = await bench.send({ operation: 'export' });
  const good = JSON.stringify(msg.payload);
  const broken = (change: (forest: Record<string, unknown>) => void): unknown => {
    const copy = JSON.parse(good) as { forests: Record<string, unknown>[] };
    change(copy.forests[0]);
    return copy;
  };
  for (const payload of [
    null,
    'text',
    {},
    { format: 'millwright/iso-forest', version: 2, forests: [] },
    { format: 'millwright/iso-forest', version: 1, forests: [null] },
    broken((forest) => (forest.rows = 'AAA$')),
    broken((forest) => (forest.rows = 'AAAA')),
    broken((forest) => (forest.channels = [])),
    broken((forest) => (forest.channels = ['a'])),
    broken((forest) => (forest.first = -1)),
    broken((forest) => (forest.version = 9)),
    broken((forest) => (forest.threshold = null)),
    broken((forest) => (forest.shingle = 1e9)),
    broken((forest) => (forest.source = 5)),
  ]) {
    await assert.rejects(
      async () => bench.send({ operation: 'import', payload }),
      coded('IMPORT_INVALID'),
      JSON.stringify(payload).slice(0, 80),
    );
  }
  assert.notEqual((await bench.detect({ c0: 10, c1: 10, c2: 10 })).score, null);
});

test('every default is the contract’s, and what is no choice is refused by name', () => {
  const config = parseIsoForestConfig({});
  assert.deepEqual(
    [config.model.history, config.model.retrain, config.model.trees, config.model.sample, config.model.seed],
    [1000, 100, 100, 256, 42],
  );
  assert.deepEqual(config.model.threshold, { mode: 'auto', alarmRate: 0.0005 });
  assert.equal(config.model.variant, 'blend');
  assert.throws(() => parseIsoForestConfig({ variant: 'extended' }), coded('CONFIG', 'variant'));
  assert.throws(() => parseIsoForestConfig({ trees: 0 }), coded('CONFIG', 'trees'));
  assert.throws(() => parseIsoForestConfig({ learn: 'x' }), coded('CONFIG', 'learn'));
});
