import { randomUUID } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { Clock } from '../shared/clock';
import { rollback } from '../shared/store/sqlite';
import {
  PRIORITIES,
  sizeOf,
  type BodyKind,
  type EvictionOrder,
  type NewMessage,
  type ReadRequest,
  type ReadResult,
  type Settlement,
  type StoredMessage,
  type TopicsPage,
  type Usage,
} from './outbox-port';

/** Schema of the outbox; script `n` brings version `n` to `n + 1`. */
export const OUTBOX_MIGRATIONS: readonly string[] = [
  `CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), uuid TEXT NOT NULL, age_ms INTEGER NOT NULL, wall_ms INTEGER NOT NULL);
   CREATE TABLE usage (priority INTEGER PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL);
   CREATE TABLE message (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     priority INTEGER NOT NULL,
     topic TEXT NOT NULL,
     kind TEXT NOT NULL,
     stored_ms INTEGER NOT NULL,
     stored_age_ms INTEGER NOT NULL,
     ttl_ms INTEGER NOT NULL,
     expires_age_ms INTEGER,
     attempts INTEGER NOT NULL DEFAULT 0,
     checksum INTEGER NOT NULL,
     body BLOB NOT NULL
   );
   CREATE INDEX message_priority ON message (priority);
   CREATE INDEX message_expiry ON message (expires_age_ms) WHERE expires_age_ms IS NOT NULL;`,
];

/** A wall clock before this was never set (2024-01-01). */
const EARLIEST_WALL_MS = Date.UTC(2024, 0, 1);
/** A longer time without power is a clock that jumped. */
const LONGEST_OUTAGE_MS = 366 * 86_400_000;
const VACUUM_PAGES = 512;

const COLUMNS = 'sequence, priority, topic, kind, stored_ms, stored_age_ms, ttl_ms, attempts, checksum, body';

interface MessageRow {
  sequence: number;
  priority: number;
  topic: string;
  kind: string;
  stored_ms: number;
  stored_age_ms: number;
  ttl_ms: number;
  attempts: number;
  checksum: number;
  body: Uint8Array;
}

/**
 * The outbox's tables. Every method is one transaction and blocks, so it runs in a worker thread; the caller owns
 * the database. SQLite's AUTOINCREMENT gives the sequence: gap-free, because a rolled-back insert gives its numbers
 * back, and never used twice.
 */
export class OutboxStore {
  readonly uuid: string;
  private readonly ageAtOpen: number;
  private readonly openedAt: number;
  private readonly lastOfEarlierRun: number;
  private readonly counts = PRIORITIES.map(() => ({ messages: 0, bytes: 0 }));
  private readonly statements = new Map<string, StatementSync>();

  constructor(
    private readonly database: DatabaseSync,
    private readonly clock: Pick<Clock, 'now' | 'monotonic'>,
  ) {
    const now = clock.now();
    this.openedAt = clock.monotonic();
    this.sql('INSERT OR IGNORE INTO store VALUES (1, ?, 0, ?)').run(randomUUID(), now);
    const store = this.sql('SELECT uuid, age_ms, wall_ms FROM store').get() as {
      uuid: string;
      age_ms: number;
      wall_ms: number;
    };
    this.uuid = store.uuid;
    this.ageAtOpen = store.age_ms + outage(store.wall_ms, now);
    const last = this.sql("SELECT seq FROM sqlite_sequence WHERE name = 'message'").get() as
      { seq: number } | undefined;
    this.lastOfEarlierRun = last?.seq ?? 0;
    for (const row of this.sql('SELECT priority, messages, bytes FROM usage').all() as unknown as {
      priority: number;
      messages: number;
      bytes: number;
    }[]) {
      this.counts[row.priority] = { messages: row.messages, bytes: row.bytes };
    }
  }

  /**
   * The store's age in ms: time that certainly passed since it was made. It advances with the monotonic clock while
   * the store is open, and by the wall clock over a restart, where a step back or an absurd step counts nothing.
   */
  age(): number {
    return Math.round(this.ageAtOpen + this.clock.monotonic() - this.openedAt);
  }

  usage(): Usage {
    const oldest = this.sql('SELECT stored_age_ms FROM message ORDER BY sequence LIMIT 1').get() as
      { stored_age_ms: number } | undefined;
    const usage: Usage = { messages: 0, bytes: 0, oldestAge: oldest?.stored_age_ms ?? null };
    for (const count of this.counts) {
      usage.messages += count.messages;
      usage.bytes += count.bytes;
    }
    return usage;
  }

  /** Stores messages, all or none, synced to disk on return; they have consecutive sequences from `first`. */
  append(messages: readonly NewMessage[]): { first: number; storedMs: number; storedAge: number } {
    const storedMs = this.clock.now();
    const storedAge = this.age();
    const insert = this.sql(
      'INSERT INTO message (priority, topic, kind, stored_ms, stored_age_ms, ttl_ms, expires_age_ms, checksum, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    let last = 0;
    this.transaction('FULL', () => {
      for (const message of messages) {
        const { priority, topic, kind, ttlMs, body } = message;
        last = Number(
          insert.run(
            priority,
            topic,
            kind,
            storedMs,
            storedAge,
            ttlMs,
            ttlMs > 0 ? storedAge + ttlMs : null,
            checksumOf(topic, kind, body),
            body,
          ).lastInsertRowid,
        );
        this.count(priority, 1, sizeOf(message));
      }
      this.saveCounts();
      this.saveAge();
    });
    return { first: last - messages.length + 1, storedMs, storedAge };
  }

  read({ priority, after, only, maxRows, maxBytes }: ReadRequest): ReadResult {
    const rows = only
      ? this.sql(
          `SELECT ${COLUMNS} FROM message WHERE priority = ? AND sequence > ? AND sequence <= ? AND topic = ? ORDER BY sequence LIMIT ?`,
        ).iterate(priority, after, only.upTo, only.topic, maxRows)
      : this.sql(
          `SELECT ${COLUMNS} FROM message WHERE priority = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
        ).iterate(priority, after, maxRows);
    return this.collect(rows as Iterable<unknown> as Iterable<MessageRow>, maxRows, maxBytes);
  }

  topics({ after, maxRows }: { after: number; maxRows: number }): TopicsPage {
    const rows = this.sql(
      `SELECT priority, topic, MAX(sequence) AS last, COUNT(*) AS count
       FROM (SELECT priority, topic, sequence FROM message WHERE sequence > ? ORDER BY sequence LIMIT ?)
       GROUP BY priority, topic`,
    ).all(after, maxRows) as unknown as { priority: number; topic: string; last: number; count: number }[];
    return {
      topics: rows.map(({ priority, topic, last }) => ({ priority, topic, last })),
      last: rows.reduce((end, { last }) => Math.max(end, last), after),
      more: rows.reduce((sum, { count }) => sum + count, 0) >= maxRows,
    };
  }

  expired({ maxAgeMs, maxRows }: { maxAgeMs: number; maxRows: number }): ReadResult {
    const age = this.age();
    const over = this.sql(
      `SELECT ${COLUMNS} FROM message WHERE expires_age_ms <= ? ORDER BY expires_age_ms LIMIT ?`,
    ).all(age, maxRows) as unknown as MessageRow[];
    const old = maxAgeMs > 0 ? this.storedBefore(age - maxAgeMs, maxRows) : [];
    const known = new Set(over.map(({ sequence }) => sequence));
    return this.collect([...over, ...old.filter(({ sequence }) => !known.has(sequence))], Infinity, Infinity);
  }

  victims(request: { bytes: number; order: EvictionOrder; keep: number[]; maxRows: number }): ReadResult {
    const keep = new Set(request.keep);
    const chosen: MessageRow[] = [];
    let freed = 0;
    for (const rows of this.evictionOrder(request.order)) {
      for (const row of rows) {
        if (freed >= request.bytes || chosen.length >= request.maxRows) {
          break;
        }
        if (!keep.has(row.sequence)) {
          chosen.push(row);
          freed += sizeOf(row);
        }
      }
    }
    return this.collect(chosen, Infinity, Infinity);
  }

  /**
   * Deletes settled messages and writes down failed sends. Not synced by itself: a power cut may bring a delivered
   * message back, which is then sent again with the same id.
   */
  settle({ remove, attempts }: Settlement): void {
    const erase = this.sql(
      'DELETE FROM message WHERE sequence = ? RETURNING priority, length(body) + octet_length(topic) AS size',
    );
    const note = this.sql('UPDATE message SET attempts = ? WHERE sequence = ?');
    this.transaction('NORMAL', () => {
      for (const sequence of remove) {
        const row = erase.get(sequence) as { priority: number; size: number } | undefined;
        if (row) {
          this.count(row.priority, -1, -row.size);
        }
      }
      for (const [sequence, times] of attempts) {
        note.run(times, sequence);
      }
      this.saveCounts();
      this.saveAge();
    });
  }

  /** Gives a bounded amount of free space back to the file system. */
  shrink(): void {
    const { freelist_count: free } = this.sql('PRAGMA freelist_count').get() as { freelist_count: number };
    if (free > VACUUM_PAGES) {
      this.database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    }
  }

  /** Writes the store's age down; call before closing the database. */
  finish(): void {
    this.saveAge();
  }

  private collect(rows: Iterable<MessageRow>, maxRows: number, maxBytes: number): ReadResult {
    const result: ReadResult = { messages: [], corrupt: [], more: false };
    let count = 0;
    let bytes = 0;
    for (const row of rows) {
      count++;
      if (checksumOf(row.topic, row.kind, row.body) === row.checksum) {
        result.messages.push(this.messageOf(row));
      } else {
        result.corrupt.push(row.sequence);
      }
      bytes += row.body.byteLength;
      if (bytes >= maxBytes) {
        result.more = true;
        return result;
      }
    }
    result.more = count >= maxRows;
    return result;
  }

  private *evictionOrder(order: EvictionOrder): Generator<Iterable<MessageRow>> {
    if (order === 'drop-oldest') {
      yield this.sql(
        `SELECT ${COLUMNS} FROM message ORDER BY sequence`,
      ).iterate() as Iterable<unknown> as Iterable<MessageRow>;
      return;
    }
    for (let priority = PRIORITIES.length - 1; priority >= 0; priority--) {
      yield this.sql(`SELECT ${COLUMNS} FROM message WHERE priority = ? ORDER BY sequence`).iterate(
        priority,
      ) as Iterable<unknown> as Iterable<MessageRow>;
    }
  }

  /** Age grows with the sequence, so the first younger row ends the search. */
  private storedBefore(age: number, maxRows: number): MessageRow[] {
    const found: MessageRow[] = [];
    const rows = this.sql(`SELECT ${COLUMNS} FROM message ORDER BY sequence LIMIT ?`).iterate(maxRows);
    for (const row of rows as Iterable<unknown> as Iterable<MessageRow>) {
      if (row.stored_age_ms > age) {
        break;
      }
      found.push(row);
    }
    return found;
  }

  private messageOf(row: MessageRow): StoredMessage {
    return {
      sequence: row.sequence,
      priority: row.priority,
      topic: row.topic,
      kind: row.kind as BodyKind,
      body: row.body,
      ttlMs: row.ttl_ms,
      storedMs: row.stored_ms,
      storedAge: row.stored_age_ms,
      attempts: row.attempts,
      earlierRun: row.sequence <= this.lastOfEarlierRun,
    };
  }

  private count(priority: number, messages: number, bytes: number): void {
    const count = this.counts[priority];
    count.messages += messages;
    count.bytes += bytes;
  }

  private saveCounts(): void {
    const save = this.sql('INSERT OR REPLACE INTO usage VALUES (?, ?, ?)');
    this.counts.forEach(({ messages, bytes }, priority) => save.run(priority, messages, bytes));
  }

  private saveAge(): void {
    this.sql('UPDATE store SET age_ms = ?, wall_ms = ?').run(this.age(), this.clock.now());
  }

  /** A commit under FULL is synced; one under NORMAL is synced, in order, by the next one under FULL. */
  private transaction(synchronous: 'FULL' | 'NORMAL', work: () => void): void {
    const before = this.counts.map((count) => ({ ...count }));
    this.database.exec(`PRAGMA synchronous=${synchronous}; BEGIN IMMEDIATE`);
    try {
      work();
      this.database.exec('COMMIT');
    } catch (thrown) {
      this.counts.splice(0, this.counts.length, ...before);
      rollback(this.database);
      throw thrown;
    } finally {
      this.database.exec('PRAGMA synchronous=FULL');
    }
  }

  private sql(text: string): StatementSync {
    let statement = this.statements.get(text);
    if (!statement) {
      statement = this.database.prepare(text);
      this.statements.set(text, statement);
    }
    return statement;
  }
}

function checksumOf(topic: string, kind: string, body: Uint8Array): number {
  return crc32(body, crc32(`${kind} ${topic}`));
}

function outage(lastWallMs: number, nowMs: number): number {
  const passed = nowMs - lastWallMs;
  return lastWallMs >= EARLIEST_WALL_MS && passed > 0 && passed <= LONGEST_OUTAGE_MS ? passed : 0;
}
