import { Unpackr } from 'msgpackr';
import { EdgeError } from '../../shared/errors';
import { MAX_DEPTH, nestedTooDeep } from '../rows/digest';

/** Bytes of the length of binaries (c4–c6), texts (d9–db), lists (dc, dd) and maps (de, df). */
const WIDTHS: Partial<Record<number, 1 | 2 | 4>> = {
  0xc4: 1,
  0xc5: 2,
  0xc6: 4,
  0xd9: 1,
  0xda: 2,
  0xdb: 4,
  0xdc: 2,
  0xdd: 4,
  0xde: 2,
  0xdf: 4,
};

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

/**
 * Decodes one MessagePack value. The bytes are walked before the library sees them, so that no length in them is
 * believed beyond their end, nesting is bounded and extension types are refused.
 *
 * @throws EdgeError `DECODE`, `TOO_LARGE`
 */
export function unpackMessage(bytes: Buffer): unknown {
  const walker = new Walker(bytes);
  walker.value(0);
  if (walker.at !== bytes.length) {
    throw malformed('it goes on after its end');
  }
  try {
    return unpackr.unpack(bytes) as unknown;
  } catch {
    throw malformed('it cannot be read');
  }
}

class Walker {
  at = 0;

  constructor(private readonly bytes: Buffer) {}

  value(depth: number): void {
    if (depth > MAX_DEPTH) {
      throw nestedTooDeep();
    }
    const type = this.size(1);
    if (type < 0x80 || type >= 0xe0 || type === 0xc0 || type === 0xc2 || type === 0xc3) {
      return;
    }
    if (type < 0x90) {
      this.map(type & 0x0f, depth);
    } else if (type < 0xa0) {
      this.list(type & 0x0f, depth);
    } else if (type < 0xc0) {
      this.skip(type & 0x1f);
    } else if (type >= 0xca && type <= 0xd3) {
      this.skip([4, 8, 1, 2, 4, 8, 1, 2, 4, 8][type - 0xca]);
    } else {
      this.sized(type, depth);
    }
  }

  private sized(type: number, depth: number): void {
    const width = WIDTHS[type];
    if (width === undefined) {
      throw malformed('it has an extension type, which telemetry does not need');
    }
    const length = this.size(width);
    if (type >= 0xde) {
      this.map(length, depth);
    } else if (type >= 0xdc) {
      this.list(length, depth);
    } else {
      this.skip(length);
    }
  }

  private list(length: number, depth: number): void {
    for (let i = 0; i < length; i++) {
      this.value(depth + 1);
    }
  }

  private map(length: number, depth: number): void {
    for (let i = 0; i < length; i++) {
      const type = this.bytes[this.at];
      if (this.at < this.bytes.length && (type < 0xa0 || type >= 0xc0) && (type < 0xd9 || type > 0xdb)) {
        throw malformed('it has a field whose name is no text');
      }
      this.value(depth + 1);
      this.value(depth + 1);
    }
  }

  private size(width: 1 | 2 | 4): number {
    const at = this.at;
    this.skip(width);
    return this.bytes.readUIntBE(at, width);
  }

  private skip(length: number): void {
    this.at += length;
    if (this.at > this.bytes.length) {
      throw malformed('it ends too early');
    }
  }
}

function malformed(how: string): EdgeError {
  return new EdgeError(
    'DECODE',
    `The payload is not the MessagePack that is expected: ${how}. Correct the sender, or the property "format".`,
  );
}
