import { randomUUID } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../shared/clock';
import { EdgeError } from '../shared/errors';
import { rollback } from '../shared/store/sqlite';
import { checksumOf } from './checksum';
import { DeadLetters, type RequeueRequest } from './dead-letters';
import { reportOf, type LedgerReport, type LedgerRequest } from './ledger-report';
import { LedgerTable } from './ledger-table';
import { MessageReader } from './message-reader';
import { SIZE } from './outbox-schema';
import {
  PRIORITIES,
  sizeOf,
  type DeadLetterPage,
  type DeadLetterRequest,
  type EvictionOrder,
  type NewMessage,
  type ReadRequest,
  type ReadResult,
  type Removal,
  type Settlement,
  type TopicsPage,
  type Usage,
} from './outbox-port';

/** A wall clock before this was never set (2024-01-01). */
const EARLIEST_WALL_MS = Date.UTC(2024, 0, 1);
/** A longer time without power is a clock that jumped. */
const LONGEST_OUTAGE_MS = 366 * 86_400_000;
const VACUUM_PAGES = 512;

const REJECTED = { fate: 'rejected', connection: '' } as const;
const EVICTED = { fate: 'evicted', connection: '' } as const;
const CORRUPT = { fate: 'corrupt', connection: '' } as const;
const UNRECORDED = { fate: 'unrecorded', connection: '' } as const;

export interface OutboxOptions {
  /** Bytes of refused messages that are kept; the oldest go first. */
  deadLetterBytes?: number;
  ledgerLimit?: { most: number; keep: number };
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
  private readonly reader: MessageReader;
  private readonly counts = PRIORITIES.map(() => ({ messages: 0, bytes: 0 }));
  private readonly statements = new Map<string, StatementSync>();
  private readonly sql = (text: string): StatementSync => this.prepared(text);
  private readonly ledgerTable: LedgerTable;
  private readonly deadLetters: DeadLetters;
  /** Requeued by this run. */
  private readonly requeued = new Set<number>();

  constructor(
    private readonly database: DatabaseSync,
    private readonly clock: Pick<Clock, 'now' | 'monotonic'>,
    options: OutboxOptions = {},
  ) {
    this.ledgerTable = new LedgerTable(this.sql, options.ledgerLimit);
    this.deadLetters = new DeadLetters(this.sql, options.deadLetterBytes ?? Infinity);
    const now = clock.now();
    this.openedAt = clock.monotonic();
    this.sql('INSERT OR IGNORE INTO store (id, uuid, age_ms, wall_ms) VALUES (1, ?, 0, ?)').run(
      randomUUID(),
      now,
    );
    const store = this.sql('SELECT uuid, age_ms, wall_ms FROM store').get() as {
      uuid: string;
      age_ms: number;
      wall_ms: number;
    };
    this.uuid = store.uuid;
    this.ageAtOpen = store.age_ms + outage(store.wall_ms, now);
    const earlier = this.lastSequence();
    this.reader = new MessageReader(
      this.sql,
      (sequence) => sequence <= earlier || this.requeued.has(sequence),
    );
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
    const usage: Usage = {
      messages: 0,
      bytes: 0,
      oldestAge: oldest?.stored_age_ms ?? null,
      deadLetters: { ...this.deadLetters.usage() },
    };
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
      'INSERT INTO message (sequence, priority, topic, kind, stored_ms, stored_age_ms, ttl_ms, expires_age_ms, checksum, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    let last = 0;
    this.transaction('FULL', () => {
      last = this.lastSequence();
      for (const message of messages) {
        const { priority, topic, kind, ttlMs, body } = message;
        last++;
        const checksum = checksumOf({
          sequence: last,
          priority,
          topic,
          kind,
          stored_ms: storedMs,
          stored_age_ms: storedAge,
          ttl_ms: ttlMs,
          body,
        });
        const expires = ttlMs > 0 ? storedAge + ttlMs : null;
        insert.run(last, priority, topic, kind, storedMs, storedAge, ttlMs, expires, checksum, body);
        this.count(priority, 1, sizeOf(message));
      }
      this.saveCounts();
      this.saveAge();
    });
    return { first: last - messages.length + 1, storedMs, storedAge };
  }

  /** @throws EdgeError `CORRUPT` when messages that are counted cannot be found */
  read(request: ReadRequest): ReadResult {
    const result = this.reader.read(request);
    const { priority, after, only } = request;
    const found = result.messages.length + result.corrupt.length;
    if (after === 0 && !only && !result.more && found !== this.counts[priority].messages) {
      throw inconsistent();
    }
    return result;
  }

  topics(request: { after: number; maxRows: number }): TopicsPage {
    return this.reader.topics(request);
  }

  expired(request: { maxAgeMs: number; maxRows: number }): ReadResult {
    return this.reader.expired(request, this.age());
  }

  victims(request: { bytes: number; order: EvictionOrder; keep: number[]; maxRows: number }): ReadResult {
    return this.reader.victims(request);
  }

  /**
   * Removes settled messages, writes down in the ledger what became of them, and failed sends. Not synced by itself: a
   * power cut may bring a delivered message back, ledger and all, which is then sent again with the same id.
   */
  settle({ remove, attempts }: Settlement): void {
    const note = this.sql('UPDATE message SET attempts = ? WHERE sequence = ?');
    this.transaction('NORMAL', () => {
      remove.forEach((removal) => this.remove(removal));
      for (const sequence of this.deadLetters.trim()) {
        this.ledgerTable.ledger.reopen(sequence, REJECTED);
        this.ledgerTable.ledger.record(sequence, sequence, EVICTED);
      }
      for (const [sequence, times] of attempts) {
        note.run(times, sequence);
      }
      this.saveCounts();
      this.saveAge();
    });
  }

  /** Puts a page of dead letters back to be sent, under the sequences that they had. */
  requeue(request: RequeueRequest): { sequences: number[]; more: boolean } {
    const sequences: number[] = [];
    let more = false;
    this.transaction('FULL', () => {
      const back = this.deadLetters.moveBack(request, this.age());
      ({ more } = back);
      for (const { sequence, priority, size } of back.moved) {
        this.count(priority, 1, size);
        this.ledgerTable.ledger.reopen(sequence, REJECTED);
        sequences.push(sequence);
      }
      this.saveCounts();
      this.saveAge();
    });
    sequences.forEach((sequence) => this.requeued.add(sequence));
    return { sequences, more };
  }

  listDeadLetters(request: DeadLetterRequest): DeadLetterPage {
    return this.deadLetters.list(request);
  }

  /** What became of every message so far. */
  ledger(request: LedgerRequest): LedgerReport {
    const report = reportOf(this.ledgerTable.ledger, this.lastSequence(), request);
    return { store: this.uuid, at: this.clock.now(), ...report };
  }

  /** The last sequence that was given; 0 = none yet. */
  lastSequence(): number {
    const last = this.sql("SELECT seq FROM sqlite_sequence WHERE name = 'message'").get() as
      { seq: number } | undefined;
    return last?.seq ?? 0;
  }

  /**
   * Passes over sequences that were given to messages which are not here any more: those up to `sequence` are lost, those
   * up to `reserved` may have been.
   */
  skip({ sequence, reserved }: { sequence: number; reserved: number }): void {
    const { ledger } = this.ledgerTable;
    const last = this.lastSequence();
    this.transaction('FULL', () => {
      ledger.record(last + 1, sequence, CORRUPT);
      ledger.record(sequence + 1, reserved, UNRECORDED);
      this.sql("DELETE FROM sqlite_sequence WHERE name = 'message'").run();
      this.sql("INSERT INTO sqlite_sequence (name, seq) VALUES ('message', ?)").run(
        Math.max(sequence, reserved),
      );
    });
  }

  /** What {@link OutboxStore.notePublication} wrote down last; undefined when nothing was yet. */
  publication(): string | undefined {
    const { published } = this.sql('SELECT published FROM store').get() as { published: string | null };
    return published ?? undefined;
  }

  /** Remembers over a restart what was published of the ledger. */
  notePublication(note: string): void {
    this.transaction('NORMAL', () => void this.sql('UPDATE store SET published = ?').run(note));
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

  private remove({ sequences, refusal, ...ending }: Removal): void {
    const erase = this.sql(`DELETE FROM message WHERE sequence = ? RETURNING priority, ${SIZE} AS size`);
    const { ledger } = this.ledgerTable;
    let first = 0;
    let last = 0;
    for (const sequence of [...sequences].sort((one, other) => one - other)) {
      if (refusal) {
        this.deadLetters.bury(sequence, { ...refusal, nowMs: this.clock.now(), age: this.age() });
      }
      const row = erase.get(sequence) as { priority: number; size: number } | undefined;
      if (!row) {
        continue;
      }
      this.count(row.priority, -1, -row.size);
      this.requeued.delete(sequence);
      if (sequence !== last + 1 || first === 0) {
        if (first > 0) {
          ledger.record(first, last, ending);
        }
        first = sequence;
      }
      last = sequence;
    }
    if (first > 0) {
      ledger.record(first, last, ending);
    }
  }

  private count(priority: number, messages: number, bytes: number): void {
    const count = this.counts[priority] as { messages: number; bytes: number } | undefined;
    if (!count) {
      throw inconsistent();
    }
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
      this.ledgerTable.save();
      this.deadLetters.save();
      this.database.exec('COMMIT');
    } catch (thrown) {
      this.counts.splice(0, this.counts.length, ...before);
      this.ledgerTable.forget();
      this.deadLetters.forget();
      rollback(this.database);
      throw thrown;
    } finally {
      this.database.exec('PRAGMA synchronous=FULL');
    }
  }

  private prepared(text: string): StatementSync {
    let statement = this.statements.get(text);
    if (!statement) {
      statement = this.database.prepare(text);
      this.statements.set(text, statement);
    }
    return statement;
  }
}

function inconsistent(): EdgeError {
  return new EdgeError('CORRUPT', "The outbox's tables contradict each other.");
}

function outage(lastWallMs: number, nowMs: number): number {
  const passed = nowMs - lastWallMs;
  return lastWallMs >= EARLIEST_WALL_MS && passed > 0 && passed <= LONGEST_OUTAGE_MS ? passed : 0;
}
