import type { Clock, Timer } from '../shared/clock';
import { toEdgeError, type EdgeError } from '../shared/errors';
import type { Random } from '../shared/random';
import { backoffMs } from './backoff';
import type { Carrier, Flight } from './carrier';
import { Lane } from './lane';
import type { Answer, Link } from './link';
import { LinkPool, type PoolConfig } from './link-pool';
import { PRIORITIES, type Outbox, type ReadResult, type StoredMessage } from './outbox-port';
import { SettlementBuffer } from './settlement-buffer';
import type { TopicQueue } from './topic-queue';
import { Turns } from './turns';

/** How a message was delivered, as `msg.uplink` tells it. */
export interface DeliveryNote {
  id: string;
  /** The connection's name. */
  connection: string;
  attempts: number;
  storedMs: number;
  fallback: boolean;
  duplicatePossible: boolean;
}

export interface DeliveryEvents {
  delivered(message: StoredMessage, note: DeliveryNote): void;
  /** Refused for good by a connection. */
  rejected(message: StoredMessage, reason: string): void;
  /** Rows that the medium damaged. */
  corrupt(sequences: number[]): void;
  /** A connection stopped working. */
  connectionFailed(name: string, reason: string): void;
  /** Something that a status would show may have changed. */
  changed(): void;
  /** The store refused; delivery tries again with its next tick. */
  storeFailed: (error: EdgeError) => void;
}

const CORRUPT = { fate: 'corrupt', connection: '' } as const;
const REJECTED = { fate: 'rejected', connection: '' } as const;

const TICK_MS = 100;
const PAGE_ROWS = 256;
const PAGE_BYTES = 2 * 1024 * 1024;

/**
 * Sends what the outbox holds over the connection that works, keeping the order of every topic within its priority,
 * and settles a message only when a connection acknowledged it or refused it for good.
 */
export class Delivery {
  readonly pool: LinkPool;
  private readonly lanes = PRIORITIES.map((_, priority) => new Lane(priority));
  private readonly turns = new Turns();
  private readonly settlements: SettlementBuffer;
  private timer: Timer | undefined;
  private isPaused = false;
  private stopped = false;
  private pumping = false;

  constructor(
    links: readonly Link[],
    private readonly outbox: Outbox,
    private readonly config: PoolConfig,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly events: DeliveryEvents,
  ) {
    this.settlements = new SettlementBuffer(outbox, clock, (error) => events.storeFailed(error));
    this.pool = new LinkPool(links, config, clock, random, {
      lost: (flights) => this.recover(flights),
      failed: ({ link, reason }) => events.connectionFailed(link.name, reason),
      changed: () => {
        this.pump();
        events.changed();
      },
    });
  }

  /** Begins with what is stored, at once and without a new message. */
  start(): void {
    this.tick();
  }

  /** Takes messages that were just stored, in order. */
  offer(messages: readonly StoredMessage[]): void {
    for (const message of messages) {
      this.lanes[message.priority].offer(message);
    }
    this.pump();
  }

  /** Looks again for messages from a sequence on: they were put back to the store. */
  rewind(sequence: number): void {
    this.lanes.forEach((lane) => lane.rewind(sequence));
    this.pump();
  }

  get paused(): boolean {
    return this.isPaused;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.pump();
  }

  /** Forgets all waiting times: closed connections and refused messages are tried at once. */
  flush(): void {
    for (const lane of this.lanes) {
      for (const queue of lane.topics.values()) {
        queue.retryAt = 0;
        lane.wake(queue);
      }
    }
    this.pool.hurry();
    this.pump();
  }

  /** Messages that are under way. */
  get inFlight(): number {
    return this.pool.carriers.reduce((sum, { flights }) => sum + flights.size, 0);
  }

  /** Sequences that must not be dropped: they are under way, or settled and about to be deleted. */
  untouchable(): number[] {
    const flying = this.pool.carriers.flatMap(({ flights }) =>
      [...flights].map(({ held }) => held.message.sequence),
    );
    return [...flying, ...this.settlements.pending()];
  }

  /** Ends messages without sending them: they expired or were evicted. Those under way are left alone. */
  discard(messages: readonly StoredMessage[], fate: 'expired' | 'evicted'): StoredMessage[] {
    const untouchable = new Set(this.untouchable());
    const gone = messages.filter(({ sequence }) => !untouchable.has(sequence));
    for (const message of gone) {
      this.lanes[message.priority].drop(message);
      this.settlements.remove(message.sequence, { fate, connection: '' });
    }
    return gone;
  }

  /** Deletes rows that the medium damaged. */
  removeCorrupt(sequences: readonly number[]): void {
    if (sequences.length > 0) {
      sequences.forEach((sequence) => this.settlements.remove(sequence, CORRUPT));
      this.events.corrupt([...sequences]);
    }
  }

  /** Resolves when everything that was settled so far is deleted. */
  settled(): Promise<void> {
    return this.settlements.flush();
  }

  /** Sends nothing more, waits up to `graceMs` for answers that are due, then closes all connections. */
  async stop(graceMs: number): Promise<void> {
    this.stopped = true;
    const end = this.clock.monotonic() + graceMs;
    while (this.inFlight > 0 && this.clock.monotonic() < end) {
      await new Promise<void>((resolve) => {
        this.clock.after(20, resolve);
      });
    }
    this.timer?.cancel();
    this.recover(this.pool.stop());
    await this.settlements.flush();
    this.settlements.close();
  }

  private tick(): void {
    if (!this.stopped) {
      this.pool.tend();
    }
    this.wakeDue();
    this.pump();
    if (!this.stopped || this.inFlight > 0) {
      this.timer = this.clock.after(TICK_MS, () => this.tick());
    }
  }

  private wakeDue(): void {
    const now = this.clock.monotonic();
    for (const lane of this.lanes) {
      for (const queue of lane.topics.values()) {
        if (queue.retryAt <= now) {
          lane.wake(queue);
        }
        this.unpark(lane, queue);
      }
      if (lane.isStuck(now)) {
        lane.park(now);
      }
    }
  }

  private pump(): void {
    if (this.pumping) {
      return;
    }
    this.pumping = true;
    try {
      if (!this.isPaused && !this.stopped) {
        this.sendAll();
      }
      for (const lane of this.lanes) {
        this.fill(lane);
      }
    } finally {
      this.pumping = false;
    }
  }

  private sendAll(): void {
    const now = this.clock.monotonic();
    for (const carrier of this.pool.onTrial()) {
      // The least urgent message that there is: if the connection stalls, it waits for the timeout.
      const sent = [...this.lanes].reverse().some((lane) => this.launch(lane, carrier, now) !== undefined);
      if (sent) {
        carrier.lastProbeAt = now;
      }
    }
    for (;;) {
      const carrier = this.pool.current;
      if (!carrier?.hasRoom(now) || !this.turns.next((lane) => this.launch(this.lanes[lane], carrier, now))) {
        return;
      }
    }
  }

  private launch(lane: Lane, carrier: Carrier, now: number): true | undefined {
    const next = lane.next(carrier, carrier.link.ordered, now);
    if (!next) {
      return undefined;
    }
    const { held, queue } = next;
    const { sequence, topic, kind, body } = held.message;
    const flight: Flight = { held, queue, lane, id: `${this.outbox.uuid}:${sequence}`, sentAt: now };
    held.attempts++;
    carrier.launched(flight, now);
    carrier.link.send({ id: flight.id, topic, kind, body }, (answer) => {
      // An answer that comes after its connection was given up: the message is on its way again already.
      if (carrier.flights.has(flight)) {
        this.settle(flight, carrier, answer);
        this.pump();
      }
    });
    return true;
  }

  private settle(flight: Flight, carrier: Carrier, answer: Answer): void {
    const now = this.clock.monotonic();
    const { held, queue, lane } = flight;
    const suspected = carrier.failures > 0;
    carrier.answered(flight, answer.outcome !== 'retry', now);
    if (answer.outcome === 'retry') {
      carrier.reason = answer.reason;
      if (answer.retryAfterMs !== undefined) {
        carrier.pausedUntil = Math.max(carrier.pausedUntil, now + answer.retryAfterMs);
      }
      this.settlements.note(held.message.sequence, held.attempts);
      queue.refused(now + backoffMs(this.config.retry, queue.refusals + 1, this.random));
      queue.takeBack(held);
      return;
    }
    queue.acknowledged();
    const connection = carrier.link.name;
    this.settlements.remove(
      held.message.sequence,
      answer.outcome === 'acknowledged'
        ? { fate: 'delivered', connection }
        : { ...REJECTED, refusal: { reason: answer.reason, connection } },
    );
    lane.wake(queue);
    lane.release(queue, held);
    this.unpark(lane, queue);
    if (answer.outcome === 'acknowledged') {
      this.events.delivered(held.message, {
        id: flight.id,
        connection,
        attempts: held.attempts,
        storedMs: held.message.storedMs,
        fallback: carrier.rank > 0,
        duplicatePossible: held.duplicatePossible,
      });
    } else {
      this.events.rejected(held.message, answer.reason);
    }
    if (suspected) {
      this.pool.tend();
      this.events.changed();
    }
  }

  /** Messages whose connection was lost wait again, each in its place. */
  private recover(flights: readonly Flight[]): void {
    for (const { held, queue, lane } of flights) {
      held.duplicatePossible = true;
      queue.flying--;
      queue.takeBack(held);
      this.settlements.note(held.message.sequence, held.attempts);
      lane.wake(queue);
    }
  }

  /** Keeps the lane's window full from the store. */
  private fill(lane: Lane): void {
    if (!lane.wantsRead || this.stopped) {
      return;
    }
    lane.reading = true;
    const { arrivals, rewinds } = lane;
    this.outbox
      .read({ priority: lane.priority, after: lane.cursor, maxRows: PAGE_ROWS, maxBytes: PAGE_BYTES })
      .then((page) => {
        lane.reading = false;
        if (lane.rewinds !== rewinds) {
          this.pump();
          return;
        }
        const last = this.accept(page, (message) => lane.take(message));
        lane.cursor = Math.max(lane.cursor, last);
        lane.caughtUp = !page.more && lane.arrivals === arrivals;
        this.pump();
      })
      .catch((thrown: unknown) => {
        lane.reading = false;
        this.events.storeFailed(toEdgeError(thrown, 'STORE'));
      });
  }

  /** Fetches what was put back to the store while its topic was stuck. */
  private unpark(lane: Lane, queue: TopicQueue): void {
    if (queue.parkedFrom === undefined || queue.waiting.length > 0 || queue.fetching || this.stopped) {
      return;
    }
    queue.fetching = true;
    const upTo = lane.cursor;
    const { rewinds } = lane;
    const after = queue.parkedFrom - 1;
    this.outbox
      .read({
        priority: lane.priority,
        after,
        only: { topic: queue.topic, upTo },
        maxRows: PAGE_ROWS,
        maxBytes: PAGE_BYTES,
      })
      .then((page) => {
        queue.fetching = false;
        if (lane.rewinds !== rewinds) {
          return;
        }
        const last = this.accept(page, (message) => lane.hold(queue, message));
        queue.parkedFrom = page.more ? last + 1 : lane.cursor > upTo ? upTo + 1 : undefined;
        if (queue.waiting.length === 0) {
          this.unpark(lane, queue);
          lane.tidy(queue);
        }
        this.pump();
      })
      .catch((thrown: unknown) => {
        queue.fetching = false;
        this.events.storeFailed(toEdgeError(thrown, 'STORE'));
      });
  }

  /**
   * Takes a page's messages and deletes what is damaged in it; gives the page's last sequence. What was discarded
   * while the page was read, and what expired while nobody looked, is not sent any more.
   */
  private accept(page: ReadResult, take: (message: StoredMessage) => void): number {
    const age = this.outbox.age();
    for (const message of page.messages) {
      const expired = message.ttlMs > 0 && age - message.storedAge >= message.ttlMs;
      if (!expired && !this.settlements.has(message.sequence)) {
        take(message);
      }
    }
    this.removeCorrupt(page.corrupt);
    return Math.max(0, page.messages.at(-1)?.sequence ?? 0, ...page.corrupt);
  }
}
