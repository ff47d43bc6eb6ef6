import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planInput, type InputPlan } from '../../../nodes/onnx-detect/model/input-plan';
import {
  allocateInput,
  inputTensor,
  packRow,
  readRow,
  type MissingPolicy,
} from '../../../nodes/onnx-detect/model/row-reader';
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

function read(
  input: InputPlan,
  payload: unknown,
  missing: MissingPolicy = 'reject',
  last?: number[],
): number[] {
  const values = new Float64Array(input.width);
  readRow(input, payload, missing, last, values, 0);
  return [...values];
}

function packed(input: InputPlan, ...values: number[]): (number | bigint)[] {
  const data = allocateInput(input, 1);
  packRow(input, Float64Array.from(values), 0, data);
  return [...(inputTensor(input, data, 1).data as Float64Array)];
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

test('inputs that cannot be fed say what to export instead', () => {
  assert.throws(() => plan('float16', ['a']), coded('DTYPE', 'float16'));
  assert.throws(() => plan('string', ['a']), coded('DTYPE', 'string'));
  assert.throws(() => plan('float32', [], undefined, 'N', 8, 3), coded('MODEL_UNSUPPORTED', '[N, 8, 3]'));
  assert.throws(() => plan('float32', [], undefined, 'N', 1e9), coded('MODEL_UNSUPPORTED'));
  assert.throws(() => plan('float32', [], undefined, 1e9, 1e3), coded('MODEL_UNSUPPORTED'));
  const two = [tensor('a', 'float32', 'N', 1), tensor('b', 'float32', 'N', 1)];
  assert.throws(
    () => planInput({ inputs: two, outputs: [], provider: 'cpu' }, undefined, []),
    coded('MODEL_UNSUPPORTED', 'a, b'),
  );
});

test('a wrong number of features names who is wrong', () => {
  assert.throws(() => plan('float32', ['a'], undefined, 'N', 2), coded('CONFIG', '"features"', 'takes 2'));
  assert.throws(
    () => plan('float32', [], { features: [{ name: 'a' }] }, 'N', 2),
    coded('MODEL_INVALID', '"features"'),
  );
  assert.throws(() => plan('float32', [], undefined, 'N', 'F'), coded('CONFIG', '"features"'));
});
