import type { StoredMessage } from './outbox-port';

/** A message in memory on its way out. */
export interface Held {
  message: StoredMessage;
  /** Times it was sent. */
  attempts: number;
  /** Whether it was sent before without an answer. */
  duplicatePossible: boolean;
}

/** The held messages of one topic and priority, oldest first, and what keeps them from being sent. */
export class TopicQueue {
  readonly waiting: Held[] = [];
  /** How many of them are on their way, all over the connection `carrier`. */
  flying = 0;
  carrier: object | undefined;
  /** Refusals in a row, for the backoff. */
  refusals = 0;
  /** Monotonic time before which nothing may be sent. */
  retryAt = 0;
  /** First sequence that was put back to the store because the topic is stuck. */
  parkedFrom: number | undefined;
  /** Whether the queue stands in the lane's ready list. */
  ready = false;
  fetching = false;
  private width = 1;

  constructor(readonly topic: string) {}

  /**
   * Whether the next message may go over a connection now. On one that keeps order, several may be under way at
   * once: one at first, doubled by every acknowledgement, one again after a refusal, so that what a broker refuses
   * for a topic's sake is met by one message and not overtaken by the next.
   */
  mayStart(carrier: object, ordered: boolean, now: number): boolean {
    return (
      this.waiting.length > 0 &&
      this.retryAt <= now &&
      (this.flying === 0 || (this.carrier === carrier && ordered && this.flying < this.width))
    );
  }

  acknowledged(): void {
    this.flying--;
    this.refusals = 0;
    this.width = Math.min(this.width * 2, 1024);
  }

  refused(retryAt: number): void {
    this.flying--;
    this.refusals++;
    this.width = 1;
    this.retryAt = Math.max(this.retryAt, retryAt);
  }

  /** Puts a message in its place: one that was sent in vain, or was just read. */
  takeBack(held: Held): void {
    const { waiting } = this;
    const { sequence } = held.message;
    if (waiting.length === 0 || waiting[waiting.length - 1].message.sequence < sequence) {
      waiting.push(held);
      return;
    }
    const index = waiting.findIndex(({ message }) => message.sequence > sequence);
    waiting.splice(index, 0, held);
  }
}
