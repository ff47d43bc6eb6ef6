import type { Clock, Timer } from '../shared/clock';
import { toEdgeError, type EdgeError } from '../shared/errors';
import type { Delivery } from './delivery';
import { occupiedBytes, type EvictionOrder, type Outbox, type StoredMessage } from './outbox-port';

export interface RetentionConfig {
  /** 0 = messages may be of any age. */
  maxAgeMs: number;
  limitBytes: number;
  /** Nothing is evicted when undefined. */
  order: EvictionOrder | undefined;
}

export interface RetentionEvents {
  expired: (message: StoredMessage) => void;
  evicted: (message: StoredMessage) => void;
  failed: (error: EdgeError) => void;
}

const SWEEP_MS = 1000;
const PAGE_ROWS = 500;
/** Room that eviction makes below the limit, so that it does not run for every message. */
const LOW_WATER = 0.95;

/**
 * Ends messages whose time is over or that must make room. They are reported before they are deleted, so that a
 * crash in between reports them again instead of never.
 */
export class Retention {
  private timer: Timer | undefined;
  private sweeping: Promise<void> | undefined;
  private making: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly outbox: Outbox & { release(room: boolean): void },
    private readonly delivery: Delivery,
    private readonly config: RetentionConfig,
    private readonly clock: Clock,
    private readonly events: RetentionEvents,
  ) {}

  start(): void {
    this.timer = this.clock.after(SWEEP_MS, () => {
      this.sweeping = this.sweep()
        .catch((thrown: unknown) => this.events.failed(toEdgeError(thrown, 'STORE')))
        .finally(() => {
          if (!this.stopped) {
            this.start();
          }
        });
    });
  }

  /** Call when the store may have grown over its limit. */
  check(): void {
    if (
      this.config.order &&
      occupiedBytes(this.outbox.usage) > this.limitBytes() &&
      !this.making &&
      !this.stopped
    ) {
      this.making = this.makeRoom(this.config.order)
        .catch((thrown: unknown) => {
          this.outbox.release(false);
          this.events.failed(toEdgeError(thrown, 'STORE'));
        })
        .finally(() => {
          this.making = undefined;
        });
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    await this.sweeping;
    await this.making;
  }

  /** On a disk that is short of room the outbox is full as it is. */
  private limitBytes(): number {
    return Math.min(this.config.limitBytes, this.outbox.ceiling ?? Infinity);
  }

  private async sweep(): Promise<void> {
    for (;;) {
      const page = await this.outbox.expired({ maxAgeMs: this.config.maxAgeMs, maxRows: PAGE_ROWS });
      this.delivery.removeCorrupt(page.corrupt);
      const gone = this.delivery.discard(page.messages, 'expired');
      gone.forEach((message) => this.events.expired(message));
      if (gone.length < PAGE_ROWS || this.stopped) {
        return;
      }
      await this.delivery.settled();
    }
  }

  private async makeRoom(order: EvictionOrder): Promise<void> {
    while (occupiedBytes(this.outbox.usage) > this.limitBytes() && !this.stopped) {
      const target = this.limitBytes() * LOW_WATER;
      const page = await this.outbox.victims({
        bytes: occupiedBytes(this.outbox.usage) - target,
        order,
        keep: this.delivery.untouchable(),
        maxRows: PAGE_ROWS,
      });
      this.delivery.removeCorrupt(page.corrupt);
      const gone = this.delivery.discard(page.messages, 'evicted');
      gone.forEach((message) => this.events.evicted(message));
      await this.delivery.settled();
      if (gone.length === 0 && page.corrupt.length === 0) {
        this.outbox.release(occupiedBytes(this.outbox.usage) <= this.limitBytes());
        return;
      }
    }
    this.outbox.release(true);
  }
}
