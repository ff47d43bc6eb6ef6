import type { OnnxFile } from '../model/onnx-file';

/** The arrays that tensor data lies in; booleans are bytes, as ONNX stores them. */
export type TensorArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string[];

/**
 * A tensor as it crosses the thread boundary: element type by ONNX's name, row-major data; half-precision numbers lie in
 * a Float32Array.
 */
export interface TensorData {
  type: string;
  dims: readonly number[];
  data: TensorArray;
}

/** An input or output as the model declares it; a symbolic dimension is its name, which may be empty. */
export interface ValueInfo {
  name: string;
  /** Element type such as `float32`; empty when it is no tensor (a sequence or a map). */
  type: string;
  shape: readonly (number | string)[];
}

/** What a loaded model declares, and which execution provider loaded it. */
export interface SessionInfo {
  inputs: readonly ValueInfo[];
  outputs: readonly ValueInfo[];
  provider: string;
  /** The file's own words; undefined for a model in the runtime's own format. */
  file?: OnnxFile;
}

/** A loaded model. */
export interface InferenceSession {
  readonly info: SessionInfo;
  /** Hands the feeds over: their buffers must not be used afterwards. Rejects with `INFERENCE`, or `WORKER` if the runtime died. */
  run(feeds: Record<string, TensorData>): Promise<Record<string, TensorData>>;
  /** Calls back once if the runtime dies under the session, which is useless from then on. */
  onLost(listener: () => void): void;
  /** Gives the model's memory back. */
  release(): Promise<void>;
}

export interface LoadOptions {
  /** Execution providers in order of preference; the first that loads is taken. */
  providers: readonly string[];
}

/** Runs models somewhere that is not the main thread. */
export interface InferenceBackend {
  /**
   * Loads a model. The bytes are handed over.
   * @throws EdgeError `RUNTIME_MISSING`, `MODEL_INVALID`, `MODEL_UNSUPPORTED`, `DTYPE`
   */
  load(bytes: Uint8Array<ArrayBuffer>, options: LoadOptions): Promise<InferenceSession>;
}
