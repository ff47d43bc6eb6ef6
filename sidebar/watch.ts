import type { Clock, Timer } from '../nodes/shared/clock';

/** How long somebody counts as looking after having said so. */
export const LEASE_MS = 15_000;
const EVERY_MS = 1000;

/** Pushes snapshots while somebody looks, and does nothing at all while nobody does. */
export class Watch {
  private until = -Infinity;
  private timer: Timer | undefined;

  /**
   * @param push must not reject
   * @param rest called when nobody looks any more
   */
  constructor(
    private readonly clock: Clock,
    private readonly push: () => Promise<void>,
    private readonly rest: () => void,
  ) {}

  /** Somebody looks now, and goes on looking for {@link LEASE_MS} at least. */
  renew(): void {
    this.until = this.clock.monotonic() + LEASE_MS;
    if (!this.timer) {
      this.turn();
    }
  }

  private turn(): void {
    this.timer = this.clock.after(EVERY_MS, () => {
      this.timer = undefined;
      if (this.clock.monotonic() < this.until) {
        this.turn();
      } else {
        this.rest();
      }
    });
    void this.push();
  }
}
