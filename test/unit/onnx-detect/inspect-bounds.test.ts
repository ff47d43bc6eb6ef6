import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitted } from '../../../nodes/onnx-detect/inspect/bounds';
import { cardEntries } from '../../../nodes/onnx-detect/inspect/card-entries';
import { checkFeatures } from '../../../nodes/onnx-detect/inspect/feature-check';
import { parseInspectRequest } from '../../../nodes/onnx-detect/inspect/request';
import type { ModelDescription } from '../../../nodes/onnx-detect/inspect/result';
import * as onnx from '../../support/onnx-builder';
import { inspect, put, tryOn } from './inspect-support';

const LIMIT = 200_000;
const sizeOf = (answer: unknown): number => Buffer.byteLength(JSON.stringify(answer));

/** Three bytes a character, six in JSON. */
const long = (length: number): string => '\u0001'.repeat(length);
const many = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

test('a model of nothing but long names and texts gives an answer of 200 KB at most', async () => {
  const outputs = many(200).map((at) => `${at}${long(2000)}`);
  const metadata = Object.fromEntries(many(2000).map((at) => [`${at}${long(300)}`, long(2000)]));
  const bytes = onnx.model(
    {
      nodes: [...outputs, 'y'].map((name) => onnx.node('Identity', ['x'], [name])),
      inputs: [onnx.value('x', onnx.FLOAT, ['N', 1000])],
      outputs: [...outputs, 'y'].map((name) => onnx.value(name, onnx.FLOAT, ['N', 1000])),
    },
    metadata,
  );
  const model = put('endless', bytes, {
    name: long(1000),
    features: many(1000).map((at) => ({ name: `${at}${long(45)}`, unit: long(42) })),
    limits: many(100).map(() => long(300)),
    nested: { a: { b: { c: { d: { e: 1 } } } } },
    texts: Object.fromEntries(many(30).map((at) => [`${at}${long(30)}`, long(1000)])),
  });
  const properties = { model, task: 'reconstruct', output: 'y', threshold: 1 };
  const answer = await inspect(properties);
  assert.equal(answer.failure, undefined);
  assert.ok(sizeOf(answer) <= LIMIT, String(sizeOf(answer)));
  assert.match(answer.model?.digest ?? '', /^[0-9a-f]{64}$/);
  assert.equal(answer.model?.shortened, true);
  assert.equal(answer.model.scoring?.output, 'y', 'what matters most is kept');

  const tried = await tryOn(properties, new Array(1000).fill(2));
  assert.equal(tried.failure, undefined);
  assert.ok(sizeOf(tried) <= LIMIT, String(sizeOf(tried)));
  assert.equal(tried.leftOut?.values, 201 * 1000 - 1500);
});

test('an error of any length is shortened', async () => {
  const model = put('verbose', onnx.model({ nodes: [], inputs: [], outputs: [] }), {
    features: [{ name: 'x', input: long(100_000) }],
  });
  const answer = await inspect({ model, threshold: 1 });
  assert.ok(answer.failure);
  assert.ok(sizeOf(answer) < 50_000, String(sizeOf(answer)));
});

test('a description that fits is left whole; else the least important parts go first', () => {
  const model: ModelDescription = { name: 'm', version: '', digest: 'd', bytes: 1, sample: 'x' };
  assert.deepEqual(fitted({ model }), { model });
  const large = fitted({ model: { ...model, card: [{ key: 'k', text: 'x'.repeat(LIMIT) }] } });
  assert.deepEqual([large.model?.card, large.model?.sample, large.model?.shortened], [undefined, 'x', true]);
});

test('a card is shown in its own order and words, without what the node shows elsewhere', () => {
  assert.deepEqual(
    cardEntries({
      name: 'press',
      features: [{ name: 'a' }],
      license: ' MIT ',
      empty: '',
      none: null,
      calibrated: true,
      metrics: { auc: 0.9, byMode: { TWF: 0.1 } },
      seeds: [1, 2],
      runs: [{ auc: 1 }, { auc: 2 }],
      nothing: {},
    }),
    [
      { key: 'license', text: 'MIT' },
      { key: 'calibrated', text: 'true' },
      {
        key: 'metrics',
        entries: [
          { key: 'auc', text: '0.9' },
          { key: 'byMode', entries: [{ key: 'TWF', text: '0.1' }] },
        ],
      },
      { key: 'seeds', items: { shown: ['1', '2'], count: 2 } },
      {
        key: 'runs',
        entries: [
          { key: '1', entries: [{ key: 'auc', text: '1' }] },
          { key: '2', entries: [{ key: 'auc', text: '2' }] },
        ],
      },
    ],
  );
  const wide = cardEntries(Object.fromEntries(many(1000).map((at) => [`k${at}`, 'v'])));
  assert.equal(wide.length, 150);
  const deep = cardEntries({ a: { b: { c: { d: { e: 1 } } } } });
  assert.equal(JSON.stringify(deep).includes('…'), true);
  const list = cardEntries({ long: many(100) });
  assert.deepEqual([list[0].items?.shown.length, list[0].items?.count], [30, 100]);
});

test('listed channels are compared with those that the model knows', () => {
  const known = { namedBy: 'card', names: ['a', 'b', 'c'] } as const;
  const model = { width: 3, known: { ...known, names: [...known.names] } };
  assert.deepEqual(checkFeatures([], model), { kind: 'fits' });
  assert.deepEqual(checkFeatures(['a', 'b', 'c'], model), { kind: 'fits' });
  assert.deepEqual(checkFeatures(['a', 'b'], model), { kind: 'count', listed: 2, width: 3, known });
  assert.deepEqual(checkFeatures(['a', 'c', 'b'], model), {
    ...{ kind: 'order', place: 2, listed: 'c', expected: 'b' },
    known,
  });
  assert.deepEqual(checkFeatures(['a', 'b', 'x'], model), {
    ...{ kind: 'names', place: 3, listed: 'x', expected: 'c' },
    known,
  });
  assert.deepEqual(checkFeatures(['a', 'b', 'x'], { width: 3 }), { kind: 'fits' });
  assert.deepEqual(checkFeatures(['a'], { width: 3 }), { kind: 'count', listed: 1, width: 3 });
  assert.deepEqual(checkFeatures([], { width: 3 }), { kind: 'unnamed', width: 3 });
  assert.deepEqual(checkFeatures([], { width: 1 }), { kind: 'fits' });
  assert.deepEqual(checkFeatures(['a'], {}), { kind: 'fits' });
});

test('a request is read, and refused when it is none, too large or nested too deeply', () => {
  assert.deepEqual(parseInspectRequest({ node: 'n', properties: { model: 'm' }, sample: { a: [1] } }), {
    node: 'n',
    properties: { model: 'm' },
    sample: '{"a":[1]}',
  });
  assert.equal(parseInspectRequest({ properties: {} }).sample, undefined);
  assert.equal(parseInspectRequest({ properties: {}, sample: null }).sample, 'null');
  for (const body of [undefined, [], {}, { properties: 'x' }]) {
    assert.throws(() => parseInspectRequest(body), { code: 'REQUEST', message: /no properties/ });
  }
  const sample = new Array(60_000).fill(12345);
  assert.throws(() => parseInspectRequest({ properties: {}, sample }), {
    code: 'TOO_LARGE',
    message: /sample/,
  });
  const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown;
  assert.throws(() => parseInspectRequest({ properties: {}, sample: deep }), {
    code: 'REQUEST',
    message: /deeply/,
  });
});
