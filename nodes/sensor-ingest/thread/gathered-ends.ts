import { EndTally } from './tallies';

/** Fewer than the messages that a broker has under way to a client by itself (20 in mosquitto), which must not run dry. */
const ENOUGH = 10;
const LONGEST_MS = 2;

/**
 * Counts messages that the flow is done with where the reader sees it, and wakes the reader when it has not looked for a
 * while: one call for several, since to wake it, and to write each acknowledgement by a system call of its own, takes longer
 * than all the rest.
 */
export class GatheredEnds {
  private tally = new EndTally();
  private scheduled = false;
  /** How many there were when the reader was called last. */
  private called = 0;

  /**
   * @param later runs an action after so many ms
   * @param callReader makes the reader look at the tally
   */
  constructor(
    private readonly later: (ms: number, action: () => void) => void,
    private readonly callReader: () => void,
  ) {}

  /** What the reader looks at. */
  get shared(): SharedArrayBuffer {
    return this.tally.shared;
  }

  /** One more; the reader hears of it at most a moment later. */
  add(): void {
    this.tally.settle();
    if (this.tally.unheard >= ENOUGH) {
      this.call();
    }
    this.lookLater();
  }

  /** Begins another tally, of what follows a message that was lost, or is told to another reader. */
  renew(): SharedArrayBuffer {
    this.tally = new EndTally();
    this.called = 0;
    return this.shared;
  }

  /** Unless the reader has been called, and is on its way. */
  private call(): void {
    const { tally, called } = this;
    if (tally.hasHeard(called)) {
      this.called = tally.settled;
      this.callReader();
    }
  }

  private lookLater(): void {
    if (!this.scheduled) {
      this.scheduled = true;
      const { tally } = this;
      const { settled } = tally;
      this.later(LONGEST_MS, () => {
        this.scheduled = false;
        if (tally === this.tally && !tally.hasHeard(settled)) {
          this.call();
        }
        // Also after a call, which may have come before the last of them.
        if (this.tally.unheard > 0) {
          this.lookLater();
        }
      });
    }
  }
}
