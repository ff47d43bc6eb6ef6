import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { coversAll } from '../checksum';
import type { LedgerRange } from '../loss-ledger';
import type { Ending } from '../outbox-port';
import { SIZE } from '../outbox-schema';
import { isNearly, isUuid, type Remembered } from '../sequence-note';
import { highestOf } from './highest';
import type { MessageRow, OutboxRow } from './outbox-rows';
import { reconcile } from './reconcile';
import type { SalvageResult } from './salvage';

type Account = Exclude<OutboxRow, { table: 'message' | 'dead_letter' }>;
type StoreRow = Extract<OutboxRow, { table: 'store' }>;

/** Bounds what a damaged file can make us remember; the ledger itself is bounded by less. */
const MOST_RANGES = 50_000;
/** No store's age is further ahead of its youngest message. */
const LONGEST_SILENCE_MS = 366 * 86_400_000;

/** What a damaged store said of itself besides its messages, and the accounts of what was read of it. */
export class SalvagedAccounts {
  private store: StoreRow | undefined;
  private readonly ranges: LedgerRange[] = [];
  private readonly sums = new Map<string, Ending & { messages: number }>();
  private sequence = 0;
  /** Of rows whose checksum covers the sequence, and of others. */
  private readonly highest = { certain: 0, claimed: 0 };
  private youngest = { age: 0, wallMs: 0 };

  note(found: Account): void {
    switch (found.table) {
      case 'store':
        this.store = found;
        break;
      case 'ledger':
        if (this.ranges.length < MOST_RANGES) {
          this.ranges.push(found.range);
        }
        break;
      case 'ledger_summary':
        this.sums.set(`${found.ending.fate} ${found.ending.connection}`, {
          ...found.ending,
          messages: found.messages,
        });
        break;
      case 'sequence':
        this.sequence = found.last;
    }
  }

  /** Remembers what an intact row tells of the store. */
  sawRow(row: MessageRow): void {
    const source = coversAll(row) ? 'certain' : 'claimed';
    this.highest[source] = Math.max(this.highest[source], row.sequence);
    if (row.stored_age_ms >= this.youngest.age) {
      this.youngest = { age: row.stored_age_ms, wallMs: row.stored_ms };
    }
  }

  /** Writes the accounts into the database that the rows were put into. */
  write(target: DatabaseSync, remembered?: Remembered): SalvageResult {
    target.exec('BEGIN IMMEDIATE');
    const highest = highestOf(
      [this.highest.certain, remembered?.sequence ?? 0],
      [this.highest.claimed, this.sequence, this.ranges.reduce((most, { last }) => Math.max(most, last), 0)],
    );
    for (const table of ['message', 'dead_letter']) {
      target.prepare(`DELETE FROM ${table} WHERE sequence > ?`).run(highest);
    }
    target.exec('DELETE FROM dead_letter WHERE sequence IN (SELECT sequence FROM message)');
    const { ledger, corrupt, unrecorded } = reconcile({
      messages: sequencesOf(target, 'message', 0, highest),
      deadLetters: (first, last) => sequencesOf(target, 'dead_letter', first, last),
      ranges: this.ranges,
      summary: { upTo: this.store?.summarisedTo ?? 0, sums: [...this.sums.values()] },
      highest,
    });
    // Where the last sequences are not certain, none that may have been given is given again.
    const last = this.sequence === highest ? highest : Math.max(highest, remembered?.reserved ?? 0);
    if (last > highest) {
      ledger.record(highest + 1, last, { fate: 'unrecorded', connection: '' });
    }
    const range = target.prepare('INSERT INTO ledger VALUES (?, ?, ?, ?)');
    ledger.all().forEach(({ first, last, fate, connection }) => range.run(first, last, fate, connection));
    const sum = target.prepare('INSERT INTO ledger_summary VALUES (?, ?, ?)');
    ledger.summary.all().forEach(({ fate, connection, count }) => sum.run(fate, connection, count));
    target.exec(
      `INSERT INTO usage SELECT priority, count(*), sum(${SIZE}) FROM message GROUP BY priority;
       DELETE FROM sqlite_sequence WHERE name = 'message'`,
    );
    target.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('message', ?)").run(last);
    const dead = target
      .prepare(`SELECT count(*) AS messages, coalesce(sum(${SIZE}), 0) AS bytes FROM dead_letter`)
      .get() as { messages: number; bytes: number };
    const { uuid, sameIds } = this.identity(remembered?.uuid);
    const { age, wallMs } = this.ages();
    target
      .prepare(
        'INSERT INTO store (id, uuid, age_ms, wall_ms, summarised_to, dead_messages, dead_bytes, published) VALUES (1, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(uuid, age, wallMs, ledger.summarisedTo, dead.messages, dead.bytes, this.store?.published ?? null);
    const { messages } = target.prepare('SELECT count(*) AS messages FROM message').get() as {
      messages: number;
    };
    target.exec('COMMIT');
    return {
      uuid,
      sameIds,
      salvaged: { messages, deadLetters: dead.messages },
      corrupt,
      unrecorded,
      deadLettersLost: Math.max(0, (this.store?.deadMessages ?? 0) - dead.messages),
      highest,
    };
  }

  /** The uuid is nowhere verified: what was remembered beside the store wins over one with a flipped bit. */
  private identity(remembered?: string): { uuid: string; sameIds: boolean } {
    const stored = this.store?.uuid ?? '';
    if (isUuid(stored) && !(remembered !== undefined && isNearly(stored, remembered))) {
      return { uuid: stored, sameIds: true };
    }
    return remembered === undefined
      ? { uuid: randomUUID(), sameIds: false }
      : { uuid: remembered, sameIds: true };
  }

  /** An age that is too high would let everything expire, one that is too low lets it live longer. */
  private ages(): { age: number; wallMs: number } {
    const { age, wallMs } = this.youngest;
    const store = this.store;
    return store && store.age >= age && store.age - age <= LONGEST_SILENCE_MS
      ? { age: store.age, wallMs: store.wallMs }
      : { age, wallMs };
  }
}

function* sequencesOf(
  target: DatabaseSync,
  table: 'message' | 'dead_letter',
  first: number,
  last: number,
): Generator<number> {
  const rows = target
    .prepare(`SELECT sequence FROM ${table} WHERE sequence BETWEEN ? AND ? ORDER BY sequence`)
    .iterate(first, last);
  for (const { sequence } of rows as Iterable<unknown> as Iterable<{ sequence: number }>) {
    yield sequence;
  }
}
