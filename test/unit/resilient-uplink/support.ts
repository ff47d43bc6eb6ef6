import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../../nodes/shared/store/sqlite';
import { EdgeError } from '../../../nodes/shared/errors';
import type { RequeueRequest } from '../../../nodes/resilient-uplink/dead-letters';
import { Delivery, type DeliveryConfig, type DeliveryEvents } from '../../../nodes/resilient-uplink/delivery';
import type { LedgerReport, LedgerRequest } from '../../../nodes/resilient-uplink/ledger-report';
import type { Answer, Link, LinkObserver, Loss, Outgoing } from '../../../nodes/resilient-uplink/link';
import { OutboxStore, type OutboxOptions } from '../../../nodes/resilient-uplink/outbox';
import { OUTBOX_MIGRATIONS } from '../../../nodes/resilient-uplink/outbox-schema';
import type {
  DeadLetterPage,
  DeadLetterRequest,
  NewMessage,
  Outbox,
  OutboxRecords,
  ReadRequest,
  ReadResult,
  Settlement,
  StoredMessage,
  TopicsPage,
  Usage,
} from '../../../nodes/resilient-uplink/outbox-port';
import { SeededRandom } from '../../../nodes/shared/random';
import { settle, type FakeClock } from '../../support/fake-clock';

export function message(topic: string, text: string, options: Partial<NewMessage> = {}): NewMessage {
  return { priority: 1, topic, kind: 'text', body: Buffer.from(text), ttlMs: 0, ...options };
}

export function numbered(topic: string, count: number, options: Partial<NewMessage> = {}): NewMessage[] {
  return Array.from({ length: count }, (_, index) => message(topic, `${topic}${index}`, options));
}

/** How connections are watched, where a test does not say. */
const CONFIG: DeliveryConfig = {
  retry: { minMs: 500, maxMs: 60_000 },
  ackTimeoutMs: 10_000,
  healthIntervalMs: 5000,
  failbackMs: 30_000,
};

/** Delivery over some links, begun; what a test does not listen to is passed over, but for a store that fails. */
export async function startDelivery(
  links: readonly Link[],
  outbox: Outbox,
  clock: FakeClock,
  events: Partial<DeliveryEvents> = {},
  config: Partial<DeliveryConfig> = {},
): Promise<Delivery> {
  const delivery = new Delivery(links, outbox, { ...CONFIG, ...config }, clock, new SeededRandom(1), {
    delivered: () => undefined,
    rejected: () => undefined,
    corrupt: () => undefined,
    connectionFailed: () => undefined,
    changed: () => undefined,
    storeFailed: (error) => {
      throw error;
    },
    ...events,
  });
  delivery.start();
  await settle();
  return delivery;
}

/** A settlement of messages that were delivered over one connection. */
export function delivered(sequences: number[], connection = 'broker'): Settlement {
  return { remove: [{ fate: 'delivered', connection, sequences }], attempts: [] };
}

export function openStore(
  path: string,
  clock: FakeClock,
  options: OutboxOptions = {},
): { store: OutboxStore; database: DatabaseSync } {
  const { database } = openDatabase(path, OUTBOX_MIGRATIONS);
  return { store: new OutboxStore(database, clock, options), database };
}

/** The real tables behind the port that delivery uses, without the thread. */
export class LocalOutbox implements Outbox, OutboxRecords {
  constructor(readonly store: OutboxStore) {}

  get uuid(): string {
    return this.store.uuid;
  }

  get usage(): Usage {
    return this.store.usage();
  }

  age(): number {
    return this.store.age();
  }

  append(messages: NewMessage[]): StoredMessage[] {
    const { first, storedMs, storedAge } = this.store.append(messages);
    return messages.map((entry, index) => ({
      ...entry,
      sequence: first + index,
      storedMs,
      storedAge,
      attempts: 0,
      earlierRun: false,
    }));
  }

  read(request: ReadRequest): Promise<ReadResult> {
    return this.run(() => this.store.read(request));
  }

  topics(request: { after: number; maxRows: number }): Promise<TopicsPage> {
    return this.run(() => this.store.topics(request));
  }

  settle(settlement: Settlement): Promise<void> {
    return this.run(() => this.store.settle(settlement));
  }

  expired(request: { maxAgeMs: number; maxRows: number }): Promise<ReadResult> {
    return this.run(() => this.store.expired(request));
  }

  victims(request: Parameters<Outbox['victims']>[0]): Promise<ReadResult> {
    return this.run(() => this.store.victims(request));
  }

  ledger(request: LedgerRequest): Promise<LedgerReport> {
    return this.run(() => this.store.ledger(request));
  }

  publication(): Promise<string | undefined> {
    return this.run(() => this.store.publication());
  }

  notePublication(note: string): Promise<void> {
    return this.run(() => this.store.notePublication(note));
  }

  requeue(request: RequeueRequest): Promise<{ sequences: number[]; more: boolean }> {
    return this.run(() => this.store.requeue(request));
  }

  deadLetters(request: DeadLetterRequest): Promise<DeadLetterPage> {
    return this.run(() => this.store.listDeadLetters(request));
  }

  private run<T>(work: () => T): Promise<T> {
    try {
      return Promise.resolve(work());
    } catch (thrown) {
      return Promise.reject(new EdgeError('STORE', String(thrown)));
    }
  }
}

interface Sent {
  outgoing: Outgoing;
  answer: (answer: Answer) => void;
}

/** A connection that a test plays the other side of. */
export class FakeLink implements Link {
  readonly name: string;
  window = 64;
  /** Every message that was sent, in order, over all sessions. */
  readonly sent: Outgoing[] = [];
  /** What has no answer yet. */
  waiting: Sent[] = [];
  observer: LinkObserver | undefined;
  opens = 0;
  /** What to do with each message; by default it is acknowledged at once. */
  onSend: ((sent: Sent) => void) | undefined = ({ answer }) => answer({ outcome: 'acknowledged' });
  /** Whether opening works. */
  reachable = true;

  constructor(
    readonly id: string,
    readonly ordered = true,
  ) {
    this.name = id;
  }

  open(observer: LinkObserver): void {
    this.opens++;
    this.observer = observer;
    queueMicrotask(() => {
      if (this.observer !== observer) {
        return;
      }
      if (this.reachable) {
        observer.opened();
      } else {
        this.die('refused');
      }
    });
  }

  send(outgoing: Outgoing, answer: (answer: Answer) => void): void {
    this.sent.push(outgoing);
    const sent = { outgoing, answer };
    this.waiting.push(sent);
    this.onSend?.(sent);
  }

  /** The other side goes away. */
  die(reason = 'reset', loss: Partial<Loss> = {}): void {
    const { observer } = this;
    this.observer = undefined;
    this.waiting = [];
    observer?.lost({ reason, ...loss });
  }

  refresh(): void {
    // Its settings never change.
  }

  close(): void {
    this.observer = undefined;
    this.waiting = [];
  }

  get texts(): string[] {
    return this.sent.map(({ body }) => Buffer.from(body).toString());
  }
}

export function folderOf(prefix: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `${prefix}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The messages in what was sent, whether in an envelope or alone. */
export function entriesOf({ id, body, batch }: Outgoing): { id: string; text: string }[] {
  const text = Buffer.from(body).toString();
  if (batch === undefined) {
    return [{ id, text }];
  }
  const { messages } = JSON.parse(text) as { messages: { id: string; payload: string }[] };
  return messages.map((entry) => ({ id: entry.id, text: entry.payload }));
}
