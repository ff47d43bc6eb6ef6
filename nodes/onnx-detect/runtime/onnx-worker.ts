import { workerData } from 'node:worker_threads';
import type { InferenceSession as OnnxSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { EdgeError } from '../../shared/errors';
import { serveWorker, Transferred } from '../../shared/worker/serve-worker';
import type { SessionInfo, TensorArray, TensorData, ValueInfo } from './backend';

type Runtime = typeof import('onnxruntime-node');

interface LoadCall {
  session: number;
  bytes: Uint8Array;
  providers: readonly string[];
}

interface RunCall {
  session: number;
  feeds: Record<string, TensorData>;
}

const sessions = new Map<number, OnnxSession>();
let runtime: Promise<Runtime> | undefined;

async function loadRuntime(): Promise<Runtime> {
  const { module } = workerData as { module: string };
  try {
    const loaded = (await import(module)) as Runtime & { default?: Runtime };
    const usable = loaded.default ?? loaded;
    // What goes wrong comes back as an error; the runtime would print it as well.
    usable.env.logLevel = 'fatal';
    return usable;
  } catch (thrown) {
    const reason = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')[0];
    throw new EdgeError(
      'RUNTIME_MISSING',
      `The ONNX runtime cannot be loaded (${reason}). In the Node-RED user folder run "npm install onnxruntime-node --onnxruntime-node-install=skip" and restart. It exists for Windows, macOS on ARM, and Linux with glibc on x64 and arm64; not for Alpine or 32-bit ARM.`,
    );
  }
}

async function load({ session, bytes, providers }: LoadCall): Promise<SessionInfo> {
  const { InferenceSession } = await (runtime ??= loadRuntime());
  const failures: string[] = [];
  for (const provider of providers) {
    try {
      const loaded = await InferenceSession.create(bytes, {
        executionProviders: [provider],
        // Small models lose by threads, and the flows need the other cores.
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        logSeverityLevel: 4,
      });
      sessions.set(session, loaded);
      return {
        inputs: loaded.inputMetadata.map(valueInfo),
        outputs: loaded.outputMetadata.map(valueInfo),
        provider,
      };
    } catch (thrown) {
      failures.push(`${provider}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
  throw refusal(failures.join('; '));
}

/** A failed load by its cause: what can be exported otherwise, what this machine lacks, or a broken file. */
function refusal(reason: string): EdgeError {
  if (/external data/i.test(reason)) {
    return new EdgeError(
      'MODEL_UNSUPPORTED',
      `The model keeps its weights in other files, which are not read: ${reason} Export it as a single file.`,
    );
  }
  if (
    /is not a registered function\/op|NOT_IMPLEMENTED|opset|Unsupported data type|unsupported/i.test(reason)
  ) {
    return new EdgeError(
      'MODEL_UNSUPPORTED',
      `The runtime cannot run this model: ${reason}. Export it again with standard ONNX operators and an opset that onnxruntime-node knows.`,
    );
  }
  return new EdgeError(
    'MODEL_INVALID',
    `Property "model" or "providers": the model does not load: ${reason}. Copy the file again, or export it again, and check "providers".`,
  );
}

async function run({ session, feeds }: RunCall): Promise<Transferred> {
  const { Tensor } = await (runtime ??= loadRuntime());
  const inputs: Record<string, OnnxTensor> = {};
  for (const [name, { type, dims, data }] of Object.entries(feeds)) {
    inputs[name] = new Tensor(type as 'float32', data as Float32Array, dims);
  }
  const results = await loadedSession(session)
    .run(inputs)
    .catch((thrown: unknown) => {
      throw new EdgeError(
        'INFERENCE',
        `The model failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      );
    });
  const outputs: Record<string, TensorData> = {};
  const transfer = new Set<ArrayBuffer>();
  for (const [name, { type, dims, data }] of Object.entries(results)) {
    const values: TensorArray = data;
    outputs[name] = { type, dims, data: values };
    if (!Array.isArray(values) && values.buffer instanceof ArrayBuffer) {
      transfer.add(values.buffer);
    }
  }
  return new Transferred(outputs, [...transfer]);
}

async function release({ session }: { session: number }): Promise<void> {
  const loaded = sessions.get(session);
  sessions.delete(session);
  await loaded?.release();
}

function loadedSession(id: number): OnnxSession {
  const session = sessions.get(id);
  if (!session) {
    throw new EdgeError('INFERENCE', 'The model is not loaded.');
  }
  return session;
}

function valueInfo(meta: OnnxSession['inputMetadata'][number]): ValueInfo {
  return meta.isTensor
    ? { name: meta.name, type: meta.type, shape: meta.shape }
    : { name: meta.name, type: '', shape: [] };
}

const methods = { load, run, release };
/** What this thread serves, for its `WorkerClient`. */
export type OnnxWorkerMethods = {
  load: (call: LoadCall) => Promise<SessionInfo>;
  run: (call: RunCall) => Promise<Record<string, TensorData>>;
  release: (call: { session: number }) => Promise<void>;
};

serveWorker(methods);
