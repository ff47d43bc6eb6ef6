const FIRST_SIZE = 1024;
/** Longest text that is written and read character by character, which is quicker for short ones. */
const SHORT_TEXT = 48;
const MAX_KNOWN = 2048;

/** Writes numbers and texts behind each other. */
export class ByteWriter {
  private buffer = Buffer.allocUnsafe(FIRST_SIZE);
  private length = 0;

  /** What was written; valid until something else is. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  /** Begins anew. */
  clear(): void {
    this.length = 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  int32(value: number): void {
    this.reserve(4);
    this.length = this.buffer.writeInt32BE(value, this.length);
  }

  uint32(value: number): void {
    this.reserve(4);
    this.length = this.buffer.writeUInt32BE(value, this.length);
  }

  /** An integer from 0 to 2^53 - 1, seven bits a byte, the lowest first. */
  count(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest > 0x7fffffff) {
      this.buffer[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.length++] = rest;
  }

  /** Its length in bytes, and UTF-8. */
  text(value: string): void {
    if (value.length <= SHORT_TEXT && this.ascii(value)) {
      return;
    }
    const bytes = Buffer.byteLength(value);
    this.count(bytes);
    this.reserve(bytes);
    this.length += this.buffer.write(value, this.length);
  }

  /** UTF-8 without a length. */
  raw(value: string, bytes: number): void {
    this.reserve(bytes);
    this.length += this.buffer.write(value, this.length);
  }

  private ascii(value: string): boolean {
    this.reserve(value.length + 1);
    const { buffer, length } = this;
    for (let at = 0; at < value.length; at++) {
      const code = value.charCodeAt(at);
      if (code > 0x7f) {
        return false;
      }
      buffer[length + 1 + at] = code;
    }
    buffer[length] = value.length;
    this.length = length + 1 + value.length;
    return true;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes > this.buffer.length) {
      const grown = Buffer.allocUnsafe(2 * (this.length + bytes));
      this.buffer.copy(grown, 0, 0, this.length);
      this.buffer = grown;
    }
  }
}

/** Reads what a {@link ByteWriter} may have written. Throws a RangeError where the bytes end too early or say too much. */
export class ByteReader {
  private at = 0;

  /** @param known texts that come again and again; each is then the same string, which is quick to compare. */
  constructor(
    private readonly bytes: Buffer,
    private readonly known: Map<string, string>,
  ) {}

  /** Bytes that are left. */
  get rest(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    if (this.at >= this.bytes.length) {
      throw new RangeError('the bytes end');
    }
    return this.bytes[this.at++];
  }

  int32(): number {
    const value = this.bytes.readInt32BE(this.at);
    this.at += 4;
    return value;
  }

  uint32(): number {
    const value = this.bytes.readUInt32BE(this.at);
    this.at += 4;
    return value;
  }

  /** @param max the largest that is allowed. */
  count(max: number): number {
    const { bytes } = this;
    let value = 0;
    let at = this.at;
    // Up to here whole numbers of the processor suffice, which are quicker.
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= bytes.length) {
        throw new RangeError('the bytes end');
      }
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.at = at;
        return within(value, max);
      }
    }
    this.at = at;
    return within(this.largeCount(value), max);
  }

  private largeCount(low: number): number {
    const { bytes } = this;
    let value = low;
    let scale = 2 ** 28;
    for (let size = 4; size < 8; size++) {
      if (this.at >= bytes.length) {
        throw new RangeError('the bytes end');
      }
      const byte = bytes[this.at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        return value;
      }
      scale *= 128;
    }
    throw new RangeError('a number is too long');
  }

  /** @param maxBytes the longest that is allowed. */
  text(maxBytes: number): string {
    return this.raw(this.count(maxBytes));
  }

  /** A text that comes again and again. */
  knownText(maxBytes: number): string {
    const text = this.text(maxBytes);
    const known = this.known.get(text);
    if (known !== undefined) {
      return known;
    }
    if (this.known.size >= MAX_KNOWN) {
      this.known.clear();
    }
    this.known.set(text, text);
    return text;
  }

  raw(length: number): string {
    const start = this.at;
    const end = start + length;
    if (end > this.bytes.length) {
      throw new RangeError('the bytes end');
    }
    this.at = end;
    return this.bytes.toString('utf8', start, end);
  }
}

function within(value: number, max: number): number {
  if (value > max) {
    throw new RangeError('a number is out of bounds');
  }
  return value;
}
