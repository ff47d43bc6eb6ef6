import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as onnx from '../../support/onnx-builder';
import { bring, described, inspect, put, tryOn } from './inspect-support';

bring(
  ...[
    'torch-lstm',
    'keras-torch-cnn',
    'sklearn-columns',
    'torch-autoencoder',
    'sklearn-linear-regression',
  ].map((name) => `conformance/${name}`),
  ...['sklearn-multilabel', 'torch-mlp-logits', 'sklearn-forest'].map((name) => `conformance/${name}`),
  ...['classify', 'regress', 'unknown-operator', 'two-inputs', 'external-data'],
);

const x = (width: number): Uint8Array => onnx.value('x', onnx.FLOAT, ['N', width]);
const identity = (width: number, metadata: Record<string, string> = {}): Uint8Array =>
  onnx.model(
    {
      nodes: [onnx.node('Identity', ['x'], ['y'])],
      inputs: [x(width)],
      outputs: [onnx.value('y', onnx.FLOAT, ['N', width])],
    },
    metadata,
  );

test('the built-in model: what it is, how it is fed, how it is scored', async () => {
  const { card = [], file, feed, scoring, ...model } = await described({ model: 'builtin:cnc-failure' });
  assert.deepEqual(
    [model.name, model.version, model.bytes, model.provider, model.width],
    ['cnc-failure', '1.0.0', 124_619, 'cpu', 6],
  );
  assert.match(model.digest, /^e9dc3237[0-9a-f]{56}$/);
  assert.deepEqual(model.inputs?.shown, [{ name: 'features', type: 'float32', shape: ['N', 6] }]);
  assert.deepEqual(
    model.outputs?.shown.map(({ name, shape }) => [name, ...shape]),
    [
      ['failure_probability', 'N'],
      ['mode_probabilities', 'N', 5],
    ],
  );
  assert.equal(file?.producer, 'millwright 1.0.0');
  assert.deepEqual(file.opsets.shown, [
    ['ai.onnx', 13],
    ['ai.onnx.ml', 1],
  ]);
  assert.equal(feed?.namedBy, 'card');
  assert.deepEqual(feed.features.shown[4], {
    ...{ name: 'torque', input: 'features', type: 'float32', mean: 0, scale: 1 },
    ...{ unit: 'Nm', min: 3.8, max: 76.6 },
  });
  assert.deepEqual(
    model.known?.names,
    feed.features.shown.map(({ name }) => name),
  );
  assert.deepEqual(
    { ...scoring, classes: scoring?.classes?.shown.map(({ label, failing }) => [label, failing]) },
    {
      ...{ task: 'classify', output: 'failure_probability', threshold: 0.5, thresholdFrom: 'card' },
      ...{ negated: false, activation: 'none' },
      classes: [
        ['none', false],
        ['TWF', true],
        ['HDF', true],
        ['PWF', true],
        ['OSF', true],
      ],
    },
  );
  const keys = card.map(({ key }) => key);
  assert.deepEqual(keys, [
    ...['description', 'expected', 'license', 'provenance', 'metrics', 'thresholdReason', 'limits'],
  ]);
  assert.equal(card.find(({ key }) => key === 'limits')?.items?.count, 7);
  const metrics = card.find(({ key }) => key === 'metrics')?.entries;
  assert.deepEqual(metrics?.find(({ key }) => key === 'recallByMode')?.entries?.[0], {
    key: 'TWF',
    text: '0.0833',
  });
  assert.equal((JSON.parse(model.sample ?? '') as { torque: number }).torque, 40);
});

test('a sample is shown, and tried, in the names that the flow has for the channels', async () => {
  const features = ['kind', 'air', 'process', 'speed', 'moment', 'wear'];
  const model = await described({ model: 'builtin:cnc-failure', features });
  const sample = JSON.parse(model.sample ?? '') as Record<string, number>;
  assert.deepEqual(Object.keys(sample).sort(), [...features].sort());
  assert.equal(sample['moment'], 40);
  const { failure } = await tryOn({ model: 'builtin:cnc-failure', features });
  assert.equal(failure, undefined);
});

test('the threshold says where it comes from', async () => {
  const own = await described({ model: 'builtin:cnc-failure', threshold: 0.15 });
  assert.deepEqual([own.scoring?.threshold, own.scoring?.thresholdFrom], [0.15, 'property']);
  const none = await described({ model: 'models/classify.onnx' });
  assert.deepEqual([none.scoring?.threshold, none.scoring?.thresholdFrom], [0.85, 'default']);
});

test('a model with a window says how many readings it takes, and in which layout', async () => {
  const lstm = await described({ model: 'models/torch-lstm.onnx' });
  assert.deepEqual(lstm.feed?.window, { size: 16, layout: 'NTF' });
  assert.equal(lstm.width, 3);
  assert.deepEqual(JSON.parse(lstm.sample ?? ''), { x: 0, y: 0, z: 0 });
  const cnn = await described({ model: 'models/keras-torch-cnn.onnx' });
  assert.deepEqual(cnn.feed?.window, { size: 16, layout: 'NTF' });
});

test('of several inputs each place says where it goes; texts are texts in the sample', async () => {
  const { feed, sample } = await described({ model: 'models/sklearn-columns.onnx' });
  assert.deepEqual(
    feed?.features.shown.map(({ name, input, type }) => `${name ?? ''} → ${input} ${type}`),
    [
      ...['machine → machine string', 'shift → shift string', 'temperature → temperature float32'],
      ...['vibration → vibration float32', 'starts → starts int64'],
    ],
  );
  assert.equal((JSON.parse(sample ?? '') as { machine: string }).machine, 'mill');
});

test('scaling, negated scores, logits and independent classes are shown', async () => {
  const scaled = await described({ model: 'models/torch-autoencoder.onnx', threshold: 1 });
  assert.equal(scaled.scoring?.task, 'reconstruct');
  assert.ok(Math.abs((scaled.feed?.features.shown[0].mean ?? 0) - 68.897) < 0.001);
  const life = await described({ model: 'models/sklearn-linear-regression.onnx' });
  assert.deepEqual([life.scoring?.negated, life.scoring?.threshold], [true, -100]);
  const logits = await described({ model: 'models/torch-mlp-logits.onnx' });
  assert.equal(logits.scoring?.activation, 'sigmoid');
  const several = await described({ model: 'models/sklearn-multilabel.onnx' });
  assert.equal(several.scoring?.classes?.count, 3);
});

test('channels are named by the setting, the card, the file, the inputs, or by nobody', async () => {
  const namedBy = async (properties: object): Promise<unknown[]> => {
    const { feed, known } = await described({ threshold: 1, task: 'reconstruct', ...properties });
    return [feed?.namedBy, known?.namedBy];
  };
  const file = put('named', identity(3, { feature_names: '["a","b","c"]' }));
  const plain = put('plain', identity(3));
  const single = put('single', identity(1));
  assert.deepEqual(await namedBy({ model: file }), ['file', 'file']);
  assert.deepEqual(await namedBy({ model: file, features: ['p', 'q', 'r'] }), ['property', 'file']);
  assert.deepEqual(await namedBy({ model: plain }), ['position', undefined]);
  assert.deepEqual(await namedBy({ model: plain, features: ['p', 'q', 'r'] }), ['property', undefined]);
  assert.deepEqual(await namedBy({ model: single }), ['inputs', 'inputs']);
  assert.equal((await described({ model: plain, threshold: 1, task: 'reconstruct' })).sample, '[0, 0, 0]');
});

test('units belong to the places of the card, whatever the flow calls them', async () => {
  const model = put('units', identity(2), {
    features: [
      { name: 'a', unit: 'K' },
      { name: 'b', unit: 'Nm', min: 1 },
    ],
  });
  const { feed } = await described({ model, features: ['p', 'q'], threshold: 1, task: 'reconstruct' });
  assert.deepEqual(
    feed?.features.shown.map(({ name, unit, min }) => [name, unit, min]),
    [
      ['p', 'K', undefined],
      ['q', 'Nm', 1],
    ],
  );
});

test('a model that the node would refuse is described as far as it goes, with the node’s own error', async () => {
  const broken = await inspect({ model: put('broken', 'this is no model') });
  assert.equal(broken.failure?.code, 'MODEL_INVALID');
  assert.deepEqual([broken.model?.name, broken.model?.bytes], ['broken', 16]);

  const operator = await inspect({ model: 'models/unknown-operator.onnx' });
  assert.equal(operator.failure?.code, 'MODEL_UNSUPPORTED');
  assert.match(operator.failure.message, /Divine/);
  assert.equal(operator.model?.inputs, undefined);
  assert.notEqual(operator.model?.file, undefined, 'the file says what it is without the runtime');

  const external = await inspect({ model: 'models/external-data.onnx' });
  assert.match(external.failure?.message ?? '', /external data/);

  const threshold = await inspect({ model: 'models/regress.onnx' });
  assert.deepEqual([threshold.failure?.code, threshold.failure?.property], ['CONFIG', 'threshold']);
  assert.deepEqual([threshold.model?.width, threshold.model?.scoring], [3, undefined]);
  assert.equal(threshold.model?.feed?.features.count, 3);

  const count = await inspect({ model: 'builtin:cnc-failure', features: ['a', 'b'] });
  assert.deepEqual([count.failure?.code, count.failure?.property], ['CONFIG', 'features']);
  assert.deepEqual([count.model?.width, count.model?.known?.names.length], [6, 6]);
  assert.equal(count.model?.feed?.namedBy, 'card');

  const missing = await inspect({ model: 'builtin:nothing' });
  assert.deepEqual([missing.failure?.code, missing.model], ['MODEL_NOT_FOUND', undefined]);

  const card = await inspect({ model: put('card', identity(1), { features: 'none' }) });
  assert.deepEqual([card.failure?.code, card.failure?.property], ['MODEL_INVALID', 'features']);

  const runtime = await inspect({ model: 'builtin:cnc-failure' }, 'no-such-runtime');
  assert.equal(runtime.failure?.code, 'RUNTIME_MISSING');
  assert.equal(runtime.model?.name, 'cnc-failure');
});

test('another file than the pinned one is described, so that it can be pinned', async () => {
  const { model, failure } = await inspect({ model: 'builtin:cnc-failure', digest: '0'.repeat(64) });
  assert.deepEqual([failure?.code, failure?.property], ['MODEL_DIGEST', 'digest']);
  assert.match(model?.digest ?? '', /^e9dc3237/);
  assert.equal(model?.scoring?.task, 'classify');
  // Against its own card there is nothing to pin.
  const other = await inspect({ model: put('other', identity(1), { digest: '0'.repeat(64) }) });
  assert.deepEqual([other.failure?.code, other.model], ['MODEL_DIGEST', undefined]);
});
