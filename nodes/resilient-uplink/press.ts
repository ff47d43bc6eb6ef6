import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Outgoing } from './link';

export type Compression = 'none' | 'gzip';

/**
 * Compresses what is about to be sent, off the main thread, and hands it on in the order in which it came, so that
 * what was small and fast overtakes nothing. Several are compressed at once; how many is bounded by what may be under
 * way.
 */
export class Press {
  private tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly compression: Compression,
    private readonly compress: (body: Uint8Array) => Promise<Uint8Array> = promisify(gzip),
  ) {}

  /** Calls `ready` with what goes over the connection: at once when nothing is to be compressed. */
  press(outgoing: Outgoing, ready: (outgoing: Outgoing) => void): void {
    if (this.compression === 'none') {
      ready(outgoing);
      return;
    }
    const compressed = this.compress(outgoing.body).then(
      (body): Outgoing => ({ ...outgoing, body, encoding: 'gzip' }),
      // Larger is better than never.
      () => outgoing,
    );
    this.tail = this.tail.then(() => compressed).then(ready);
  }
}
