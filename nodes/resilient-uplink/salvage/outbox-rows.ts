import type { Covered } from '../checksum';
import type { LedgerRange } from '../loss-ledger';
import { BODY_KINDS, FATES, PRIORITIES, type BodyKind, type Ending, type Fate } from '../outbox-port';
import type { StoredRow, Value } from './records';

/** A message or a dead letter. */
export type MessageRow = Covered & { attempts: number; checksum: number };

/** A row of one of the outbox's tables, told by its shape. */
export type OutboxRow =
  | { table: 'message'; row: MessageRow }
  | {
      table: 'dead_letter';
      row: MessageRow;
      reason: string;
      connection: string;
      refusedMs: number;
      refusedAge: number;
    }
  | { table: 'ledger'; range: LedgerRange }
  | { table: 'ledger_summary'; ending: Ending; messages: number }
  | { table: 'sequence'; last: number }
  | {
      table: 'store';
      uuid: string;
      age: number;
      wallMs: number;
      summarisedTo: number;
      deadMessages: number;
      published: string | null;
    };

/** Types of a table's columns: `n`umber, `t`ext, `b`lob, `-` null; a row's identity is not among its columns. */
const SHAPES = {
  message: /^-nttnnn[n-]nnb$/,
  deadLetter: /^-nttnnnnnbttnn$/,
  ledger: /^-ntt$/,
  summary: /^ttn$/,
  sequence: /^tn$/,
  store: /^-tnn(nnn[t-])?$/,
};

/** What a row of a file is in the outbox's schema; undefined when it is none of its rows. */
export function recognise({ rowid, values }: StoredRow): OutboxRow | undefined {
  const shape = values.map(letterOf).join('');
  const number = (index: number): number => values[index] as number;
  const text = (index: number): string => values[index] as string;
  if (rowid === undefined) {
    return SHAPES.summary.test(shape) && isFate(values[0])
      ? { table: 'ledger_summary', ending: { fate: values[0], connection: text(1) }, messages: number(2) }
      : undefined;
  }
  if (SHAPES.message.test(shape)) {
    return { table: 'message', row: messageOf(rowid, values, { attempts: 8, checksum: 9, body: 10 }) };
  }
  if (SHAPES.deadLetter.test(shape)) {
    return {
      table: 'dead_letter',
      row: messageOf(rowid, values, { attempts: 7, checksum: 8, body: 9 }),
      reason: text(10),
      connection: text(11),
      refusedMs: number(12),
      refusedAge: number(13),
    };
  }
  if (SHAPES.ledger.test(shape)) {
    return isFate(values[2]) && rowid >= 1 && rowid <= number(1)
      ? { table: 'ledger', range: { first: rowid, last: number(1), fate: values[2], connection: text(3) } }
      : undefined;
  }
  if (SHAPES.sequence.test(shape)) {
    return values[0] === 'message' ? { table: 'sequence', last: number(1) } : undefined;
  }
  if (SHAPES.store.test(shape) && rowid === 1) {
    return {
      table: 'store',
      uuid: text(1),
      age: number(2),
      wallMs: number(3),
      summarisedTo: values.length > 4 ? number(4) : 0,
      deadMessages: values.length > 4 ? number(5) : 0,
      published: values.length > 4 ? (values[7] as string | null) : null,
    };
  }
  return undefined;
}

/** Whether a row has what the outbox's code relies on. */
export function isSound({ sequence, priority, kind }: MessageRow): boolean {
  return sequence >= 1 && priority in PRIORITIES && BODY_KINDS.includes(kind as BodyKind);
}

function messageOf(
  sequence: number,
  values: Value[],
  at: { attempts: number; checksum: number; body: number },
): MessageRow {
  const [, priority, topic, kind, ms, age, ttl] = values as [
    null,
    number,
    string,
    string,
    number,
    number,
    number,
  ];
  return {
    sequence,
    priority,
    topic,
    kind,
    stored_ms: ms,
    stored_age_ms: age,
    ttl_ms: ttl,
    attempts: values[at.attempts] as number,
    checksum: values[at.checksum] as number,
    body: values[at.body] as Uint8Array,
  };
}

function letterOf(value: Value): string {
  return value === null ? '-' : typeof value === 'number' ? 'n' : typeof value === 'string' ? 't' : 'b';
}

function isFate(value: Value): value is Fate {
  return FATES.includes(value as Fate);
}
