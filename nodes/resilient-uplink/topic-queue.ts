import type { Portion } from './batching';
import type { StoredMessage } from './outbox-port';
import { entrySize } from './parcel';

/** A message in memory on its way out. */
export interface Held {
  message: StoredMessage;
  /** Times it was sent. */
  attempts: number;
  /** Whether it was sent before without an answer. */
  duplicatePossible: boolean;
  /** Whether it was stored while a connection worked, which has worked since. */
  live: boolean;
  /** Closures in a row that it was under way at. */
  closures: number;
  /** Number of the connection's last one of them. */
  closedAt: number;
}

/** The held messages of one topic and priority, oldest first, and what keeps them from being sent. */
export class TopicQueue {
  readonly waiting: Held[] = [];
  /** How many sends of them are on their way, all over the connection `carrier`. */
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
  /** Whether waiting for company is over: what waits goes as it is. */
  hurried = false;
  private width = 1;
  /** Last sequences of parts that are sent by themselves, nearest first: of a batch to repeat, or one that was split. */
  private parts: number[] = [];

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

  /** Takes what goes next: the first message, and as many after it as fit and belong to its part. */
  takePortion({ maxRows, maxBytes }: Portion): Held[] {
    const end = this.partEnd();
    let count = 0;
    let bytes = 0;
    for (const { message } of this.waiting) {
      bytes += entrySize(message);
      if (count > 0 && (count >= maxRows || bytes > maxBytes || message.sequence > end)) {
        break;
      }
      count++;
    }
    this.hurried = false;
    return this.waiting.splice(0, count);
  }

  /** Whether what goes next is decided already, and nothing may join it. */
  get isPart(): boolean {
    return this.partEnd() < Infinity;
  }

  acknowledged(): void {
    this.flying--;
    this.refusals = 0;
    this.width = Math.min(this.width * 2, 1024);
  }

  refused(retryAt: number): void {
    this.declined();
    this.refusals++;
    this.retryAt = Math.max(this.retryAt, retryAt);
  }

  /** A connection could not take a message for reasons of its own; another may at once. */
  declined(): void {
    this.flying--;
    this.width = 1;
  }

  /** Copies what waits out of the pages that it came in: one message would keep a whole page in memory as long as it. */
  ownBodies(): void {
    for (const { message } of this.waiting) {
      if (message.body.byteLength < message.body.buffer.byteLength) {
        message.body = Uint8Array.from(message.body);
      }
    }
  }

  /** Sends nothing of it until {@link release}: its first message goes by itself only. */
  holdBack(): void {
    this.retryAt = Infinity;
  }

  release(): void {
    this.retryAt = 0;
  }

  /** Puts a message in its place. One that comes before a batch which is to be repeated goes by itself, not with it. */
  insert(held: Held): void {
    const first = this.waiting.at(0);
    this.place(held);
    if (first && held.message.sequence < first.message.sequence && this.isPart) {
      this.parts.unshift(held.message.sequence);
    }
  }

  /** A message's place is nearly always the last or the first. */
  private place(held: Held): void {
    const { waiting } = this;
    const { sequence } = held.message;
    if (waiting.length === 0 || waiting[waiting.length - 1].message.sequence < sequence) {
      waiting.push(held);
      return;
    }
    const index = waiting.findIndex(({ message }) => message.sequence > sequence);
    waiting.splice(index, 0, held);
  }

  /**
   * Takes messages back that were sent in vain, to their place. What was sent as a batch is sent as the same batch
   * again, so that its id names the same messages.
   */
  takeBack(cargo: readonly Held[]): void {
    cargo.forEach((held) => this.place(held));
    const last = cargo[cargo.length - 1].message.sequence;
    if (cargo.length > 1 && this.parts[0] !== last) {
      this.parts.unshift(last);
    }
  }

  /** Takes a batch back that was refused for good and lets its halves go by themselves, before anything newer. */
  split(cargo: readonly Held[]): void {
    this.takeBack(cargo);
    this.parts.unshift(cargo[Math.ceil(cargo.length / 2) - 1].message.sequence);
  }

  private partEnd(): number {
    if (this.waiting.length > 0) {
      while (this.parts.length > 0 && this.parts[0] < this.waiting[0].message.sequence) {
        this.parts.shift();
      }
    }
    return this.parts[0] ?? Infinity;
  }
}
