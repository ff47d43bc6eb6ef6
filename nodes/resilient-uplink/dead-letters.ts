import { checksumOf, coversAll, isIntact, type Covered } from './checksum';
import {
  PRIORITIES,
  type BodyKind,
  type DeadLetter,
  type DeadLetterPage,
  type DeadLetterRequest,
  type Statements,
} from './outbox-port';
import { SIZE } from './outbox-schema';

/** Which dead letters go back to be sent; a page at a time, in order. */
export interface RequeueRequest {
  /** These only. */
  sequences?: number[];
  /** Those with this topic only. */
  topic?: string;
  after: number;
  maxRows: number;
}

const REASON_CHARACTERS = 500;
const MOVED = 'sequence, priority, topic, kind, stored_ms, stored_age_ms, attempts, checksum, body';

/** The table of refused messages, bounded in bytes. Every change happens in a transaction of the outbox. */
export class DeadLetters {
  private counts: { messages: number; bytes: number } | undefined;
  private changed = false;
  private tooLarge: number[] = [];

  constructor(
    private readonly sql: Statements,
    private readonly limitBytes: number,
  ) {}

  usage(): { messages: number; bytes: number } {
    this.counts ??= this.sql('SELECT dead_messages AS messages, dead_bytes AS bytes FROM store').get() as {
      messages: number;
      bytes: number;
    };
    return this.counts;
  }

  /** Takes a copy of a message that is about to be removed. */
  bury(sequence: number, refusal: { reason: string; connection: string; nowMs: number; age: number }): void {
    const row = this.sql(
      `INSERT OR REPLACE INTO dead_letter (${MOVED}, ttl_ms, reason, connection, refused_ms, refused_age_ms)
       SELECT ${MOVED}, ttl_ms, ?, ?, ?, ? FROM message WHERE sequence = ? RETURNING ${SIZE} AS size`,
    ).get(
      refusal.reason.slice(0, REASON_CHARACTERS),
      refusal.connection,
      refusal.nowMs,
      refusal.age,
      sequence,
    ) as { size: number } | undefined;
    if (!row) {
      return;
    }
    if (row.size > this.limitBytes) {
      // It would drive all others out and go itself.
      this.sql('DELETE FROM dead_letter WHERE sequence = ?').run(sequence);
      this.tooLarge.push(sequence);
      return;
    }
    this.count(1, row.size);
  }

  /** Drops what does not fit, the oldest first; gives the sequences of what was dropped. */
  trim(): number[] {
    const dropped = this.tooLarge;
    this.tooLarge = [];
    while (this.usage().bytes > this.limitBytes) {
      const row = this.sql(
        `DELETE FROM dead_letter WHERE sequence = (SELECT min(sequence) FROM dead_letter) RETURNING sequence, ${SIZE} AS size`,
      ).get() as { sequence: number; size: number } | undefined;
      if (!row) {
        break;
      }
      this.count(-1, -row.size);
      dropped.push(row.sequence);
    }
    return dropped;
  }

  /**
   * Moves a page of dead letters back among the messages, each under its own sequence. The time that they spent here
   * does not count against their time to live.
   */
  moveBack(
    { sequences, topic, after, maxRows }: RequeueRequest,
    age: number,
  ): { moved: { sequence: number; priority: number; size: number }[]; more: boolean } {
    const chosen = sequences ?? this.sequences(topic, after, maxRows);
    const find = this.sql(`SELECT ${MOVED}, ttl_ms, refused_age_ms FROM dead_letter WHERE sequence = ?`);
    const insert = this.sql(
      `INSERT INTO message (${MOVED}, ttl_ms, expires_age_ms)
       SELECT sequence, priority, topic, kind, stored_ms, stored_age_ms, attempts, ?1, body, ?2, iif(?2 > 0, stored_age_ms + ?2, NULL)
       FROM dead_letter WHERE sequence = ?3 RETURNING ${SIZE} AS size`,
    );
    const erase = this.sql('DELETE FROM dead_letter WHERE sequence = ?');
    const moved: { sequence: number; priority: number; size: number }[] = [];
    for (const sequence of chosen) {
      const letter = find.get(sequence) as BuriedRow | undefined;
      if (letter) {
        const ttl = letter.ttl_ms > 0 ? letter.ttl_ms + age - letter.refused_age_ms : 0;
        const { size } = insert.get(movedChecksum(letter, ttl), ttl, sequence) as { size: number };
        erase.run(sequence);
        this.count(-1, -size);
        moved.push({ sequence, priority: letter.priority, size });
      }
    }
    return { moved, more: sequences === undefined && chosen.length >= maxRows };
  }

  /** A page of the dead letters behind a sequence, with their bodies on demand. */
  list(request: DeadLetterRequest): DeadLetterPage {
    const rows = this.sql(
      `SELECT sequence, priority, topic, kind, stored_ms, attempts, reason, connection, refused_ms, ${SIZE} AS size${request.bodies ? ', body' : ''}
       FROM dead_letter WHERE sequence > ? ORDER BY sequence LIMIT ?`,
    ).iterate(request.after, request.maxRows) as Iterable<unknown> as Iterable<DeadLetterRow>;
    const letters: DeadLetter[] = [];
    let bytes = 0;
    let more = false;
    for (const row of rows) {
      letters.push(letterOf(row));
      bytes += row.body?.byteLength ?? 0;
      if (bytes >= request.maxBytes) {
        more = true;
        break;
      }
    }
    return { letters, more: more || letters.length >= request.maxRows };
  }

  /** Writes down how many there are. */
  save(): void {
    if (this.changed) {
      const { messages, bytes } = this.usage();
      this.sql('UPDATE store SET dead_messages = ?, dead_bytes = ?').run(messages, bytes);
      this.changed = false;
    }
  }

  /** Forgets changes whose transaction failed. */
  forget(): void {
    this.counts = undefined;
    this.changed = false;
    this.tooLarge = [];
  }

  private count(messages: number, bytes: number): void {
    const before = this.usage();
    this.counts = { messages: before.messages + messages, bytes: before.bytes + bytes };
    this.changed = true;
  }

  private sequences(topic: string | undefined, after: number, maxRows: number): number[] {
    const rows =
      topic === undefined
        ? this.sql('SELECT sequence FROM dead_letter WHERE sequence > ? ORDER BY sequence LIMIT ?').all(
            after,
            maxRows,
          )
        : this.sql(
            'SELECT sequence FROM dead_letter WHERE sequence > ? AND topic = ? ORDER BY sequence LIMIT ?',
          ).all(after, topic, maxRows);
    return (rows as unknown as { sequence: number }[]).map(({ sequence }) => sequence);
  }
}

type BuriedRow = Covered & { checksum: number; refused_age_ms: number };

/** The checksum of a dead letter with another time to live; that of a damaged one stays wrong. */
function movedChecksum(letter: BuriedRow, ttl: number): number {
  return isIntact(letter) && coversAll(letter) ? checksumOf({ ...letter, ttl_ms: ttl }) : letter.checksum;
}

interface DeadLetterRow {
  sequence: number;
  priority: number;
  topic: string;
  kind: string;
  stored_ms: number;
  attempts: number;
  reason: string;
  connection: string;
  refused_ms: number;
  size: number;
  body?: Uint8Array;
}

function letterOf(row: DeadLetterRow): DeadLetter {
  const { sequence, topic, attempts, reason, connection, size, body } = row;
  const letter: DeadLetter = {
    sequence,
    topic,
    priority: PRIORITIES[row.priority],
    kind: row.kind as BodyKind,
    storedMs: row.stored_ms,
    attempts,
    reason,
    connection,
    refusedMs: row.refused_ms,
    size,
  };
  return body ? { ...letter, body } : letter;
}
