/** What can hold back its writes: a stream of Node.js. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

/** Fewer than the messages that a broker has under way to a client by itself (20 in mosquitto), which must not run dry. */
const MOST = 10;
const LONGEST_MS = 2;

/**
 * Lets small packets to a stream leave together: acknowledgements come one by one, and a system call for each takes longer
 * than all the rest of it.
 */
export class GatheredWrites {
  private corked: Corkable | undefined;
  private written = 0;

  /** @param later runs an action after so many ms */
  constructor(private readonly later: (ms: number, action: () => void) => void) {}

  /** Writes to the stream by `write`; it leaves with what is written after it, at most a moment later. */
  write(stream: Corkable, write: () => void): void {
    if (this.corked !== stream) {
      this.release();
      this.corked = stream;
      stream.cork();
      this.later(LONGEST_MS, () => {
        if (this.corked === stream) {
          this.release();
        }
      });
    }
    write();
    if (++this.written >= MOST) {
      this.release();
    }
  }

  private release(): void {
    const { corked } = this;
    this.corked = undefined;
    this.written = 0;
    corked?.uncork();
  }
}
