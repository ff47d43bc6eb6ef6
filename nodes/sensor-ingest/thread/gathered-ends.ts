/** Fewer than the messages that a broker has under way to a client by itself (20 in mosquitto), which must not run dry. */
const MOST = 10;
const LONGEST_MS = 2;

/**
 * Counts messages that the flow is done with, and tells of several together: to hand each to the thread, and write each
 * acknowledgement by a system call of its own, takes longer than all the rest of it.
 */
export class GatheredEnds {
  private count = 0;
  private scheduled = false;

  /**
   * @param later runs an action after so many ms
   * @param tell hears how many came to an end, in the order in which they did
   */
  constructor(
    private readonly later: (ms: number, action: () => void) => void,
    private readonly tell: (count: number) => void,
  ) {}

  /** One more; it is told of with those after it, at most a moment later. */
  add(): void {
    if (++this.count >= MOST) {
      this.flush();
    } else if (!this.scheduled) {
      this.scheduled = true;
      this.later(LONGEST_MS, () => {
        this.scheduled = false;
        this.flush();
      });
    }
  }

  /** Tells what has been counted. */
  flush(): void {
    const { count } = this;
    this.count = 0;
    if (count > 0) {
      this.tell(count);
    }
  }

  /** Tells nobody. */
  forget(): void {
    this.count = 0;
  }
}
