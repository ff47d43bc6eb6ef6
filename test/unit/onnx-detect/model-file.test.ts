import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readModel, type ModelFile } from '../../../nodes/onnx-detect/model/model-file';
import { coded, fixtures } from './support';

const root = mkdtempSync(join(tmpdir(), 'edge-models-'));
const folders = { userDir: join(root, 'user'), builtin: join(root, 'package', 'models') };
mkdirSync(join(folders.userDir, 'models', 'line1'), { recursive: true });
mkdirSync(folders.builtin, { recursive: true });
copyFileSync(join(fixtures, 'risk.onnx'), join(folders.builtin, 'shipped.onnx'));
copyFileSync(join(fixtures, 'classify.onnx'), join(folders.userDir, 'models', 'own.onnx'));
copyFileSync(join(fixtures, 'classify.onnx'), join(folders.userDir, 'models', 'line1', 'press.onnx'));
copyFileSync(join(fixtures, 'classify.onnx'), join(root, 'outside.onnx'));
writeFileSync(join(folders.userDir, 'settings.js'), 'secret');
after(() => rmSync(root, { recursive: true }));

const read = (model: string, trusted = true, digest = ''): Promise<ModelFile> =>
  readModel({ model, digest, trusted }, folders);
const inModels = (name: string): string => join(folders.userDir, 'models', name);

test('models are found by built-in name, under the user folder, and in its models folder', async () => {
  assert.equal((await read('builtin:shipped')).name, 'shipped');
  assert.equal((await read('shipped.onnx')).name, 'shipped');
  assert.equal((await read('models/own.onnx')).name, 'own');
  assert.equal((await read('own.onnx', false)).name, 'own');
  assert.equal((await read('line1/press.onnx')).name, 'press');
});

test('what is not there lists what is', async () => {
  await assert.rejects(
    read('models/typo.onnx'),
    coded('MODEL_NOT_FOUND', 'builtin:shipped', 'models/own.onnx', 'models/line1/press.onnx'),
  );
  for (const model of ['', 'builtin:typo', 'builtin:../models/shipped', 'settings.js', 'models']) {
    await assert.rejects(read(model), coded('MODEL_NOT_FOUND'));
  }
});

test('an absolute path is taken from the editor and never from a message', async () => {
  const path = join(root, 'outside.onnx');
  assert.equal((await read(path)).name, 'outside');
  await assert.rejects(read(path, false), coded('MODEL_NOT_FOUND', 'editor'));
});

test('no path leaves the folders, by dots or by links', async () => {
  symlinkSync(join(root, 'outside.onnx'), inModels('link.onnx'));
  symlinkSync(root, inModels('up'));
  symlinkSync(inModels('own.onnx'), inModels('current.onnx'));
  for (const trusted of [true, false]) {
    for (const model of [
      '../outside.onnx',
      'models/../../outside.onnx',
      'models/link.onnx',
      'up/outside.onnx',
    ]) {
      await assert.rejects(read(model, trusted), coded('MODEL_NOT_FOUND'));
    }
  }
  assert.equal((await read('models/current.onnx', false)).name, 'own');
});

test('a digest is checked against the file, from the property and from the card', async () => {
  const { bytes, digest } = await read('own.onnx');
  assert.equal(digest, createHash('sha256').update(bytes).digest('hex'));
  await read('own.onnx', true, digest.toUpperCase());
  await assert.rejects(read('own.onnx', true, '0'.repeat(64)), coded('MODEL_DIGEST', digest, '"digest"'));
  copyFileSync(join(fixtures, 'risk.onnx'), inModels('carded.onnx'));
  writeFileSync(inModels('carded.json'), JSON.stringify({ digest }));
  await assert.rejects(read('carded.onnx'), coded('MODEL_DIGEST', 'card'));
});

test('a card that is wrong refuses the model; one that is not there does not', async () => {
  copyFileSync(join(fixtures, 'risk.onnx'), inModels('badcard.onnx'));
  writeFileSync(inModels('badcard.json'), '{"threshold": "high"}');
  await assert.rejects(read('badcard.onnx'), coded('MODEL_INVALID', 'badcard.json', '"threshold"'));
  assert.equal((await read('own.onnx')).card, undefined);
});

test('what is no file of a sensible size is refused without reading it', async () => {
  mkdirSync(inModels('folder.onnx'));
  writeFileSync(inModels('empty.onnx'), '');
  writeFileSync(inModels('huge.onnx'), 'x');
  truncateSync(inModels('huge.onnx'), 3 * 2 ** 30);
  for (const model of ['folder.onnx', 'empty.onnx', 'huge.onnx']) {
    await assert.rejects(read(model), coded('MODEL_INVALID', model));
  }
});
