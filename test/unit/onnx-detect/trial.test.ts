import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Proven } from '../../../nodes/onnx-detect/model/loader';
import type { ModelFile } from '../../../nodes/onnx-detect/model/model-file';
import { readOnnxFile } from '../../../nodes/onnx-detect/model/onnx-file';
import { tryInProcess, TRIAL_LIMITS } from '../../../nodes/onnx-detect/runtime/trial-process';
import { endlessModel, hugeModel, talkativeModel } from '../../support/hostile-models';
import * as onnx from '../../support/onnx-builder';
import { coded, fixtures, SERVING } from './support';

const scratch = mkdtempSync(join(tmpdir(), 'edge-trial-'));
after(() => rmSync(scratch, { recursive: true }));

function fileOf(name: string, bytes: Uint8Array): ModelFile {
  const path = join(scratch, `${name}.onnx`);
  writeFileSync(path, bytes);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { name, bytes: Uint8Array.from(bytes), digest, card: undefined, path, isBuiltin: false };
}

const options = { ...SERVING, threshold: 1 };
const attempt = (name: string, bytes: Uint8Array, limits = TRIAL_LIMITS): Promise<void> =>
  tryInProcess(fileOf(name, bytes), options, 'onnxruntime-node', limits);

const x = onnx.value('x', onnx.FLOAT, ['N', 1]);
const y = onnx.value('y', onnx.FLOAT, ['N', 1]);

test('a good model passes its trial, once for all nodes that ask', async () => {
  const bytes = readFileSync(join(fixtures, 'risk.onnx'));
  let trials = 0;
  const proven = new Proven(async (file, serving) => {
    trials++;
    await tryInProcess(file, serving, 'onnxruntime-node');
  });
  const file = fileOf('risk', bytes);
  await Promise.all([proven.check(file, options), proven.check(file, options)]);
  await proven.check(file, options);
  assert.equal(trials, 1);
});

test('a model that takes all memory is refused, and only its own process ends', async () => {
  const limits = { memory: 600 * 1024 * 1024, timeMs: 60_000 };
  await assert.rejects(
    attempt('huge', hugeModel, limits),
    coded('MODEL_INVALID', /more memory than the \d+ MB|bad allocation|failed/),
  );
});

test('a model that answers with more than anyone can use is refused', async () => {
  await assert.rejects(attempt('talkative', talkativeModel), coded('MODEL_INVALID', '77 MB', 'at most 16'));
});

test('a model that never answers is refused after its time', async () => {
  await assert.rejects(
    attempt('endless', endlessModel, { ...TRIAL_LIMITS, timeMs: 1500 }),
    coded('MODEL_INVALID', 'within 1.5 s'),
  );
});

test('a runtime that crashes on a model takes nobody with it', async () => {
  const crashing = join(scratch, 'crashing-runtime.js');
  writeFileSync(
    crashing,
    'exports.env = {}; exports.InferenceSession = { create: () => process.abort() }; exports.Tensor = class {};',
  );
  await assert.rejects(
    tryInProcess(fileOf('crash', readFileSync(join(fixtures, 'risk.onnx'))), options, crashing),
    coded('MODEL_INVALID', 'crashes the ONNX runtime', 'SIGABRT'),
  );
});

test('a model that is exchanged between verification and trial is refused', async () => {
  const file = fileOf('exchanged', readFileSync(join(fixtures, 'risk.onnx')));
  writeFileSync(file.path, readFileSync(join(fixtures, 'risk-inverse.onnx')));
  await assert.rejects(
    tryInProcess(file, options, 'onnxruntime-node'),
    coded('MODEL_INVALID', 'changed while it was read'),
  );
});

test('without the runtime the trial says what to install', async () => {
  await assert.rejects(
    tryInProcess(fileOf('any', readFileSync(join(fixtures, 'risk.onnx'))), options, 'no-such-runtime'),
    coded('RUNTIME_MISSING', 'npm install'),
  );
});

test('weights in other files are refused before anything is looked for, also deep in a branch', () => {
  const external = onnx.message(
    [1, 1],
    [2, onnx.FLOAT],
    [8, 'w'],
    [13, onnx.message([1, 'location'], [2, '../../../../etc/passwd'])],
    [14, 1],
  );
  const inner = onnx.graph({ nodes: [], inputs: [], outputs: [], initializers: [external] });
  const branch = onnx.node('If', ['c'], ['y'], onnx.graphAttribute('then_branch', inner));
  for (const content of [
    { nodes: [], inputs: [x], outputs: [y], initializers: [external] },
    { nodes: [branch], inputs: [x], outputs: [y] },
  ]) {
    assert.throws(() => readOnnxFile(onnx.model(content)), coded('MODEL_UNSUPPORTED', 'external data'));
  }
  let deep = inner;
  for (let i = 0; i < 50; i++) {
    deep = onnx.graph({
      nodes: [onnx.node('If', ['c'], ['y'], onnx.graphAttribute('then_branch', deep))],
      inputs: [],
      outputs: [],
    });
  }
  const bomb = onnx.message([7, deep]);
  assert.throws(() => readOnnxFile(bomb), coded('MODEL_UNSUPPORTED', 'deeper'));
});

test('a file says who made it, for which operators, and what its features and classes are called', () => {
  const labels = onnx.message([1, 'classlabels_strings'], [9, 'ok'], [9, 'worn'], [20, 8]);
  const outline = readOnnxFile(
    onnx.model(
      { nodes: [onnx.node('LinearClassifier', ['x'], ['l', 'p'], labels)], inputs: [x], outputs: [y] },
      { feature_names: '["a"]', __proto__: 'no' },
    ),
  );
  assert.deepEqual(outline?.labels, ['ok', 'worn']);
  assert.equal(outline.metadata.feature_names, '["a"]');
  assert.deepEqual(outline.opsets, { 'ai.onnx': 17 });
  assert.equal(outline.producer, 'test');
  assert.equal(readOnnxFile(Buffer.from('no model at all')), undefined);
});
