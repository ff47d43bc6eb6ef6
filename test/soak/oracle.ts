import { connectAsync, type MqttClient } from 'mqtt';
import { OutboxStore } from '../../nodes/resilient-uplink/outbox';
import { OUTBOX_MIGRATIONS } from '../../nodes/resilient-uplink/outbox-schema';
import { systemClock } from '../../nodes/shared/clock';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { openDatabase } from '../../nodes/shared/store/sqlite';
import { messagesIn } from '../../scripts/demo/cloud-messages';
import { identity, identityOfMessage, type CloudMessage } from '../support/factory-run';

/** What became of everything that the uplink accepted. */
export interface Account {
  /** As the flow was told; what was accepted just before a kill may be missing here, but not in the ledger. */
  accepted: number;
  received: number;
  duplicates: number;
  /** Messages of a topic that came for the first time after a later one of the same store. */
  overtaken: number;
  /** Ids that came with two contents. */
  changed: number;
  /** The last sequence of the store, and its ledger's counts. */
  sequences: number;
  delivered: number;
  dropped: number;
  pending: number;
  /** Sequences of which the ledger keeps sums only, so that the next figure leaves them out. */
  summarised: number;
  /** Sequences that the ledger calls delivered and that never arrived. */
  lost: number;
  /** Accepted as the flow was told, but never arrived. */
  missing: number;
  /** Stores that messages came from; one, unless an outbox was given up for a new one. */
  stores: number;
}

/** Sees what the uplink accepts and what reaches the cloud, and holds the one against the other in bounded memory. */
export class Oracle {
  private client: MqttClient | undefined;
  /** Contents by sequence, of each store. */
  private readonly arrived = new Map<string, Map<number, string>>();
  /** Last sequence that came for the first time, by topic. */
  private readonly topics = new Map<string, number>();
  /** How many more times an identity was accepted than it arrived; those that are even are not kept. */
  private readonly open = new Map<string, number>();
  private accepted = 0;
  private received = 0;
  private duplicates = 0;
  private overtaken = 0;
  private changed = 0;

  /** Subscribes with a session that outlives its broker. */
  async listen(url: string): Promise<void> {
    this.client = await connectAsync(url, { clientId: 'oracle', clean: false, reconnectPeriod: 100 });
    this.client.on('error', () => undefined);
    this.client.on('message', (lane, body) =>
      messagesIn<CloudMessage>(body).forEach((message) => this.take(lane, message)),
    );
    await this.client.subscribeAsync('cloud/#', { qos: 1 });
  }

  accept(msg: EdgeMessage): void {
    this.accepted++;
    this.count(identityOfMessage(msg), 1);
  }

  get arrivals(): number {
    return this.received;
  }

  /** @param outbox of the uplink, which must not run any more */
  account(outbox: string): Account {
    const { database } = openDatabase(outbox, OUTBOX_MIGRATIONS);
    try {
      const store = new OutboxStore(database, systemClock);
      const report = store.ledger({ from: 1, maxRanges: 1e6 });
      const arrived = this.arrived.get(store.uuid) ?? new Map<number, string>();
      let lost = 0;
      let summarised = 0;
      for (const { from, to, fate, count } of report.ranges) {
        summarised += fate === 'summarised' ? count : 0;
        for (let sequence = from; fate === 'delivered' && sequence <= to; sequence++) {
          lost += arrived.has(sequence) ? 0 : 1;
        }
      }
      const { counts } = report;
      return {
        accepted: this.accepted,
        received: this.received,
        duplicates: this.duplicates,
        overtaken: this.overtaken,
        changed: this.changed,
        sequences: report.last,
        delivered: Object.values(counts.delivered).reduce((sum, count) => sum + count, 0),
        dropped: counts.expired + counts.evicted + counts.rejected + counts.corrupt + counts.unrecorded,
        pending: counts.pending,
        summarised,
        lost,
        missing: [...this.open.values()].reduce((sum, count) => sum + Math.max(0, count), 0),
        stores: this.arrived.size,
      };
    } finally {
      database.close();
    }
  }

  async close(): Promise<void> {
    await this.client?.endAsync(true);
  }

  private take(lane: string, message: CloudMessage): void {
    const [store, number] = message.id.split(':');
    const sequence = Number(number);
    const arrived = this.arrived.get(store) ?? new Map<number, string>();
    this.arrived.set(store, arrived);
    const content = identity(message);
    const before = arrived.get(sequence);
    if (before !== undefined) {
      this.duplicates++;
      this.changed += before === content ? 0 : 1;
      return;
    }
    arrived.set(sequence, content);
    this.received++;
    this.count(content, -1);
    // The lane's topic holds the priority: an alert may overtake the readings of its own topic.
    const key = `${store} ${lane} ${message.topic}`;
    const last = this.topics.get(key) ?? 0;
    this.overtaken += sequence < last ? 1 : 0;
    this.topics.set(key, Math.max(last, sequence));
  }

  private count(content: string, by: number): void {
    const count = (this.open.get(content) ?? 0) + by;
    if (count === 0) {
      this.open.delete(content);
    } else {
      this.open.set(content, count);
    }
  }
}

/** What is wrong with an account; nothing, if all is well. */
export function faultsOf(account: Account): string[] {
  const { lost, missing, dropped, changed, overtaken, pending, delivered, sequences, stores } = account;
  return [
    lost > 0 && `${lost} messages are called delivered and never arrived`,
    missing > dropped && `${missing} accepted messages never arrived, and the ledger accounts for ${dropped}`,
    changed > 0 && `${changed} ids came with two contents`,
    overtaken > 0 && `${overtaken} messages were overtaken on their topic`,
    pending > 0 && `${pending} messages still wait at the end`,
    delivered + dropped + pending !== sequences && 'the ledger has a gap',
    stores !== 1 && `messages came from ${stores} stores`,
  ].filter((fault) => fault !== false);
}
