import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { rollback } from '../../shared/store/sqlite';
import { isIntact } from '../checksum';
import { sizeOf } from '../outbox-port';
import type { Remembered } from '../sequence-note';
import type { DamagedFile } from './damaged-file';
import { isSound, recognise, type MessageRow, type OutboxRow } from './outbox-rows';
import { rowsOf } from './records';
import { SalvagedAccounts } from './salvaged-accounts';

/** How much of a damaged file has been read, in pages. */
export interface SalvageProgress {
  done: number;
  total: number;
}

/** What came of a salvage. */
export interface SalvageResult {
  uuid: string;
  /** Whether messages kept their ids. */
  sameIds: boolean;
  salvaged: { messages: number; deadLetters: number };
  /** Messages that are lost, as far as anybody knows. */
  corrupt: number;
  /** Messages whose end is not known any more. */
  unrecorded: number;
  /** Dead letters that the store said it had and that could not be read. */
  deadLettersLost: number;
  highest: number;
}

const COMMIT_BYTES = 8 * 1024 * 1024;
const COMMIT_ROWS = 5000;

/**
 * Reads everything out of a damaged outbox that can still be read, page by page and without SQLite: the pages of rows are
 * found wherever they are, so that a broken header, schema or inner page costs nothing. A message counts when its checksum
 * is right. What is read goes into an empty database with the outbox's schema, under the same sequences.
 */
export class Salvage {
  private page = 1;
  private readonly accounts = new SalvagedAccounts();
  private readonly insertMessage: StatementSync;
  private readonly insertLetter: StatementSync;

  /** @param target an empty outbox, which nobody else uses */
  constructor(
    private readonly source: DamagedFile,
    private readonly target: DatabaseSync,
  ) {
    const columns =
      'sequence, priority, topic, kind, stored_ms, stored_age_ms, ttl_ms, attempts, checksum, body';
    this.insertMessage = target.prepare(
      `INSERT OR IGNORE INTO message (${columns}, expires_age_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.insertLetter = target.prepare(
      `INSERT OR IGNORE INTO dead_letter (${columns}, reason, connection, refused_ms, refused_age_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  get progress(): SalvageProgress {
    return { done: this.page, total: this.source.pages };
  }

  /** Reads on for one commit; whether there is more to read. */
  step(): boolean {
    let bytes = 0;
    let rows = 0;
    this.target.exec('BEGIN IMMEDIATE');
    try {
      const end = Math.min(this.source.pages, this.page + COMMIT_BYTES / 4096);
      while (this.page < end && bytes < COMMIT_BYTES && rows < COMMIT_ROWS) {
        this.page++;
        for (const row of this.rowsOn(this.page)) {
          bytes += this.take(row);
          rows++;
        }
      }
    } finally {
      commit(this.target);
    }
    return this.page < this.source.pages;
  }

  /** Makes the accounts of what was read; the database is an outbox afterwards. */
  finish(remembered?: Remembered): SalvageResult {
    return this.accounts.write(this.target, remembered);
  }

  private *rowsOn(number: number): Generator<OutboxRow> {
    const bytes = this.source.isTree(number) ? this.source.page(number) : undefined;
    if (bytes) {
      for (const stored of rowsOf(bytes, (other) => this.source.page(other))) {
        const row = recognise(stored);
        if (row) {
          yield row;
        }
      }
    }
  }

  private take(found: OutboxRow): number {
    if (found.table !== 'message' && found.table !== 'dead_letter') {
      this.accounts.note(found);
      return 0;
    }
    const { row } = found;
    if (!isSound(row) || !isIntact(row)) {
      return 0;
    }
    this.accounts.sawRow(row);
    if (found.table === 'message') {
      this.insertMessage.run(...columnsOf(row), row.ttl_ms > 0 ? row.stored_age_ms + row.ttl_ms : null);
    } else {
      const { reason, connection, refusedMs, refusedAge } = found;
      this.insertLetter.run(...columnsOf(row), reason, connection, refusedMs, refusedAge);
    }
    return sizeOf(row);
  }
}

function columnsOf(row: MessageRow): (number | string | Uint8Array)[] {
  return [
    row.sequence,
    row.priority,
    row.topic,
    row.kind,
    row.stored_ms,
    row.stored_age_ms,
    row.ttl_ms,
    row.attempts,
    row.checksum,
    row.body,
  ];
}

/** What was read before the disk had no more room stays, unless SQLite has ended the transaction by itself. */
function commit(database: DatabaseSync): void {
  try {
    database.exec('COMMIT');
  } catch {
    rollback(database);
  }
}
