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
/** Bytes that the outputs of a trial may have together: they go on to Node-RED's own process. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

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
    const answer = await runtime.run({ session: SESSION, feeds });
    expectSmall(answer.value as Record<string, TensorData>);
    return answer;
  },
});

function expectSmall(outputs: Record<string, TensorData>): void {
  const bytes = Object.values(outputs).reduce((sum, { data }) => sum + bytesOf(data), 0);
  if (bytes > MAX_OUTPUT_BYTES) {
    throw new EdgeError(
      'MODEL_INVALID',
      `The model's outputs have ${Math.ceil(bytes / 1024 / 1024)} MB for a reading or two, and at most ${MAX_OUTPUT_BYTES / 1024 / 1024} are served. Export it with the outputs that say something of the machine only.`,
    );
  }
}

function bytesOf(data: TensorData['data']): number {
  return Array.isArray(data) ? data.reduce((sum, text) => sum + 2 * text.length, 0) : data.byteLength;
}
