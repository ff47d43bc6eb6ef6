import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import type { Outgoing } from './link';

export type Compression = 'none' | 'gzip';

/** Up to here it takes the main thread less to compress (20 to 50 µs) than to have it done by another (60 µs, and 0.1 ms of waiting). */
const AT_ONCE_BYTES = 4096;
/** So many in one turn of the event loop, which others need as well. */
const AT_ONCE_A_TURN = 16;

/**
 * Compresses what is about to be sent and hands it on in the order in which it came, so that what was small and fast
 * overtakes nothing. What is large, or comes in numbers, is compressed off the main thread, several at once; how many is
 * bounded by what may be under way.
 */
export class Press {
  private tail: Promise<void> = Promise.resolve();
  /** How many are being compressed, or wait for one that is. */
  private waiting = 0;
  /** How many more may be compressed at once in this turn. */
  private left = AT_ONCE_A_TURN;

  constructor(
    private readonly compression: Compression,
    private readonly compress: (body: Uint8Array) => Promise<Uint8Array> = promisify(gzip),
    private readonly compressAtOnce: (body: Uint8Array) => Uint8Array = gzipSync,
  ) {}

  /** Calls `ready` with what goes over the connection: at once when that takes no time and nothing is before it. */
  press(outgoing: Outgoing, ready: (outgoing: Outgoing) => void): void {
    if (this.compression === 'none') {
      ready(outgoing);
      return;
    }
    if (outgoing.body.byteLength <= AT_ONCE_BYTES && this.waiting === 0 && this.left > 0) {
      ready(this.pressedNow(outgoing));
      return;
    }
    const compressed = this.compress(outgoing.body).then(
      (body) => gzipped(outgoing, body),
      // Larger is better than never.
      () => outgoing,
    );
    this.waiting++;
    this.tail = this.tail
      .then(() => compressed)
      .then((pressed) => {
        this.waiting--;
        ready(pressed);
      });
  }

  private pressedNow(outgoing: Outgoing): Outgoing {
    if (this.left-- === AT_ONCE_A_TURN) {
      setImmediate(() => {
        this.left = AT_ONCE_A_TURN;
      });
    }
    try {
      return gzipped(outgoing, this.compressAtOnce(outgoing.body));
    } catch {
      // Larger is better than never.
      return outgoing;
    }
  }
}

function gzipped(outgoing: Outgoing, body: Uint8Array): Outgoing {
  return { ...outgoing, body, encoding: 'gzip' };
}
