import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCard } from '../../nodes/onnx-detect/model/card';
import {
  serveModel,
  type ServedModel,
  type ServingOptions,
} from '../../nodes/onnx-detect/model/served-model';
import type { InferenceSession } from '../../nodes/onnx-detect/runtime/backend';
import { WorkerBackend } from '../../nodes/onnx-detect/runtime/worker-backend';
import { packageRoot } from '../../test/support/runtime';
import { modelBytes, type TestCase } from './case-files';

const PROVIDERS = ['cpu'];
export const SERVING: ServingOptions = {
  features: [],
  providers: PROVIDERS,
  task: 'regress',
  output: '',
  positive: '',
  threshold: 0,
};
const backend = new WorkerBackend({ threads: 1 });
/** Stays loaded, and the thread with it. */
export const anchor = backend.load(
  Uint8Array.from(readFileSync(join(packageRoot, 'models', 'cnc-failure.onnx'))),
  {
    providers: PROVIDERS,
  },
);

export function load(folder: string, test: TestCase): Promise<InferenceSession> {
  return backend.load(modelBytes(folder, test), { providers: PROVIDERS });
}

/** Loads, plans and tries, as the node does. */
export function serve(
  folder: string,
  test: TestCase,
  options: ServingOptions,
  sample?: unknown,
): Promise<ServedModel> {
  const card = sample === undefined ? undefined : { ...parseCard('{}', ''), sample };
  const file = {
    name: test.name,
    bytes: modelBytes(folder, test),
    digest: '',
    card,
    path: '',
    isBuiltin: false,
  };
  return serveModel(file, ({ bytes }) => backend.load(bytes, { providers: PROVIDERS }), options);
}
