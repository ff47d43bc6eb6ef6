/** How messages of one topic and priority are sent together. */
export interface BatchConfig {
  /** Messages in one publish; with more than 1 every publish is an envelope, also one with a single message. */
  size: number;
  /** How long a message may wait in the outbox for others. */
  delayMs: number;
}

/** Bodies of one batch: small enough for common servers' limits, and to be put together in well under 2 ms. */
const BATCH_BYTES = 256 * 1024;
/** Index of the priority that neither waits for company nor is throttled. */
const ALERT = 0;

/** What limits the next send of a topic. */
export interface Portion {
  maxRows: number;
  maxBytes: number;
}

/** Decides when a topic's waiting messages go, and how many of them together. */
export class Batching {
  constructor(private readonly config: BatchConfig) {}

  /** Whether messages travel in envelopes. */
  get enveloped(): boolean {
    return this.config.size > 1;
  }

  /** @param bodyLimit bytes that the connection takes */
  portion(bodyLimit: number): Portion {
    return { maxRows: this.config.size, maxBytes: Math.min(BATCH_BYTES, bodyLimit) };
  }

  /**
   * How long the messages of a topic should still wait for more, in ms; 0 or less when they should go now. Alerts
   * never wait: they are sent with whatever stands there already.
   *
   * @param waitedMs how long the first of them has been in the outbox
   */
  waitMs(priority: number, count: number, waitedMs: number): number {
    return priority === ALERT || count >= this.config.size ? 0 : this.config.delayMs - waitedMs;
  }
}
