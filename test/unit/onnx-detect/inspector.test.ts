import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseOnnxDetectConfig } from '../../../nodes/onnx-detect/config';
import { INSPECTION_LIMITS, Inspector } from '../../../nodes/onnx-detect/inspect/inspector';
import { listModels } from '../../../nodes/onnx-detect/inspect/list';
import { endlessModel } from '../../support/hostile-models';
import { bring, folders, put, RUNTIME } from './inspect-support';

bring('risk', 'conformance/sklearn-columns');

const CNC = parseOnnxDetectConfig({ model: 'builtin:cnc-failure' });
const ENDLESS = parseOnnxDetectConfig({ model: put('endless', endlessModel), threshold: 1 });

test('a model is inspected and tried in a process of its own', async () => {
  const inspector = new Inspector(folders, RUNTIME);
  const { model, failure } = await inspector.inspect(CNC);
  assert.deepEqual([model?.name, failure], ['cnc-failure', undefined]);
  const { detection } = await inspector.try(CNC, undefined);
  assert.equal(detection?.label, 'none');
});

test('a runtime that crashes on the model takes nobody with it', async () => {
  const crashing = join(folders.userDir, 'crashing-runtime.js');
  writeFileSync(
    crashing,
    'exports.env = {}; exports.InferenceSession = { create: () => process.abort() }; exports.Tensor = class {};',
  );
  const inspector = new Inspector(folders, crashing);
  for (const { failure } of [await inspector.inspect(CNC), await inspector.try(CNC, undefined)]) {
    assert.equal(failure?.code, 'MODEL_INVALID');
    assert.match(failure.message, /crashes the ONNX runtime \(SIGABRT/);
  }
});

test('a model that never answers is stopped after its time, and the next one has its turn', async () => {
  const inspector = new Inspector(folders, RUNTIME, { ...INSPECTION_LIMITS, timeMs: 1500 });
  const late = assert.rejects(inspector.inspect(ENDLESS), { code: 'TIMEOUT', message: /within 1.5 s/ });
  const next = inspector.inspect(CNC);
  await late;
  assert.equal((await next).model?.name, 'cnc-failure');
  assert.equal(INSPECTION_LIMITS.timeMs, 30_000);
});

test('four wait for the one under way; more are refused', async () => {
  const inspector = new Inspector(folders, RUNTIME);
  const asked = Array.from({ length: 6 }, () => inspector.inspect(CNC));
  const answers = await Promise.allSettled(asked);
  const refused = answers.filter((answer) => answer.status === 'rejected');
  assert.equal(refused.length, 1);
  assert.equal((refused[0].reason as { code: string }).code, 'BUSY');
});

test('a model that is not there needs no process', async () => {
  const inspector = new Inspector(folders, RUNTIME);
  const absent = parseOnnxDetectConfig({ model: 'models/typo.onnx' });
  await assert.rejects(inspector.inspect(absent), {
    code: 'MODEL_NOT_FOUND',
    message: /builtin:cnc-failure/,
  });
  await assert.rejects(inspector.try(absent, '1'), { code: 'MODEL_NOT_FOUND' });
});

test('a process that hangs in the middle of the runtime ends with Node-RED', async () => {
  const pidFile = join(folders.userDir, 'hanging');
  const hanging = join(folders.userDir, 'hanging-runtime.js');
  writeFileSync(
    hanging,
    `exports.env = {}; exports.InferenceSession = { create() {
       require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
       for (;;);
     } };`,
  );
  const paths = ['inspect/inspector', 'config'].map((name) =>
    require.resolve(`../../../nodes/onnx-detect/${name}`),
  );
  const nodeRed = spawn(
    process.execPath,
    [
      '-e',
      `const [folders, runtime, inspector, config] = process.argv.slice(1).map((text) => JSON.parse(text));
       const asked = require(config).parseOnnxDetectConfig({ model: 'builtin:cnc-failure' });
       new (require(inspector).Inspector)(folders, runtime).inspect(asked);
       process.stdin.once('data', () => process.exit(0));`,
      ...[folders, hanging, ...paths].map((value) => JSON.stringify(value)),
    ],
    { stdio: ['pipe', 'inherit', 'inherit'] },
  );
  const ended = once(nodeRed, 'exit');
  await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
  const pid = Number(readFileSync(pidFile, 'utf8'));
  assert.equal(isRunning(pid), true);
  nodeRed.stdin.write('end');
  await ended;
  await until(() => !isRunning(pid));
});

/** Of other processes nothing tells. */
async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition();) {
    assert.ok(Date.now() < deadline, String(condition));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** One that has ended and that nobody has asked after does not count. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('models are listed with size and what their cards say; what is none is left out', async () => {
  const models = join(folders.userDir, 'models');
  mkdirSync(join(models, 'folder.onnx'));
  symlinkSync('/etc/hostname', join(models, 'outside.onnx'));
  writeFileSync(join(folders.userDir, 'models', 'risk.json'), '{ no JSON');
  put('huge-card', 'x', { name: 'huge', text: 'x'.repeat(70_000) });
  put('odd-card', 'x', { name: { toString: 1 }, version: 2, task: 'x'.repeat(1000) });
  const listed = await listModels(folders);
  const of = (model: string): object | undefined => listed.find((entry) => entry.model === model);
  assert.deepEqual(of('builtin:cnc-failure'), {
    ...{ model: 'builtin:cnc-failure', bytes: 124_619 },
    ...{ name: 'cnc-failure', version: '1.0.0', task: 'classify' },
  });
  assert.deepEqual(of('models/sklearn-columns.onnx'), {
    ...{ model: 'models/sklearn-columns.onnx', bytes: 1424 },
    ...{ name: 'sklearn-columns', version: '1.0.0', task: 'classify' },
  });
  assert.deepEqual(of('models/risk.onnx'), { model: 'models/risk.onnx', bytes: 158 });
  assert.deepEqual(of('models/huge-card.onnx'), { model: 'models/huge-card.onnx', bytes: 1 });
  assert.deepEqual(of('models/odd-card.onnx'), {
    ...{ model: 'models/odd-card.onnx', bytes: 1, version: '2' },
    task: `${'x'.repeat(200)}…`,
  });
  assert.deepEqual([of('models/folder.onnx'), of('models/outside.onnx')], [undefined, undefined]);
});
