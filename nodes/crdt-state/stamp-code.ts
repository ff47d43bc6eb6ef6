import type { ByteReader, ByteWriter } from './wire-bytes';

/** Stamps are in 1/1024 ms, and most of them are whole ones. */
const STEPS = 1024;
/** No gap has this code: a whole stamp follows. */
const ABSOLUTE = 1;
const MAX_GAP = 2 ** 50;
/** Below this whole numbers of the processor suffice, which are quicker. */
const SMALL = 2 ** 28;

/** Writes stamps by their distances, which are short. */
export class StampWriter {
  private last: number | undefined;

  constructor(private readonly writer: ByteWriter) {}

  write(stamp: number): void {
    const gap = stamp - (this.last ?? Infinity);
    this.last = stamp;
    if (gap < SMALL && gap > -SMALL) {
      const whole = gap | 0;
      const even = (whole & (STEPS - 1)) === 0;
      const near = even ? whole / STEPS : whole;
      this.writer.count(2 * ((near << 1) ^ (near >> 31)) + (even ? 0 : 1));
    } else if (Math.abs(gap) > MAX_GAP) {
      this.writer.count(ABSOLUTE);
      this.writer.count(stamp);
    } else if (gap % STEPS === 0) {
      this.writer.count(2 * zigzag(gap / STEPS));
    } else {
      this.writer.count(2 * zigzag(gap) + 1);
    }
  }
}

export class StampReader {
  private last = 0;

  constructor(private readonly reader: ByteReader) {}

  /** Throws a RangeError for what is no stamp. */
  read(): number {
    const code = this.reader.count(Number.MAX_SAFE_INTEGER);
    if (code === ABSOLUTE) {
      this.last = this.reader.count(Number.MAX_SAFE_INTEGER);
      return this.last;
    }
    if (code < SMALL) {
      const gap = (code >> 2) ^ -((code >> 1) & 1);
      this.last += (code & 1) === 0 ? gap * STEPS : gap;
    } else {
      const half = Math.floor(code / 2);
      const gap = half % 2 === 0 ? half / 2 : -(half + 1) / 2;
      this.last += code % 2 === 0 ? gap * STEPS : gap;
    }
    if (this.last < 0 || this.last > Number.MAX_SAFE_INTEGER) {
      throw new RangeError('a time is out of bounds');
    }
    return this.last;
  }
}

function zigzag(gap: number): number {
  return gap >= 0 ? 2 * gap : -2 * gap - 1;
}
