/** How much of a second may be spent at once when nothing was sent for long. */
const BURST_S = 0.1;
/** How often, at most, it is worth looking again at a high rate. */
const STEP_S = 0.02;

/** Limits a rate over time; what is taken together may exceed the rate for once and is waited for afterwards. */
export class TokenBucket {
  private readonly capacity: number;
  private tokens: number;
  private refilledAt: number;

  /** @param rate a second, more than 0; @param now monotonic ms */
  constructor(
    private readonly rate: number,
    now: number,
  ) {
    this.capacity = Math.max(1, rate * BURST_S);
    this.tokens = this.capacity;
    this.refilledAt = now;
  }

  /** Whether something may be taken now. */
  isReady(now: number): boolean {
    this.refill(now);
    // What is counted up in fractions may miss a whole by a hair.
    return this.tokens >= 1 - 1e-6;
  }

  /** Takes any number of tokens at once; call when it is ready. */
  take(count: number, now: number): void {
    this.refill(now);
    this.tokens -= count;
  }

  /** When to look again after it was not ready. */
  readyAt(now: number): number {
    this.refill(now);
    const missing = Math.max(1, this.rate * STEP_S) - this.tokens;
    return now + Math.max(1, Math.ceil((missing / this.rate) * 1000));
  }

  private refill(now: number): void {
    this.tokens = Math.min(this.capacity, this.tokens + ((now - this.refilledAt) / 1000) * this.rate);
    this.refilledAt = now;
  }
}
