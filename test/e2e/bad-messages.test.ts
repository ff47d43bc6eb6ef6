import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { StateInfo } from '../../nodes/crdt-state/message';
import type { Detection, EdgeMessage, Reading } from '../../nodes/shared/messages';
import { errorOf, MessageBench } from '../support/bad-messages';
import { packageRoot, TestRuntime, type FlowNode } from '../support/runtime';

let runtime: TestRuntime;
let bench: MessageBench;
before(async () => {
  runtime = await TestRuntime.start();
  bench = new MessageBench(runtime);
  const models = join(runtime.userDir, 'models');
  mkdirSync(models, { recursive: true });
  for (const name of ['risk', 'reconstruct', 'zipmap', 'unknown-operator', 'external-data']) {
    copyFileSync(join(packageRoot, 'test', 'fixtures', 'onnx', `${name}.onnx`), join(models, `${name}.onnx`));
  }
  writeFileSync(join(models, 'corrupt.onnx'), 'this is no model');
});
after(() => runtime.stop());

const cyclic: Record<string, unknown> = { v: 1 };
cyclic.self = cyclic;
const holey: unknown[] = [{ x: 1, y: 1 }];
holey[2] = { x: 2, y: 2 };

test('sensor-ingest: every bad message comes out of output 3 as it came', async () => {
  await bench.deploy([
    { id: 'plain', type: 'sensor-ingest', name: 'press 1' },
    {
      id: 'strict',
      type: 'sensor-ingest',
      channels: [{ name: 'v', path: 'v', min: 0, max: 100 }],
      schema: '{"type":"object","required":["v"]}',
      maxBytes: 200,
      maxSources: 1,
      idPath: 'id',
    },
    { id: 'float', type: 'sensor-ingest', format: 'float32' },
    { id: 'csv', type: 'sensor-ingest', format: 'csv' },
    { id: 'msgpack', type: 'sensor-ingest', format: 'msgpack' },
    { id: 'few', type: 'sensor-ingest', maxChannels: 2 },
    { id: 'window', type: 'sensor-ingest', window: 'count', windowSize: 2 },
  ]);
  const late = { v: 1, ts: Date.now() };
  const cases: [id: string, payload: unknown, code: string, names: RegExp, topic?: unknown][] = [
    ['plain', 'temperature=5', 'DECODE', /"format"/],
    ['plain', '{"v":1', 'DECODE', /"format"/],
    ['plain', Buffer.from([0xff, 0xfe, 0, 1]), 'DECODE', /"format"/],
    ['plain', undefined, 'DECODE', /payload/],
    ['plain', null, 'DECODE', /payload/],
    ['plain', true, 'DECODE', /payload/],
    ['plain', 7n, 'DECODE', /payload is a BigInt/],
    ['plain', holey, 'DECODE', /Row 1/],
    ['plain', { v: 1 }, 'DECODE', /"sourceId"/, { not: 'a name' }],
    ['plain', { v: 'on' }, 'NO_CHANNELS', /payload/],
    ['plain', [], 'NO_CHANNELS', /payload/],
    ['plain', { v: 1, w: NaN }, 'NOT_FINITE', /"w"/],
    ['plain', [{ v: 1 }, { v: Infinity }], 'NOT_FINITE', /Row 1: Channel "v"/],
    ['plain', { v: 1, ts: 'yesterday' }, 'TIMESTAMP', /"ts".*"timestamp"/],
    ['plain', { v: 1, ts: -5 }, 'TIMESTAMP', /"timestamp"/],
    ['plain', cyclic, 'TOO_LARGE', /nested/],
    ['plain', { v: 1 }, 'TOO_LARGE', /source/, 'x'.repeat(2000)],
    ['strict', { w: 1 }, 'SCHEMA', /"v".*"schema"/],
    ['strict', { v: 100.5 }, 'RANGE', /"v".*max/],
    ['strict', { v: 'high' }, 'NOT_FINITE', /"v"/],
    ['strict', `{"v":1,"x":"${'x'.repeat(200)}"}`, 'TOO_LARGE', /"maxBytes"/],
    ['strict', { v: 1 }, 'SOURCE_LIMIT', /"maxSources"/, 'stranger'],
    ['strict', { v: 9, id: 'first' }, 'DUPLICATE', /"first"/],
    ['few', { a: 1, b: 2, c: 3 }, 'TOO_LARGE', /"maxChannels"/],
    ['float', Buffer.from([1, 2, 3]), 'DECODE', /"format"/],
    ['float', Buffer.from(new Float32Array([1, NaN]).buffer), 'NOT_FINITE', /Sample 1/],
    ['float', 'text', 'DECODE', /"format"/],
    ['csv', 'a,b\n"1,2', 'DECODE', /"|quote|CSV/],
    ['msgpack', Buffer.from([0x82, 0xa1]), 'DECODE', /"format"/],
    ['window', { v: 1e200 }, 'NOT_FINITE', /"v"/],
  ];
  const good: Record<string, unknown> = {
    float: Buffer.from(new Float32Array([1, 2]).buffer),
    csv: 'a,b\n1,2',
    msgpack: Buffer.from([0x81, 0xa1, 0x76, 0x01]),
  };
  const next = new Map<string, number>();
  const checkGood = async (id: string, payload: unknown): Promise<void> => {
    if (id === 'window') {
      await bench.send(id, { topic: 'line', payload });
    }
    const sent = await bench.accept(id, { topic: 'line', payload, kept: 'yes' }, 0);
    const { seq, source } = sent.reading as Reading;
    assert.deepEqual([seq, source, sent.kept], [next.get(id) ?? 0, 'line', 'yes'], id);
    next.set(id, seq + 1);
  };
  await checkGood('strict', { v: 9, id: 'first' });
  for (const [id, payload, code, names, topic = 'line'] of cases) {
    const error = await bench.reject(id, { topic, payload }, 2, code);
    assert.match(error.message, names);
    await checkGood(id, good[id] ?? { v: 2 });
  }
  await checkGood('plain', late);
  await bench.reject('plain', { topic: 'line', payload: { ...late } }, 2, 'DUPLICATE');
  await checkGood('plain', { v: 3 });
});

test('sensor-ingest: of a batch in which some rows came before, only those are refused', async () => {
  await bench.deploy([{ id: 'plain', type: 'sensor-ingest' }]);
  const ts = Date.now();
  await bench.accept('plain', { topic: 'line', payload: { v: 1, ts } }, 0);
  const payload = [
    { v: 1, ts },
    { v: 2, ts: ts + 1 },
  ];
  const { outputs, done } = await bench.send('plain', { topic: 'line', payload });
  assert.deepEqual(
    outputs[0].map((msg) => [msg.payload, (msg.reading as Reading).seq]),
    [[{ v: 2 }, 1]],
  );
  assert.deepEqual(done, [{ error: undefined }]);
  const rejects = runtime.messages('plain-out2');
  assert.deepEqual([rejects.length, errorOf(rejects[0])?.code], [1, 'DUPLICATE']);
  assert.equal(rejects[0].payload, payload);
});

/** What a detector said, without what differs from run to run. */
function judgementOf(outputs: EdgeMessage[][]): { at: number[]; detection: Detection } {
  const detection = outputs.flat()[0].detection as Detection;
  return { at: outputs.map(({ length }) => length), detection: { ...detection, latencyMs: 0, ts: 0 } };
}

const RISK = { type: 'onnx-detect', model: 'models/risk.onnx', task: 'classify', threshold: 0.5 };

test('onnx-detect: every bad message reaches a Catch node and the model serves on', async () => {
  await bench.deploy([
    { id: 'risk', ...RISK },
    { id: 'nan', ...RISK, missing: 'nan' },
    { id: 'small', ...RISK, queueLimit: 2 },
    { id: 'wide', type: 'onnx-detect', model: 'models/reconstruct.onnx', task: 'reconstruct', threshold: 9 },
  ]);
  const swap = (payload: unknown): object => ({ operation: 'model', payload });
  const cases: [id: string, msg: object, code: string, names: RegExp][] = [
    ['risk', { payload: {} }, 'FEATURE_MISSING', /"load".*"features"/],
    ['risk', { payload: { load: 'high' } }, 'FEATURE_MISSING', /"load"/],
    ['risk', { payload: { load: NaN } }, 'FEATURE_MISSING', /"load".*"missing"/],
    ['wide', { payload: { a: 1 } }, 'FEATURE_MISSING', /"features"/],
    ['risk', { payload: [{ load: 1 }, {}] }, 'FEATURE_MISSING', /Row 1.*"load"/],
    ['risk', { payload: holey }, 'FEATURE_MISSING', /Row 0/],
    ['risk', { payload: Object.assign([{ load: 1 }], { 2: { load: 1 } }) }, 'SHAPE', /Row 1/],
    ['risk', { payload: 'text' }, 'SHAPE', /payload/],
    ['risk', {}, 'SHAPE', /payload/],
    ['risk', { payload: Buffer.from('1') }, 'SHAPE', /payload/],
    ['risk', { payload: [1, 2] }, 'SHAPE', /payload/],
    ['risk', { payload: { load: 1e39 } }, 'DTYPE', /"load"/],
    ['nan', { payload: {} }, 'INFERENCE', /"missing"/],
    ['small', { payload: [{ load: 1 }, { load: 1 }, { load: 1 }] }, 'OVERLOAD', /"queueLimit"/],
    ['risk', swap('models/none.onnx'), 'MODEL_NOT_FOUND', /models\//],
    ['risk', swap('../../etc/passwd'), 'MODEL_NOT_FOUND', /\.onnx/],
    ['risk', swap('/models/risk.onnx'), 'MODEL_NOT_FOUND', /editor/],
    ['risk', swap({ model: 'models/risk.onnx', digest: '0'.repeat(64) }), 'MODEL_DIGEST', /"digest"/],
    ['risk', swap('models/corrupt.onnx'), 'MODEL_INVALID', /"model"/],
    ['risk', swap('models/zipmap.onnx'), 'MODEL_UNSUPPORTED', /zipmap/],
    ['risk', swap('models/unknown-operator.onnx'), 'MODEL_UNSUPPORTED', /Divine/],
    ['risk', swap('models/external-data.onnx'), 'MODEL_UNSUPPORTED', /single file/],
    ['risk', swap(undefined), 'CONFIG', /msg\.payload/],
    ['risk', swap({ shadow: 'x' }), 'MODEL_NOT_FOUND', /"x"/],
    ['risk', { operation: 'fly', payload: { load: 1 } }, 'OPERATION', /msg\.operation/],
    ['risk', { operation: 'maintenance', payload: 'on' }, 'PAYLOAD', /msg\.payload/],
  ];
  const good = async (id: string): Promise<unknown> => {
    const payload = id === 'wide' ? [0, 0, 0, 0] : { load: 3 };
    const { outputs, caught } = await bench.send(id, { topic: 'line', payload });
    assert.equal(outputs.flat().length, 1, `${id}: ${errorOf(caught[0])?.message}`);
    return judgementOf(outputs);
  };
  const expected = new Map<string, unknown>();
  for (const id of ['risk', 'nan', 'small', 'wide']) {
    expected.set(id, await good(id));
  }
  for (const [id, msg, code, names] of cases) {
    const error = await bench.refuse(id, { topic: 'line', ...msg }, code);
    assert.match(error.message, names);
    assert.deepEqual(await good(id), expected.get(id));
  }
});

test('onnx-detect: a model that does not load refuses every reading, until another one serves', async () => {
  const bad: [string, object, string][] = [
    ['missing', { model: 'models/none.onnx' }, 'MODEL_NOT_FOUND'],
    ['digest', { digest: '0'.repeat(64) }, 'MODEL_DIGEST'],
    ['corrupt', { model: 'models/corrupt.onnx' }, 'MODEL_INVALID'],
    ['zipmap', { model: 'models/zipmap.onnx' }, 'MODEL_UNSUPPORTED'],
    ['operator', { model: 'models/unknown-operator.onnx' }, 'MODEL_UNSUPPORTED'],
    ['names', { features: ['a', 'b'] }, 'CONFIG'],
  ];
  await bench.deploy(bad.map(([id, config]): FlowNode => ({ id, ...RISK, ...config })));
  for (const [id, , code] of bad) {
    await bench.refuse(id, { payload: { load: 3 } }, code);
    if (code !== 'CONFIG') {
      await bench.send(id, { operation: 'model', payload: 'models/risk.onnx' });
      await bench.accept(id, { payload: { load: 3 } }, 0);
    }
  }
});

test('iso-forest: every bad message reaches a Catch node and teaches nothing', async () => {
  const forest = { type: 'iso-forest', warmup: 20, history: 60, retrain: 10, trees: 20, sample: 32 };
  const config = { ...forest, persist: false, maxSources: 1, name: 'forest' };
  await bench.deploy([
    { id: 'forest', ...config },
    { id: 'twin', ...config },
  ]);
  const row = (i: number): object => ({ x: Math.sin(i), y: i % 7 });
  const bothJudge = async (i: number): Promise<void> => {
    const [one, other] = await Promise.all(
      ['forest', 'twin'].map(async (id) => {
        const { outputs } = await bench.send(id, { topic: 'line', payload: row(i) });
        return judgementOf(outputs);
      }),
    );
    assert.deepEqual(one, other, `reading ${i}`);
    assert.equal(typeof one.detection.score, i < 25 ? typeof one.detection.score : 'number');
  };
  for (let i = 0; i < 35; i++) {
    await bothJudge(i);
  }
  const rows = (bad: unknown): unknown[] => [...Array.from({ length: 20 }, (_, i) => row(i)), bad, row(1)];
  const cases: [msg: object, code: string, names: RegExp][] = [
    [{ payload: 'text' }, 'PAYLOAD', /msg\.payload/],
    [{ payload: null }, 'PAYLOAD', /msg\.payload/],
    [{}, 'PAYLOAD', /msg\.payload/],
    [{ payload: Buffer.from('1,2') }, 'PAYLOAD', /msg\.payload/],
    [{ payload: { x: 1 } }, 'CHANNEL_MISSING', /"y".*"missing"/],
    [{ payload: { x: 1, y: 'two' } }, 'CHANNEL_MISSING', /"y"/],
    [{ payload: { x: NaN, y: 1 } }, 'NOT_FINITE', /"x".*"missing"/],
    [{ payload: { x: 1, y: 1e39 } }, 'NOT_FINITE', /"y"/],
    [{ payload: rows({ x: 1, y: NaN }) }, 'NOT_FINITE', /"y"/],
    [{ payload: rows('text') }, 'PAYLOAD', /msg\.payload/],
    [{ payload: holey }, 'PAYLOAD', /msg\.payload/],
    [{ payload: row(1), topic: 'stranger' }, 'SOURCE_LIMIT', /"maxSources"/],
    [{ operation: 'import', payload: undefined }, 'IMPORT_INVALID', /msg\.payload/],
    [
      { operation: 'import', payload: { format: 'millwright/iso-forest', version: 1, forests: [{}] } },
      'IMPORT_INVALID',
      /export/,
    ],
    [{ operation: 'fly' }, 'OPERATION', /msg\.operation/],
    [{ operation: Object.create(null) as object }, 'OPERATION', /msg\.operation/],
    [{ operation: 'maintenance', payload: { on: 'yes' } }, 'PAYLOAD', /msg\.payload/],
  ];
  let reading = 35;
  for (const [msg, code, names] of cases) {
    const error = await bench.refuse('forest', { topic: 'line', ...msg }, code);
    assert.match(error.message, names);
    await bothJudge(reading++);
  }
  // A part of an export that is damaged must not replace what was learned.
  const exported = await bench.accept('twin', { operation: 'export' }, 1);
  const damaged = structuredClone(exported.payload) as { forests: Record<string, unknown>[] };
  damaged.forests.push({ ...damaged.forests[0], source: 'second', rows: 'none' });
  await bench.refuse('forest', { operation: 'import', payload: damaged }, 'IMPORT_INVALID');
  for (const last = reading + 15; reading < last; reading++) {
    await bothJudge(reading);
  }
});

test('crdt-state: every bad message reaches a Catch node and changes no key', async () => {
  const rules = [
    { pattern: 'count/#', strategy: 'counter' },
    { pattern: 'parts/#', strategy: 'set' },
    { pattern: 'on/#', strategy: 'flag' },
    { pattern: 'load/#', strategy: 'mean' },
  ];
  const state = { type: 'crdt-state', space: 'line', persist: false, rules };
  await bench.deploy(
    [
      { id: 'state', ...state },
      { id: 'keyed', ...state, gateway: 'keyed-gateway' },
    ],
    [{ id: 'keyed-gateway', type: 'edge-gateway', gatewayId: 'keyed' }],
    { keyed: { spaceKey: 'secret' } },
  );
  const set = (topic: unknown, payload: unknown, operation?: unknown): object => ({
    topic,
    payload,
    operation,
  });
  const frame = (...bytes: number[]): object => set('edge/state/line/d/x', Buffer.from(bytes));
  await bench.accept('state', set('mode', 'auto'), 0);
  await bench.accept('state', set('count/a', 3, 'increment'), 0);
  await bench.accept('state', set('parts/a', ['p'], 'add'), 0);
  const snapshot = async (): Promise<unknown> =>
    (await bench.accept('state', { operation: 'snapshot' }, 0)).payload;
  const expected = (await snapshot()) as Record<string, unknown>;
  assert.deepEqual({ ...expected }, { 'count/a': 3, mode: 'auto', 'parts/a': ['p'] });
  const cases: [msg: object, code: string, names: RegExp][] = [
    [set('mode', 1, 'fly'), 'OPERATION', /msg\.operation/],
    [set('mode', 1, 7), 'OPERATION', /msg\.operation/],
    [set('mode', 1, cyclic), 'OPERATION', /msg\.operation/],
    [set('mode', 1, 7n), 'OPERATION', /msg\.operation/],
    [set('mode', 'gateway', 'retire'), 'VALUE', /msg\.payload/],
    [set('mode', 1, 'increment'), 'STRATEGY', /"counter"/],
    [set('count/a', 'x', 'add'), 'STRATEGY', /"set"/],
    [set('parts/a', true, 'enable'), 'STRATEGY', /"flag"/],
    [set('count/a', undefined, 'resolve'), 'STRATEGY', /"count\/a"/],
    [set('mode', undefined), 'VALUE', /msg\.payload/],
    [set('mode', NaN), 'VALUE', /msg\.payload/],
    [set('mode', { deep: [7n] }), 'VALUE', /msg\.payload/],
    [set('mode', cyclic), 'VALUE', /msg\.payload/],
    [set('mode', Buffer.from('x')), 'VALUE', /msg\.payload/],
    [set('mode', 'x'.repeat(70_000)), 'VALUE', /msg\.payload/],
    [set('count/a', 'many', 'increment'), 'VALUE', /msg\.payload/],
    [set('count/a', 'many'), 'VALUE', /"counter"/],
    [set('on/a', 'yes'), 'VALUE', /"flag"/],
    [set('load/a', 'high'), 'VALUE', /"mean"/],
    [set('', 1), 'VALUE', /msg\.topic/],
    [set(undefined, 1), 'VALUE', /msg\.topic/],
    [set(5, 1, 'get'), 'VALUE', /msg\.topic/],
    [set('x'.repeat(2000), 1), 'VALUE', /msg\.topic/],
    [frame(9, 0, 0x90), 'SYNC_VERSION', /version 9/],
    [frame(1, 0, 0x90), 'SYNC_INVALID', /frame/],
    [frame(), 'SYNC_INVALID', /frame/],
    [set('edge/state/other/d/x', Buffer.from([1, 0, 0x90])), 'SYNC_INVALID', /edge\/state\/line/],
    [frame(1, 0x80, 0x90), 'SYNC_AUTH', /"spaceKey"/],
  ];
  for (const [index, [msg, code, names]] of cases.entries()) {
    const error = await bench.refuse('state', msg, code);
    assert.match(error.message, names);
    assert.deepEqual(await snapshot(), expected, `after case ${index} (${code})`);
  }
  await bench.accept('keyed', set('mode', 'manual'), 0);
  await bench.refuse('keyed', frame(1, 0, 0x90), 'SYNC_AUTH');
  assert.equal((await bench.accept('keyed', set('mode', undefined, 'get'), 0)).payload, 'manual');
  const changed = await bench.accept('state', set('count/a', 1, 'increment'), 0);
  assert.deepEqual([changed.payload, (changed.state as StateInfo).origin], [4, 'local']);
});
