import { EdgeError } from '../shared/errors';

const MOST_WAITING = 50_000;
const SLICE_MS = 1;

/** Serves messages that need several turns of the event loop one after the other, in the order of arrival. */
export class TurnQueue {
  private tail: Promise<void> = Promise.resolve();
  private waiting = 0;

  constructor(private readonly monotonic: () => number) {}

  /** Whether nothing is being served or waits, so that a message may be served at once. */
  get idle(): boolean {
    return this.waiting === 0;
  }

  /** @throws EdgeError `OVERLOAD` when too many wait */
  async run(task: () => Promise<void>): Promise<void> {
    if (this.waiting >= MOST_WAITING) {
      throw new EdgeError(
        'OVERLOAD',
        `${MOST_WAITING} messages wait for the forest already. Send more slowly, or in smaller batches.`,
      );
    }
    this.waiting++;
    const turn = this.tail.then(task);
    this.tail = turn.then(
      () => undefined,
      () => undefined,
    );
    try {
      await turn;
    } finally {
      this.waiting--;
    }
  }

  /** Calls `step` until it returns false, a millisecond at a time. */
  async inSlices(step: () => boolean): Promise<void> {
    let began = this.monotonic();
    while (step()) {
      if (this.monotonic() - began >= SLICE_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        began = this.monotonic();
      }
    }
  }

  /** Resolves once everything that was asked for has been served. */
  async drained(): Promise<void> {
    await this.tail;
  }
}
