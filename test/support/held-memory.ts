import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Has V8 collect all that nothing refers to. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Bytes of array buffers that are still in use. */
export function heldBytes(): number {
  collectGarbage();
  // What the first one found is freed beside it; the second waits for that.
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}
