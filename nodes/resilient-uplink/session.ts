import type { Clock } from '../shared/clock';
import type { EdgeError } from '../shared/errors';
import type { Random } from '../shared/random';
import type { UplinkConfig } from './config';
import { Delivery, type DeliveryEvents } from './delivery';
import type { Link } from './link';
import { OutboxClient, type OutboxLimits } from './outbox-client';
import type { StoredMessage } from './outbox-port';
import { Retention } from './retention';

const COMMIT_BYTES = 4 * 1024 * 1024;
/** How far the store may grow over its limit before new messages wait for eviction. */
const HOLD_FACTOR = 1.1;
const GRACE_MS = 2000;

export interface SessionEvents extends DeliveryEvents {
  expired: (message: StoredMessage) => void;
  evicted: (message: StoredMessage) => void;
  stored(messages: readonly StoredMessage[]): void;
  /** The store is of no use any more; the session must be closed and another opened. */
  broken(error: EdgeError): void;
}

export interface SessionTools {
  path: string;
  links: readonly Link[];
  clock: Clock;
  random: Random;
}

/** An open outbox and what works on it. */
export class Session {
  private constructor(
    readonly outbox: OutboxClient,
    readonly delivery: Delivery,
    private readonly retention: Retention,
  ) {}

  /** Opens the outbox and starts to deliver what is in it; rejects with `STORE`. */
  static async open(
    config: UplinkConfig,
    { path, links, clock, random }: SessionTools,
    events: SessionEvents,
  ): Promise<{ session: Session; setAside?: string }> {
    const opened: { session?: Session } = {};
    const { outbox, setAside } = await OutboxClient.open(path, {
      clock,
      limits: limitsOf(config),
      onStored: (messages) => {
        events.stored(messages);
        opened.session?.delivery.offer(messages);
        opened.session?.retention.check();
      },
      onHeld: () => opened.session?.retention.check(),
      onFailure: (error) => events.broken(error),
    });
    const delivery = new Delivery(
      links,
      outbox,
      {
        retry: { minMs: config.retryMinMs, maxMs: config.retryMaxMs },
        ackTimeoutMs: config.ackTimeoutMs,
        healthIntervalMs: config.healthIntervalMs,
        failbackMs: config.failbackMs,
        batchSize: config.batchSize,
        batchDelayMs: config.batchDelayMs,
        compression: config.compression,
        replayRate: config.replayRate,
      },
      clock,
      random,
      events,
    );
    const retention = new Retention(
      outbox,
      delivery,
      {
        maxAgeMs: config.limitAgeMs,
        limitBytes: config.limitBytes,
        order: config.overflow === 'reject' ? undefined : config.overflow,
      },
      clock,
      { expired: events.expired, evicted: events.evicted, failed: events.storeFailed },
    );
    const session = new Session(outbox, delivery, retention);
    opened.session = session;
    delivery.start();
    retention.start();
    retention.check();
    return setAside === undefined ? { session } : { session, setAside };
  }

  /** Stores what was appended, waits shortly for answers that are due, and closes everything. */
  async close(graceMs = GRACE_MS): Promise<void> {
    await this.outbox.drain();
    await this.retention.stop();
    await this.delivery.stop(graceMs);
    await this.outbox.close();
  }
}

function limitsOf({ limitBytes, overflow }: UplinkConfig): OutboxLimits {
  const batchBytes = Math.min(COMMIT_BYTES, limitBytes / 10);
  return overflow === 'reject'
    ? { hardBytes: limitBytes, holdBytes: Infinity, batchBytes }
    : { hardBytes: Infinity, holdBytes: limitBytes * HOLD_FACTOR, batchBytes };
}
