import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { parseOnnxDetectConfig } from '../../../nodes/onnx-detect/config';
import { inspectModel } from '../../../nodes/onnx-detect/inspect/inspect';
import type { Inspection, ModelDescription, TrialAnswer } from '../../../nodes/onnx-detect/inspect/result';
import { tryModel } from '../../../nodes/onnx-detect/inspect/try';
import { fixtures } from './support';

export const RUNTIME = 'onnxruntime-node';

const root = mkdtempSync(join(tmpdir(), 'edge-inspect-'));
export const folders = { userDir: join(root, 'user'), builtin: join(process.cwd(), 'models') };
const models = join(folders.userDir, 'models');
mkdirSync(models, { recursive: true });
after(() => rmSync(root, { recursive: true }));

/** Copies models of the fixtures, with their cards, into the user folder. */
export function bring(...names: string[]): void {
  for (const name of names) {
    const from = join(fixtures, name);
    const to = join(models, name.replace(/^.*\//, ''));
    cpSync(`${from}.onnx`, `${to}.onnx`);
    if (existsSync(`${from}.json`)) {
      cpSync(`${from}.json`, `${to}.json`);
    }
  }
}

/** Puts a model into the user folder, with a card beside it. */
export function put(name: string, bytes: Uint8Array | string, card?: object): string {
  writeFileSync(join(models, `${name}.onnx`), bytes);
  if (card) {
    writeFileSync(join(models, `${name}.json`), JSON.stringify(card));
  }
  return `models/${name}.onnx`;
}

const callFor = (properties: object, module: string): Parameters<typeof inspectModel>[0] => {
  const { request, serving } = parseOnnxDetectConfig(properties);
  return { folders, request, serving, module };
};

/** What the process would answer for a dialog with these properties. */
export function inspect(properties: object, module = RUNTIME): Promise<Inspection> {
  return inspectModel(callFor(properties, module));
}

/** The description of a model that the node would take. */
export async function described(properties: object): Promise<ModelDescription> {
  const { model, failure } = await inspect(properties);
  if (!model || failure) {
    throw new Error(JSON.stringify(failure));
  }
  return model;
}

/** What the process would answer for a sample; undefined = the model card's, or zeros. */
export function tryOn(properties: object, sample?: unknown): Promise<TrialAnswer> {
  const { missing } = parseOnnxDetectConfig(properties);
  return tryModel({
    ...callFor(properties, RUNTIME),
    node: 'press',
    missing,
    sample: sample === undefined ? undefined : JSON.stringify(sample),
  });
}
