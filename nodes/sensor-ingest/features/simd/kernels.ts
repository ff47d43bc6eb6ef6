import { SimdKernel } from './kernel';
import { Layout } from './layout';
import { newMemory, type Memory } from './memory';

/**
 * Kernels for the lengths that come, all in one memory, because each memory takes some 10 GB of a process's address space, of
 * which small boards have 512. What is not touched of it takes no real memory.
 */
export class SimdKernels {
  private readonly kernels = new Map<number, SimdKernel>();
  private memory: Memory | undefined;
  private end = 0;

  /**
   * @param longest the longest window, in samples, a power of two; shorter ones find room for as many samples together
   * @param wanted false to be without kernels
   */
  constructor(
    private readonly longest: number,
    private wanted: boolean,
  ) {}

  /**
   * @param length a power of two from 16 on
   * @returns undefined for windows that are too long, and where WebAssembly or its vectors are missing
   */
  for(length: number): SimdKernel | undefined {
    return (
      this.kernels.get(length) ?? (this.wanted && length <= this.longest ? this.make(length) : undefined)
    );
  }

  private make(length: number): SimdKernel | undefined {
    this.memory ??= newMemory(new Layout(this.longest, 0).end);
    if (!this.memory) {
      this.wanted = false;
      return undefined;
    }
    let layout = new Layout(length, this.end);
    if (layout.end > this.memory.buffer.byteLength) {
      this.kernels.clear();
      layout = new Layout(length, 0);
    }
    try {
      const kernel = new SimdKernel(layout, this.memory);
      this.kernels.set(length, kernel);
      this.end = layout.end;
      return kernel;
    } catch {
      this.wanted = false;
      return undefined;
    }
  }
}
