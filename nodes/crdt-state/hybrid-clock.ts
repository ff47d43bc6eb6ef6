/** Steps of hybrid time in a millisecond. */
const STEPS = 1024;

/**
 * Hybrid logical time (Kulkarni et al., 2014) in 1/1024 ms since the epoch: later than what was seen from others, as
 * far as the bound allows. A clock that is wrong, here or elsewhere, therefore moves stamps by the bound at most;
 * since stamps rank concurrent siblings only, they need not ascend.
 */
export class HybridClock {
  private last = 0;

  /**
   * @param now wall time in ms since the epoch.
   * @param boundMs how far stamps may run ahead of it.
   */
  constructor(
    private readonly now: () => number,
    private readonly boundMs = 60_000,
  ) {}

  /** The stamp of a new write. */
  next(): number {
    const physical = this.physical();
    this.last = Math.max(physical, Math.min(this.last + 1, physical + this.boundMs * STEPS));
    return this.last;
  }

  /** Takes note of another replica's stamp. */
  observe(stamp: number): void {
    this.last = Math.max(this.last, Math.min(stamp, this.physical() + this.boundMs * STEPS));
  }

  private physical(): number {
    return Math.max(0, Math.floor(this.now())) * STEPS;
  }
}

/** Wall time of a stamp, in ms since the epoch. */
export function stampToMs(stamp: number): number {
  return Math.floor(stamp / STEPS);
}
