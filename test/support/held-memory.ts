import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of array buffers that are still in use. */
export function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  // What the first one found is freed beside it; the second waits for that.
  collect();
  return process.memoryUsage().arrayBuffers;
}
