/*
 * Counts that both ends of a reader see without telling each other: a message to a thread takes its sender some 20 µs, most
 * of it to wake the thread, which at a few thousand messages a second is awake anyway. Each end tells the other only what
 * that waits for. Counts wrap at 2^32; only their differences are used.
 */

/** Two counts in memory that both ends see. */
abstract class Tally {
  protected readonly counts: Int32Array;

  /** @param shared that of the other end; new when left out */
  constructor(readonly shared = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.counts = new Int32Array(shared);
  }
}

const TAKEN = 0;
const AWAITED = 1;

/** Batches that the node has taken, and whether its reader waits for the next one. */
export class BatchTally extends Tally {
  /** The node has taken one more. Returns whether the reader has to be told. */
  take(): boolean {
    Atomics.add(this.counts, TAKEN, 1);
    return Atomics.exchange(this.counts, AWAITED, 0) === 1;
  }

  /** Of so many batches sent, those that the node has not taken. */
  underWay(sent: number): number {
    return (sent - Atomics.load(this.counts, TAKEN)) | 0;
  }

  /** The reader wants to be told of the next one; ask {@link underWay} again, as one may have been taken meanwhile. */
  await(): void {
    Atomics.store(this.counts, AWAITED, 1);
  }
}

const SETTLED = 0;
const HEARD = 1;

/** Messages that the flow is done with, up to the next that it has lost, and how many of them the reader has heard of. */
export class EndTally extends Tally {
  /** How many there have been. */
  get settled(): number {
    return Atomics.load(this.counts, SETTLED);
  }

  /** One more; for the node. */
  settle(): void {
    Atomics.add(this.counts, SETTLED, 1);
  }

  /** Whether the reader has heard of the first so many, however long ago that was. */
  hasHeard(settled: number): boolean {
    // By those that came since, up to 2^32: more than 2^31 may pass between two numbers that are asked about.
    return (this.settled - settled) >>> 0 >= this.unheard;
  }

  /** How many the reader has not heard of. */
  get unheard(): number {
    return (this.settled - Atomics.load(this.counts, HEARD)) | 0;
  }

  /** Gives the reader those that it has not heard of. */
  hear(): number {
    const count = this.unheard;
    Atomics.add(this.counts, HEARD, count);
    return count;
  }
}
