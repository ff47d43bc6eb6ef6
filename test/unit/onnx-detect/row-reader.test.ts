import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planInput, type InputPlan } from '../../../nodes/onnx-detect/model/input-plan';
import { readRow, type MissingPolicy } from '../../../nodes/onnx-detect/model/row-reader';
import { newRowValues, type RowValues } from '../../../nodes/onnx-detect/model/row-values';
import { TensorBuilder } from '../../../nodes/onnx-detect/model/tensors';
import type { TensorData, ValueInfo } from '../../../nodes/onnx-detect/runtime/backend';
import { card, coded, tensor } from './support';

function plan(
  type: string,
  features: string[],
  modelCard?: object,
  ...shape: (number | string)[]
): InputPlan {
  const dims = shape.length > 0 ? shape : ['N', features.length || 2];
  return planInput(
    { inputs: [tensor('x', type, ...dims)], outputs: [], provider: 'cpu' },
    modelCard && card(modelCard),
    features,
  );
}

function planOf(inputs: ValueInfo[], modelCard?: object, features: string[] = []): InputPlan {
  return planInput({ inputs, outputs: [], provider: 'cpu' }, modelCard && card(modelCard), features);
}

function readValues(
  input: InputPlan,
  payload: unknown,
  missing: MissingPolicy = 'reject',
  last?: RowValues,
): RowValues {
  const values = newRowValues(input.width);
  readRow(input, payload, missing, last, values);
  return values;
}

function read(
  input: InputPlan,
  payload: unknown,
  missing: MissingPolicy = 'reject',
  last?: number[],
): number[] {
  return [
    ...readValues(input, payload, missing, last && { numbers: Float64Array.from(last), texts: [] }).numbers,
  ];
}

function feedsOf(input: InputPlan, ...readings: RowValues[]): Record<string, TensorData> {
  const builder = new TensorBuilder(input, 1);
  builder.add(readings);
  return builder.feeds();
}

function packed(input: InputPlan, ...values: number[]): (number | bigint | string)[] {
  return [...feedsOf(input, { numbers: Float64Array.from(values), texts: [] }).x.data];
}

const named = plan('float32', ['load', 'motor.speed']);

test('channels are found by name, nested or dotted, whatever their order in the payload', () => {
  assert.deepEqual(read(named, { motor: { speed: 2 }, extra: 9, load: 1 }), [1, 2]);
  assert.deepEqual(read(named, { 'motor.speed': 3, load: 1 }), [1, 3]);
});

test('lists go by position, and must have the right length', () => {
  assert.deepEqual(read(named, [5, 6]), [5, 6]);
  assert.deepEqual(read(named, Float32Array.of(5, 6)), [5, 6]);
  assert.throws(() => read(named, [5]), coded('SHAPE', '1 number', 'takes 2'));
  assert.throws(() => read(named, 5), coded('SHAPE'));
  assert.deepEqual(read(plan('float32', ['load']), 5), [5]);
});

test('what is no reading is refused with what to do', () => {
  for (const payload of ['12', null, undefined, true, Buffer.from([1, 2])]) {
    assert.throws(() => read(named, payload), coded('SHAPE', 'sensor-ingest'));
  }
});

test('an object without known names is refused, never guessed', () => {
  assert.throws(() => read(plan('float32', []), { a: 1, b: 2 }), coded('FEATURE_MISSING', '"features"'));
});

test('a model of one number knows its input’s own name', () => {
  const single = plan('float32', [], undefined, 'N', 1);
  assert.deepEqual(read(single, { x: 4 }), [4]);
  assert.throws(() => read(single, { y: 4 }), coded('FEATURE_MISSING', '"x"'));
});

test('missing policies: reject, nan, zero and last', () => {
  for (const gap of [{}, { load: null }, { load: NaN }, { load: Infinity }, { load: '7' }]) {
    const payload = { ...gap, 'motor.speed': 2 };
    assert.throws(() => read(named, payload), coded('FEATURE_MISSING', '"load"'));
    assert.deepEqual(read(named, payload, 'nan'), [NaN, 2]);
    assert.deepEqual(read(named, payload, 'zero'), [0, 2]);
    assert.deepEqual(read(named, payload, 'last', [8, 9]), [8, 2]);
    assert.throws(() => read(named, payload, 'last'), coded('FEATURE_MISSING', 'no earlier value'));
  }
});

test('the card scales by position, under whatever names the flow uses', () => {
  const scaled = { features: [{ name: 'a', mean: 10, scale: 2 }, { name: 'b' }] };
  assert.deepEqual(packed(plan('float32', [], scaled, 'N', 2), 14, 3), [2, 3]);
  assert.deepEqual(packed(plan('float32', ['x1', 'x2'], scaled), 14, 3), [2, 3]);
});

test('each input type gets its own elements, and values that do not fit are refused', () => {
  assert.deepEqual(packed(plan('float64', ['a']), 0.1), [0.1]);
  assert.deepEqual(packed(plan('float32', ['a']), 0.1), [Math.fround(0.1)]);
  assert.deepEqual(packed(plan('int64', ['a']), -3), [-3n]);
  assert.deepEqual(packed(plan('int32', ['a']), 7), [7]);
  assert.deepEqual(packed(plan('bool', ['a']), 1), [1]);
  assert.deepEqual(read(plan('bool', ['a', 'b']), { a: true, b: 0 }), [1, 0]);
  for (const [type, value] of [
    ['int64', 1.5],
    ['int64', 2 ** 60],
    ['int32', 2 ** 31],
    ['int32', NaN],
    ['bool', 2],
    ['float32', 1e300],
  ] as const) {
    assert.throws(() => packed(plan(type, ['a']), value), coded('DTYPE', '"a"', type));
  }
});

test('half precision and every size of whole number are held, or refused', () => {
  assert.deepEqual(packed(plan('float16', ['a']), 0.5), [0.5]);
  for (const [type, fits, doesNot] of [
    ['int8', -128, 128],
    ['uint8', 255, -1],
    ['int16', -32768, 32768],
    ['uint16', 65535, 65536],
    ['uint32', 2 ** 32 - 1, 2 ** 32],
  ] as const) {
    assert.deepEqual(packed(plan(type, ['a']), fits), [fits]);
    assert.throws(() => packed(plan(type, ['a']), doesNot), coded('DTYPE', '"a"', type));
  }
  assert.deepEqual(packed(plan('uint64', ['a']), 7), [7n]);
  assert.throws(() => packed(plan('uint64', ['a']), -1), coded('DTYPE', 'uint64'));
  assert.throws(() => packed(plan('float16', ['a']), 70_000), coded('DTYPE', 'float16'));
});

test('one input a column, texts among them, takes its names from the inputs', () => {
  const columns = planOf([
    tensor('machine', 'string', 'N', 1),
    tensor('load', 'float32', 'N', 1),
    tensor('shift', 'int64', 'N', 1),
  ]);
  const values = readValues(columns, { shift: 2, machine: 'press', load: 0.5 });
  const feeds = feedsOf(columns, values);
  assert.deepEqual(
    Object.entries(feeds).map(([name, { type, dims, data }]) => [name, type, dims, [...data]]),
    [
      ['machine', 'string', [1, 1], ['press']],
      ['load', 'float32', [1, 1], [0.5]],
      ['shift', 'int64', [1, 1], [2n]],
    ],
  );
  assert.throws(
    () => readValues(columns, { shift: 2, load: 1 }),
    coded('FEATURE_MISSING', '"machine"', 'a text'),
  );
  assert.equal(readValues(columns, { shift: 2, load: 1 }, 'zero').texts[0], '');
  assert.equal(readValues(columns, { shift: 2, load: 1 }, 'last', values).texts[0], 'press');
});

test('several inputs: features go to them in order, by the card, or each whole by its own name', () => {
  const inputs = [tensor('process', 'float32', 'N', 2), tensor('ambient', 'float32', 'N', 1)];
  const ordered = planOf(inputs, undefined, ['a', 'b', 'c']);
  const feeds = feedsOf(ordered, readValues(ordered, { c: 3, a: 1, b: 2 }));
  assert.deepEqual([...feeds.process.data, ...feeds.ambient.data], [1, 2, 3]);
  const byCard = planOf(inputs, {
    features: [
      { name: 'air', input: 'ambient', mean: 10 },
      { name: 'p', input: 'process' },
      { name: 'q', input: 'process' },
    ],
  });
  const fed = feedsOf(byCard, readValues(byCard, { air: 13, p: 1, q: 2 }));
  assert.deepEqual([...fed.process.data, ...fed.ambient.data], [1, 2, 3]);
  const whole = planOf(inputs);
  assert.deepEqual([...readValues(whole, { process: [1, 2], ambient: 3 }).numbers], [1, 2, 3]);
  assert.deepEqual(read(whole, [1, 2, 3]), [1, 2, 3]);
  assert.throws(() => readValues(whole, { process: [1], ambient: 3 }), coded('SHAPE', '"process"'));
  assert.throws(
    () => planOf(inputs, { features: [{ name: 'a', input: 'nowhere' }] }),
    coded('MODEL_INVALID', '"nowhere"'),
  );
});

test('any rank is fed by position, or as a nested list under the input’s name', () => {
  const image = planOf([tensor('image', 'float32', 'N', 1, 2, 3)]);
  assert.equal(image.width, 6);
  const nested = readValues(image, {
    image: [
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
  });
  const { image: fed } = feedsOf(image, nested);
  assert.deepEqual(
    [fed.dims, [...fed.data]],
    [
      [1, 1, 2, 3],
      [1, 2, 3, 4, 5, 6],
    ],
  );
  const vector = planOf([tensor('v', 'float32', 3)]);
  assert.deepEqual(feedsOf(vector, readValues(vector, [7, 8, 9])).v.dims, [3]);
  assert.equal(vector.fixedRows, 1);
});

test('windows: by the card or by shape, reading by reading or channel by channel', () => {
  const readings = [1, 2, 3].map((i) => ({ numbers: Float64Array.of(i, 10 * i), texts: [] }));
  const ntf = planOf([tensor('x', 'float32', 'N', 3, 2)], { features: [{ name: 'a' }, { name: 'b' }] });
  assert.deepEqual(ntf.window, { size: 3, layout: 'NTF' });
  assert.deepEqual([...feedsOf(ntf, ...readings).x.data], [1, 10, 2, 20, 3, 30]);
  const nft = planOf([tensor('x', 'float32', 'N', 2, 'T')], {
    features: [{ name: 'a' }, { name: 'b', mean: 10, scale: 10 }],
    window: { size: 3, layout: 'NFT' },
  });
  const { x } = feedsOf(nft, ...readings);
  assert.deepEqual(
    [x.dims, [...x.data]],
    [
      [1, 2, 3],
      [1, 2, 3, 0, 1, 2],
    ],
  );
  assert.throws(
    () => planOf([tensor('x', 'float32', 'N', 5, 2)], { window: 3 }, ['a', 'b']),
    coded('MODEL_INVALID', '"window"'),
  );
  assert.throws(
    () => planOf([tensor('x', 'float32', 'N', 2)], { window: 3 }),
    coded('MODEL_INVALID', '"window"'),
  );
});

test('feature names may come from the file itself; the card and the property come first', () => {
  const file = { producer: '', opsets: {}, metadata: { feature_names: '["u", "v"]' }, labels: undefined };
  const info = { inputs: [tensor('x', 'float32', 'N', 2)], outputs: [], provider: 'cpu', file };
  assert.deepEqual(planInput(info, undefined, []).names, ['u', 'v']);
  assert.deepEqual(planInput(info, undefined, ['a', 'b']).names, ['a', 'b']);
  assert.throws(
    () => planInput({ ...info, file: { ...file, metadata: { features: 'a,b,c' } } }, undefined, []),
    coded('MODEL_INVALID', 'metadata'),
  );
});

test('inputs that cannot be fed say what to export instead', () => {
  assert.throws(() => plan('bfloat16', ['a']), coded('DTYPE', 'bfloat16'));
  assert.throws(() => plan('', ['a']), coded('MODEL_UNSUPPORTED', 'sequence'));
  assert.throws(() => plan('float32', [], undefined, 'N', 'H', 'W'), coded('CONFIG', '"features"'));
  assert.throws(() => plan('float32', ['a'], undefined, 'N', 'H', 'W'), coded('MODEL_UNSUPPORTED'));
  assert.throws(() => plan('float32', [], undefined, 'N', 1e9), coded('MODEL_UNSUPPORTED'));
  assert.throws(() => plan('float32', [], undefined, 1e9, 1e3), coded('MODEL_UNSUPPORTED'));
});

test('a wrong number of features names who is wrong', () => {
  assert.throws(() => plan('float32', ['a'], undefined, 'N', 2), coded('CONFIG', '"features"', 'takes 2'));
  assert.throws(
    () => plan('float32', [], { features: [{ name: 'a' }] }, 'N', 2),
    coded('MODEL_INVALID', '"features"'),
  );
  assert.throws(() => plan('float32', [], undefined, 'N', 'F'), coded('CONFIG', '"features"'));
});
