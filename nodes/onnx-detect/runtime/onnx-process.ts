import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { EdgeError } from '../../shared/errors';
import { serveProcess, Transferred } from '../../shared/worker/serve-worker';
import type { SessionInfo, TensorData } from './backend';
import { OnnxRuntime } from './onnx-methods';

/** A model to be tried, by its file: it may be too large to hand over. */
interface TrialLoad {
  module: string;
  path: string;
  /** SHA-256 that the file had when it was verified. */
  digest: string;
  providers: readonly string[];
}

/** What the process in which a new model is tried serves. */
export type TrialMethods = {
  load: (call: TrialLoad) => Promise<SessionInfo>;
  run: (feeds: Record<string, TensorData>) => Promise<Record<string, TensorData>>;
};

const SESSION = 1;
let runtime: OnnxRuntime | undefined;

serveProcess({
  async load({ module, path, digest, providers }: TrialLoad): Promise<SessionInfo> {
    const bytes = await readFile(path);
    if (createHash('sha256').update(bytes).digest('hex') !== digest) {
      throw new EdgeError('MODEL_INVALID', `"${path}" changed while it was read. Deploy the node again.`);
    }
    runtime = new OnnxRuntime(module);
    return runtime.load({ session: SESSION, bytes, providers });
  },
  async run(feeds: Record<string, TensorData>): Promise<Transferred> {
    if (!runtime) {
      throw new EdgeError('INFERENCE', 'The model is not loaded.');
    }
    return runtime.run({ session: SESSION, feeds });
  },
});
