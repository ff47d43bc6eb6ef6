import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Inspection, ListedModel, TrialAnswer } from '../../nodes/onnx-detect/inspect/result';
import type { Detection } from '../../nodes/shared/messages';
import { packageRoot, TestRuntime } from '../support/runtime';
import { Station } from '../support/station';

const fixtures = join(packageRoot, 'test', 'fixtures', 'onnx');
let runtime: TestRuntime;

before(async () => {
  process.env.EDGE_TEST_MODEL = 'models/torch-lstm.onnx';
  runtime = await TestRuntime.start();
  const models = join(runtime.userDir, 'models');
  mkdirSync(models);
  for (const file of ['torch-lstm.onnx', 'torch-lstm.json', 'sklearn-columns.onnx', 'sklearn-columns.json']) {
    copyFileSync(join(fixtures, 'conformance', file), join(models, file));
  }
  writeFileSync(join(models, 'broken.onnx'), 'this is no model');
});

after(() => runtime.stop());

const ENDPOINT = 'edge/onnx-detect';

const post = (path: 'inspect' | 'try', body: object): Promise<Response> =>
  fetch(`${runtime.url}/${ENDPOINT}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function json<T>(response: Response, status = 200): Promise<T> {
  const body = (await response.json()) as T;
  assert.equal(response.status, status, JSON.stringify(body));
  return body;
}

const inspected = async (properties: object): Promise<Inspection> =>
  json<Inspection>(await post('inspect', { properties }));
const tried = async (properties: object, sample?: unknown): Promise<TrialAnswer> =>
  json<TrialAnswer>(await post('try', { properties, sample }));

const CNC = { model: 'builtin:cnc-failure' };
const OVERSTRAINED = {
  ...{ type: 0, air_temperature: 300, process_temperature: 310 },
  ...{ rotational_speed: 1400, torque: 70, tool_wear: 210 },
};

test('the models that can be chosen are listed', async () => {
  const { models } = await json<{ models: ListedModel[] }>(await fetch(`${runtime.url}/${ENDPOINT}/models`));
  assert.deepEqual(
    models.map(({ model, name, task }) => [model, name, task]),
    [
      ['builtin:bearing-autoencoder', 'bearing-autoencoder', 'reconstruct'],
      ['builtin:cnc-failure', 'cnc-failure', 'classify'],
      ['builtin:turbofan-rul', 'turbofan-rul', 'regress'],
      ['models/broken.onnx', undefined, undefined],
      ['models/sklearn-columns.onnx', 'sklearn-columns', 'classify'],
      ['models/torch-lstm.onnx', 'torch-lstm', 'classify'],
    ],
  );
  assert.equal(models.find(({ model }) => model === 'builtin:cnc-failure')?.bytes, 124_619);
});

test('no deployed node is needed to inspect a model and to try it', async () => {
  await runtime.deploy([]);
  const { model, failure } = await inspected(CNC);
  assert.equal(failure, undefined);
  assert.equal(model?.feed?.features.count, 6);
  assert.equal(model.scoring?.threshold, 0.5);
  const { detection, sample } = await tried(CNC);
  assert.equal(detection?.status, 'OPERATIONAL');
  assert.match(sample ?? '', /"torque": 40/);
});

test('a trial says what the node itself sends for the same reading', async () => {
  await runtime.deploy([
    { id: 'detect', type: 'onnx-detect', name: 'press', ...CNC, wires: [['sink'], ['sink']] },
    { id: 'sink', type: 'test-sink', wires: [] },
  ]);
  runtime.inject('detect', { payload: OVERSTRAINED });
  const [message] = await runtime.collect('sink', 1);
  const { detection } = await tried({ ...CNC, name: 'press' }, OVERSTRAINED);
  const same = (found: Detection | undefined): object => ({ ...found, ts: 0, latencyMs: 0 });
  assert.deepEqual(same(detection), same(message.detection as Detection));
  assert.equal(detection?.kind, 'KNOWN_FAILURE');
});

test('windows and several inputs', async () => {
  const lstm = { model: 'models/torch-lstm.onnx' };
  assert.deepEqual((await inspected(lstm)).model?.feed?.window, { size: 16, layout: 'NTF' });
  const { detection, window } = await tried(lstm, { x: 0.1, y: 0.2, z: 0.3 });
  assert.equal(typeof detection?.score, 'number');
  assert.deepEqual(window, { size: 16, given: 1 });
  const columns = { model: 'models/sklearn-columns.onnx' };
  assert.equal((await inspected(columns)).model?.inputs?.count, 5);
  assert.equal((await tried(columns)).detection?.label, 'ok');
});

test('a broken file, and settings that cannot be, give the node’s own error', async () => {
  const broken = await inspected({ model: 'models/broken.onnx' });
  assert.equal(broken.failure?.code, 'MODEL_INVALID');
  assert.equal(broken.model?.bytes, 16);
  assert.equal((await tried({ model: 'models/broken.onnx' })).failure?.code, 'MODEL_INVALID');
  const twice = await inspected({ ...CNC, features: ['a', 'a'] });
  assert.deepEqual([twice.failure?.code, twice.failure?.property], ['CONFIG', 'features']);
  const { failure } = await tried(CNC, { torque: 40 });
  assert.equal(failure?.code, 'FEATURE_MISSING');
});

test('a model that is not there, what is too large and what is no request are refused', async () => {
  const refused = async (path: 'inspect' | 'try', body: object, status: number): Promise<string> =>
    (await json<{ code: string }>(await post(path, body), status)).code;
  for (const path of ['inspect', 'try'] as const) {
    assert.equal(await refused(path, { properties: { model: 'models/typo.onnx' } }, 404), 'MODEL_NOT_FOUND');
    assert.equal(await refused(path, { properties: CNC, sample: 'x'.repeat(300_000) }, 413), 'TOO_LARGE');
    assert.equal(await refused(path, {}, 400), 'REQUEST');
  }
});

test('more than five at a time are refused, and all others are answered', async () => {
  const answers = await Promise.all(Array.from({ length: 7 }, () => post('inspect', { properties: CNC })));
  const statuses = answers.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 503, 503]);
});

test('variables of the flow are filled in as at the node’s start', async () => {
  await runtime.deploy([{ id: 'detect', type: 'onnx-detect', ...CNC, wires: [[], []] }]);
  const properties = { model: '${EDGE_TEST_MODEL}' };
  const { model } = await json<Inspection>(await post('inspect', { node: 'detect', properties }));
  assert.equal(model?.name, 'torch-lstm');
});

test('who may only read flows sees nothing of it', async () => {
  const station = await Station.start({
    flow: [{ id: 'tab', type: 'tab', label: 'x' }],
    settings: { adminAuth: { type: 'credentials', users: [], default: { permissions: 'read' } } },
  });
  try {
    assert.equal((await fetch(`${station.url}/flows`)).status, 200);
    assert.equal((await fetch(`${station.url}/${ENDPOINT}/models`)).status, 401);
    for (const path of ['inspect', 'try']) {
      const { status } = await fetch(`${station.url}/${ENDPOINT}/${path}`, { method: 'POST' });
      assert.equal(status, 401);
    }
  } finally {
    await station.stop();
  }
});
