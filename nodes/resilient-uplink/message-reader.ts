import { isIntact } from './checksum';
import {
  PRIORITIES,
  sizeOf,
  type BodyKind,
  type EvictionOrder,
  type ReadRequest,
  type ReadResult,
  type Statements,
  type StoredMessage,
  type TopicsPage,
} from './outbox-port';

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

/** Finds stored messages: to send, too old, or to make room. Changes nothing. */
export class MessageReader {
  /** @param isEarlier whether a message may have been sent before this run of the node, or before it was requeued */
  constructor(
    private readonly sql: Statements,
    private readonly isEarlier: (sequence: number) => boolean,
  ) {}

  /** A page of one priority's messages, in order. */
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

  /** Whose messages are stored in a stretch of the store, whatever their priority. */
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

  /** Messages whose time to live is over at an age of the store, or that are older than a limit. */
  expired({ maxAgeMs, maxRows }: { maxAgeMs: number; maxRows: number }, age: number): ReadResult {
    const over = this.sql(
      `SELECT ${COLUMNS} FROM message WHERE expires_age_ms <= ? ORDER BY expires_age_ms LIMIT ?`,
    ).all(age, maxRows) as unknown as MessageRow[];
    const old = maxAgeMs > 0 ? this.storedBefore(age - maxAgeMs, maxRows) : [];
    const isOver = ({ stored_age_ms: stored, ttl_ms: ttl }: MessageRow): boolean =>
      ttl > 0 && stored + ttl <= age;
    const known = new Set(over.map(({ sequence }) => sequence));
    // The checksum does not vouch for what the index is made of.
    return this.collect(
      [...over.filter(isOver), ...old.filter(({ sequence }) => !known.has(sequence))],
      Infinity,
      Infinity,
    );
  }

  /** Messages that should go to make room, in order. */
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

  private collect(rows: Iterable<MessageRow>, maxRows: number, maxBytes: number): ReadResult {
    const result: ReadResult = { messages: [], corrupt: [], more: false };
    let count = 0;
    let bytes = 0;
    for (const row of rows) {
      count++;
      if (isIntact(row)) {
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
      attempts: row.attempts >= 0 ? row.attempts : 0,
      earlierRun: this.isEarlier(row.sequence),
    };
  }
}
