import type { InferenceSession as OnnxSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { EdgeError } from '../../shared/errors';
import { Transferred } from '../../shared/worker/serve-worker';
import { readOnnxFile } from '../model/onnx-file';
import type { SessionInfo, TensorData, ValueInfo } from './backend';
import { fromHalf, toHalf } from './half';

type Runtime = typeof import('onnxruntime-node');

export interface LoadCall {
  session: number;
  bytes: Uint8Array;
  providers: readonly string[];
}

interface RunCall {
  session: number;
  feeds: Record<string, TensorData>;
}

/** What a thread or a process with the runtime serves. */
export type OnnxMethods = {
  load: (call: LoadCall) => Promise<SessionInfo>;
  run: (call: RunCall) => Promise<Record<string, TensorData>>;
  release: (call: { session: number }) => Promise<void>;
};

/** onnxruntime-node behind the methods of a thread or process; sessions are known by their callers' numbers. */
export class OnnxRuntime {
  private readonly sessions = new Map<number, OnnxSession>();
  private runtime: Promise<Runtime> | undefined;

  /** @param module name of the runtime's package */
  constructor(private readonly module: string) {}

  async load({ session, bytes, providers }: LoadCall): Promise<SessionInfo> {
    // First, so that nothing outside the file is ever looked for.
    const file = readOnnxFile(bytes);
    const { InferenceSession } = await this.loaded();
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
        this.sessions.set(session, loaded);
        return {
          inputs: loaded.inputMetadata.map(valueInfo),
          outputs: loaded.outputMetadata.map(valueInfo),
          provider,
          ...(file && { file }),
        };
      } catch (thrown) {
        failures.push(`${provider}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      }
    }
    throw refusal(failures.join('; '));
  }

  async run({ session, feeds }: RunCall): Promise<Transferred> {
    const { Tensor } = await this.loaded();
    const inputs: Record<string, OnnxTensor> = {};
    for (const [name, { type, dims, data }] of Object.entries(feeds)) {
      inputs[name] =
        type === 'float16'
          ? halfTensor(data as Float32Array, dims)
          : new Tensor(type as 'float32', data as Float32Array, dims);
    }
    const results = await this.session(session)
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
      const values = type === 'float16' ? fromHalf(halfBits(data)) : data;
      outputs[name] = { type, dims, data: values };
      if (!Array.isArray(values) && values.buffer instanceof ArrayBuffer) {
        transfer.add(values.buffer);
      }
    }
    return new Transferred(outputs, [...transfer]);
  }

  async release({ session }: { session: number }): Promise<void> {
    const loaded = this.sessions.get(session);
    this.sessions.delete(session);
    await loaded?.release();
  }

  private session(id: number): OnnxSession {
    const session = this.sessions.get(id);
    if (!session) {
      throw new EdgeError('INFERENCE', 'The model is not loaded.');
    }
    return session;
  }

  private loaded(): Promise<Runtime> {
    return (this.runtime ??= this.loadRuntime());
  }

  private async loadRuntime(): Promise<Runtime> {
    try {
      const loaded = (await import(this.module)) as Runtime & { default?: Runtime };
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
}

/** What the runtime says of a model that it knows to be whole, and cannot run. */
const BEYOND_RUNTIME = new RegExp(
  [
    'is not a registered function/op',
    'Could not find an implementation',
    'Failed to find kernel',
    'opset',
    'unsupported',
    'not supported',
    'Failed to construct locale',
  ].join('|'),
  'i',
);
/** Names of the element types (TensorProto.DataType) that onnxruntime-node knows by number only. */
const FOREIGN_TYPES: Partial<Record<number, string>> = {
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  23: 'float4e2m1',
  24: 'float8e8m0',
  25: 'uint2',
  26: 'int2',
};

/** A failed load by its cause: what can be exported otherwise, what this machine lacks, or a broken file. */
function refusal(text: string): EdgeError {
  const reason = text.replace(/[.\s]+$/, '');
  const foreign = /: Unsupported data type: (\d+)(?:;|$)/.exec(reason);
  if (foreign) {
    const type = FOREIGN_TYPES[Number(foreign[1])] ?? `type-${foreign[1]}`;
    return new EdgeError(
      'DTYPE',
      `The model has an input or output of ${type} tensors, which onnxruntime-node cannot hand over. Export it with float32 inputs and outputs; inside the model the type may stay.`,
      { type },
    );
  }
  if (/external data/i.test(reason)) {
    return new EdgeError(
      'MODEL_UNSUPPORTED',
      `The model keeps its weights in other files, which are not read: ${reason}. Export it as a single file.`,
    );
  }
  if (BEYOND_RUNTIME.test(reason)) {
    return new EdgeError(
      'MODEL_UNSUPPORTED',
      `The runtime cannot run this model: ${reason}. Export it again in float32, with standard ONNX operators and an opset that onnxruntime-node knows, or install what it misses here.`,
    );
  }
  return new EdgeError(
    'MODEL_INVALID',
    `Property "model" or "providers": the model does not load: ${reason}. Copy the file again, or export it again, and check "providers".`,
  );
}

/**
 * The class makes a Float16Array of the bits where there is one, which the runtime's native part (1.30) then takes for
 * empty; it takes a plain object with the same properties as it is.
 */
function halfTensor(values: Float32Array, dims: readonly number[]): OnnxTensor {
  const tensor = { type: 'float16', data: toHalf(values), dims, location: 'cpu' };
  return tensor as unknown as OnnxTensor;
}

/** Newer versions of Node.js have half-precision arrays, which the runtime then gives. */
function halfBits(data: OnnxTensor['data']): Uint16Array {
  const { buffer, byteOffset, length } = data as Uint16Array;
  return new Uint16Array(buffer, byteOffset, length);
}

function valueInfo(meta: OnnxSession['inputMetadata'][number]): ValueInfo {
  return meta.isTensor
    ? { name: meta.name, type: meta.type, shape: meta.shape }
    : { name: meta.name, type: '', shape: [] };
}
