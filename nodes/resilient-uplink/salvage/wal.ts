/** Size of a database page; SQLite in Node.js makes no others, and the store asks for it by name. */
export const PAGE_BYTES = 4096;

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES;
const BIG_ENDIAN_SUMS = 0x377f0683;

/** Reads bytes of a file into a buffer; gives how many there were. */
export type ReadAt = (target: Uint8Array, position: number) => number;

/** What a write-ahead log holds. */
export interface WalContents {
  /** Where in the log the newest committed form of a page begins, by page number. */
  pages: Map<number, number>;
  /** Pages of the database after the last commit; 0 = the log has none. */
  databasePages: number;
  /** Committed frames lie behind one that is damaged: SQLite would pass over all of them in silence. */
  damaged: boolean;
}

/**
 * Reads a write-ahead log past its damaged frames. Each frame carries the running checksum, so that the next one can be
 * verified whatever became of this one's page. A tail that a power cut tore is no damage: nothing follows it.
 */
export function scanWal(readAt: ReadAt, size: number): WalContents {
  const contents: WalContents = { pages: new Map(), databasePages: 0, damaged: false };
  const header = Buffer.alloc(HEADER_BYTES);
  if (size < HEADER_BYTES + FRAME_BYTES || readAt(header, 0) < HEADER_BYTES) {
    return contents;
  }
  const swapped = header.readUInt32BE(0) === BIG_ENDIAN_SUMS;
  const start = checksum(header.subarray(0, 24), [0, 0], swapped);
  const headerIntact = isSame(start, storedSum(header, 24));
  const salt = headerIntact ? header.toString('hex', 16, 24) : commonSalt(readAt, size);
  let sum = storedSum(header, 24);
  let broken = !headerIntact;
  let transaction: [page: number, position: number][] = [];
  const frame = Buffer.alloc(FRAME_BYTES);
  for (let position = HEADER_BYTES; position + FRAME_BYTES <= size; position += FRAME_BYTES) {
    const complete = readAt(frame, position) === FRAME_BYTES;
    const expected = checksum(
      frame.subarray(FRAME_HEADER_BYTES),
      checksum(frame.subarray(0, 8), sum, swapped),
      swapped,
    );
    sum = storedSum(frame, 16);
    if (!complete || frame.toString('hex', 8, 16) !== salt || !isSame(expected, sum)) {
      broken = true;
      continue;
    }
    transaction.push([frame.readUInt32BE(0), position + FRAME_HEADER_BYTES]);
    const databasePages = frame.readUInt32BE(4);
    if (databasePages > 0) {
      transaction.forEach(([page, at]) => contents.pages.set(page, at));
      transaction = [];
      contents.databasePages = databasePages;
      contents.damaged ||= broken;
    }
  }
  return contents;
}

/** The salt that two of the first frames share, where the header does not tell it. */
function commonSalt(readAt: ReadAt, size: number): string {
  const seen = new Set<string>();
  const frame = Buffer.alloc(FRAME_HEADER_BYTES);
  for (let n = 0; n < 4 && HEADER_BYTES + (n + 1) * FRAME_BYTES <= size; n++) {
    readAt(frame, HEADER_BYTES + n * FRAME_BYTES);
    const salt = frame.toString('hex', 8, 16);
    if (seen.has(salt)) {
      return salt;
    }
    seen.add(salt);
  }
  return [...seen][0] ?? '';
}

type Sum = [number, number];

function storedSum(bytes: Buffer, offset: number): Sum {
  return [bytes.readUInt32BE(offset), bytes.readUInt32BE(offset + 4)];
}

function isSame(one: Sum, other: Sum): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

function checksum(bytes: Buffer, [first, second]: Sum, bigEndian: boolean): Sum {
  for (let offset = 0; offset < bytes.length; offset += 8) {
    const one = bigEndian ? bytes.readUInt32BE(offset) : bytes.readUInt32LE(offset);
    const two = bigEndian ? bytes.readUInt32BE(offset + 4) : bytes.readUInt32LE(offset + 4);
    first = (first + one + second) >>> 0;
    second = (second + two + first) >>> 0;
  }
  return [first, second];
}
