import { PAGE_BYTES } from './wal';

/** A column's value as SQLite stores it. */
export type Value = null | number | string | Uint8Array;

/** A row of a table (`rowid`), or an entry of an index (none). */
export interface StoredRow {
  rowid: number | undefined;
  values: Value[];
}

const TABLE_LEAF = 0x0d;
const INDEX_LEAF = 0x0a;
/** A longer row is none of the outbox's. */
const LONGEST_ROW = 64 * 1024 * 1024;
const LONGEST_RECORD_HEADER = 64;

/**
 * The rows of a leaf page that can be read; a cell that makes no sense is passed over.
 *
 * @param page gives another page of the file, for rows that are too long for one
 */
export function* rowsOf(bytes: Buffer, page: (number: number) => Buffer | undefined): Generator<StoredRow> {
  const kind = bytes[0];
  if (kind !== TABLE_LEAF && kind !== INDEX_LEAF) {
    return;
  }
  const cells = Math.min(bytes.readUInt16BE(3), (PAGE_BYTES - 8) / 4);
  for (let cell = 0; cell < cells; cell++) {
    const row = rowAt(bytes, bytes.readUInt16BE(8 + 2 * cell), kind === TABLE_LEAF, page);
    if (row) {
      yield row;
    }
  }
}

function rowAt(
  bytes: Buffer,
  offset: number,
  inTable: boolean,
  page: (number: number) => Buffer | undefined,
): StoredRow | undefined {
  const cursor = { bytes, offset };
  const length = varint(cursor);
  const rowid = inTable ? varint(cursor) : undefined;
  if (!(length >= 2 && length <= LONGEST_ROW && cursor.offset < PAGE_BYTES)) {
    return undefined;
  }
  const most = inTable ? PAGE_BYTES - 35 : Math.floor(((PAGE_BYTES - 12) * 64) / 255) - 23;
  const local = length <= most ? length : localBytes(length, most);
  const end = cursor.offset + local;
  if (end > PAGE_BYTES) {
    return undefined;
  }
  const head = bytes.subarray(cursor.offset, end);
  const types = typesOf(head, length);
  if (!types) {
    return undefined;
  }
  if (length === local) {
    return { rowid, values: valuesOf(head, types) };
  }
  const record = end + 4 <= PAGE_BYTES ? joined(head, length, bytes.readUInt32BE(end), page) : undefined;
  return record && { rowid, values: valuesOf(record, types) };
}

/** How much of a long row lies in the leaf itself (file format, section 1.6). */
function localBytes(length: number, most: number): number {
  const least = Math.floor(((PAGE_BYTES - 12) * 32) / 255) - 23;
  const fitting = least + ((length - least) % (PAGE_BYTES - 4));
  return fitting <= most ? fitting : least;
}

function joined(
  head: Buffer,
  length: number,
  first: number,
  page: (number: number) => Buffer | undefined,
): Buffer | undefined {
  const parts = [head];
  let missing = length - head.length;
  for (let number = first; missing > 0;) {
    const next = number > 1 ? page(number) : undefined;
    if (!next) {
      return undefined;
    }
    parts.push(next.subarray(4, 4 + Math.min(missing, PAGE_BYTES - 4)));
    missing -= PAGE_BYTES - 4;
    number = next.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

interface Columns {
  /** Where the first value begins. */
  start: number;
  types: number[];
}

/** What a record's header says, if that makes up its length: noise is not followed through the file. */
function typesOf(head: Buffer, length: number): Columns | undefined {
  const cursor = { bytes: head, offset: 0 };
  const start = varint(cursor);
  if (!(start <= Math.min(LONGEST_RECORD_HEADER, head.length))) {
    return undefined;
  }
  const types: number[] = [];
  let bytes = start;
  while (cursor.offset < start) {
    const type = varint(cursor);
    types.push(type);
    bytes += bytesOf(type);
  }
  return cursor.offset === start && bytes === length ? { start, types } : undefined;
}

function valuesOf(record: Buffer, { start, types }: Columns): Value[] {
  let offset = start;
  return types.map((type) => {
    const bytes = record.subarray(offset, offset + bytesOf(type));
    offset += bytes.length;
    return valueOf(type, bytes);
  });
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function bytesOf(type: number): number {
  return type < INTEGER_BYTES.length
    ? INTEGER_BYTES[type]
    : type < 12
      ? Infinity
      : Math.floor((type - 12) / 2);
}

function valueOf(type: number, bytes: Buffer): Value {
  switch (type) {
    case 0:
      return null;
    case 6:
      return Number(bytes.readBigInt64BE());
    case 7:
      return bytes.readDoubleBE();
    case 8:
    case 9:
      return type - 8;
    default:
      return type < 12 ? bytes.readIntBE(0, bytes.length) : type % 2 === 0 ? bytes : bytes.toString();
  }
}

/** SQLite's variable-length integer; NaN behind the end. */
function varint(cursor: { bytes: Buffer; offset: number }): number {
  let value = 0;
  for (let n = 0; n < 8; n++) {
    const byte = cursor.bytes[cursor.offset++] ?? NaN;
    value = value * 128 + (byte & 0x7f);
    if (Number.isNaN(byte) || byte < 0x80) {
      return Number.isNaN(byte) ? NaN : value;
    }
  }
  // Nine bytes: no sequence and no length is that large.
  cursor.offset++;
  return NaN;
}
