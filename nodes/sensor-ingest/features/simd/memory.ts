import { moduleBytes, type FunctionBuilder } from './emitter';

const PAGE = 65_536;

/** A memory of WebAssembly. */
export interface Memory {
  readonly buffer: ArrayBuffer;
}

/** What is used of it here; the types of Node.js leave it out. */
declare const WebAssembly:
  | {
      Memory: new (size: { initial: number; maximum: number }) => Memory;
      Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
      Instance: new (module: object, imports: object) => { exports: object };
    }
  | undefined;

/** @returns undefined where there is no WebAssembly, or no address space for another memory, of which each takes some 10 GB */
export function newMemory(bytes: number): Memory | undefined {
  if (typeof WebAssembly === 'undefined') {
    return undefined;
  }
  const pages = Math.ceil(bytes / PAGE);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    return undefined;
  }
}

/**
 * The functions by their names, over that memory.
 *
 * @throws WebAssembly.CompileError where there are no vectors
 */
export function instantiate(functions: readonly FunctionBuilder[], memory: Memory): object {
  if (typeof WebAssembly === 'undefined') {
    throw new TypeError('There is no WebAssembly.');
  }
  const bytes = moduleBytes(functions, memory.buffer.byteLength / PAGE);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { import: { memory } }).exports;
}
