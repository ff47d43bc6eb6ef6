import { offerForBackup } from '../shared/backups';
import type { Clock } from '../shared/clock';
import type { EdgeError } from '../shared/errors';
import type { Random } from '../shared/random';
import type { UplinkConfig } from './config';
import type { Shortage } from './disk-reserve';
import { Delivery, type DeliveryEvents } from './delivery';
import { LedgerPublisher } from './ledger-publisher';
import type { LedgerReport } from './ledger-report';
import type { Link } from './link';
import type { Selection } from './operations';
import { OutboxClient } from './outbox-client';
import { limitsOf } from './outbox-limits';
import type { NewMessage, StoredMessage } from './outbox-port';
import { Retention } from './retention';
import type { SalvageProgress } from './salvage/salvage';
import type { StoreLoss } from './store-loss';

const GRACE_MS = 2000;
/** Share of the outbox's limit that dead letters may take. */
const DEAD_LETTER_SHARE = 0.1;
const REQUEUE_ROWS = 500;

export interface SessionEvents extends DeliveryEvents {
  expired: (message: StoredMessage) => void;
  evicted: (message: StoredMessage) => void;
  stored(messages: readonly StoredMessage[]): void;
  /** The disk's room begins or ceases to be short. */
  shortage: (shortage: Shortage | undefined) => void;
  /** A damaged store is being read, before the session opens; `false` ends it. */
  salvaging(progress: SalvageProgress): boolean;
  /** The store is of no use any more; the session must be closed and another opened. */
  broken(error: EdgeError): void;
}

export interface SessionTools {
  path: string;
  links: readonly Link[];
  clock: Clock;
  random: Random;
  /** Makes the message that publishes a ledger. */
  ledgerMessage: (report: LedgerReport) => NewMessage;
}

/** An open outbox and what works on it. */
export class Session {
  private constructor(
    readonly outbox: OutboxClient,
    readonly delivery: Delivery,
    private readonly retention: Retention,
    private readonly publisher: LedgerPublisher,
    private readonly withdrawBackup: () => void,
  ) {}

  /** Opens the outbox and starts to deliver what is in it; rejects with `STORE`. */
  static async open(
    config: UplinkConfig,
    { path, links, clock, random, ledgerMessage }: SessionTools,
    events: SessionEvents,
  ): Promise<{ session: Session; loss?: StoreLoss }> {
    const opened: { session?: Session } = {};
    const { outbox, loss } = await OutboxClient.open(path, {
      clock,
      limits: limitsOf(config),
      deadLetterBytes: config.limitBytes * DEAD_LETTER_SHARE,
      onStored: (messages) => {
        events.stored(messages);
        opened.session?.delivery.offer(messages);
        opened.session?.retention.check();
      },
      onHeld: () => opened.session?.retention.check(),
      onShortage: (shortage) => {
        events.shortage(shortage);
        opened.session?.retention.check();
      },
      onSalvage: (progress) => events.salvaging(progress),
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
    const publisher = new LedgerPublisher(
      outbox,
      clock,
      (report) => outbox.append(ledgerMessage(report)),
      (error) => events.storeFailed(error),
    );
    const session = new Session(
      outbox,
      delivery,
      retention,
      publisher,
      offerForBackup({ path, copyTo: (copy) => outbox.copyTo(copy) }),
    );
    opened.session = session;
    delivery.start();
    retention.start();
    retention.check();
    publisher.start();
    return loss ? { session, loss } : { session };
  }

  /** Puts dead letters back to be sent, and says how many. */
  async requeue({ sequences, topic }: Selection): Promise<number> {
    await this.delivery.settled();
    let requeued = 0;
    for (let after = 0, start = 0, more = true; more; start += REQUEUE_ROWS) {
      const page = await this.outbox.requeue({
        after,
        maxRows: REQUEUE_ROWS,
        ...(topic !== undefined && { topic }),
        ...(sequences && { sequences: sequences.slice(start, start + REQUEUE_ROWS) }),
      });
      requeued += page.sequences.length;
      if (page.sequences.length > 0) {
        this.delivery.rewind(page.sequences[0]);
      }
      after = page.sequences.at(-1) ?? after;
      more = sequences ? start + REQUEUE_ROWS < sequences.length : page.more;
    }
    return requeued;
  }

  /** Stores what was appended, waits shortly for answers that are due, and closes everything. */
  async close(graceMs = GRACE_MS): Promise<void> {
    this.withdrawBackup();
    this.publisher.stop();
    await this.outbox.drain();
    await this.publisher.finished();
    await this.retention.stop();
    await this.delivery.stop(graceMs);
    await this.outbox.close();
  }
}
