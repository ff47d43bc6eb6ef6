import { EdgeError } from '../../shared/errors';

/** Nesting that telemetry does not reach. */
export const MAX_DEPTH = 32;
/** Fields of one reading that are looked at. */
const MAX_FIELDS = 100_000;

/** 64 bits that stand for a value. */
export interface Fingerprint {
  high: number;
  low: number;
}

/** A fingerprint as 16 hexadecimal digits. */
export function hexOf({ high, low }: Fingerprint): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/**
 * A 64-bit digest of values as JSON knows them: two 32-bit lanes mixed word by word as MurmurHash3 does
 * (A. Appleby, public domain), with a finalizer each. It tells readings apart; it is no protection against forgery.
 */
export class Digest {
  private high = 0;
  private low = 0;
  private words = 0;
  private fields = 0;
  private readonly double = new Float64Array(1);
  private readonly halves = new Uint32Array(this.double.buffer);

  reset(): this {
    this.high = 0x9747b28c;
    this.low = 0x3c6ef372;
    this.words = 0;
    this.fields = 0;
    return this;
  }

  text(text: string): this {
    const { length } = text;
    this.word(length);
    for (let i = 0; i < length; i += 2) {
      this.word(text.charCodeAt(i) | (i + 1 < length ? text.charCodeAt(i + 1) << 16 : 0));
    }
    return this;
  }

  number(value: number): this {
    this.double[0] = value;
    this.word(this.halves[0]);
    this.word(this.halves[1]);
    return this;
  }

  /** Any decoded value, in its own key order. Throws `TOO_LARGE` for one that is nested or branched beyond reason. */
  value(value: unknown, depth = 0): this {
    if (++this.fields > MAX_FIELDS) {
      throw tooManyFields();
    }
    if (typeof value === 'number') {
      this.word(1);
      return this.number(value);
    }
    if (typeof value === 'string') {
      this.word(2);
      return this.text(value);
    }
    if (typeof value !== 'object' || value === null) {
      this.word(3);
      return this.text(String(value));
    }
    if (depth >= MAX_DEPTH) {
      throw nestedTooDeep();
    }
    if (value instanceof Date) {
      this.word(4);
      return this.number(value.getTime());
    }
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      this.word(7);
      return this.samples(value as unknown as ArrayLike<unknown>);
    }
    if (Array.isArray(value)) {
      this.word(5);
      this.word(value.length);
      for (const entry of value as unknown[]) {
        this.value(entry, depth + 1);
      }
      return this;
    }
    this.word(6);
    for (const key of Object.keys(value)) {
      this.text(key);
      this.value((value as Record<string, unknown>)[key], depth + 1);
    }
    return this;
  }

  /** Elements of a typed array. */
  private samples(list: ArrayLike<unknown>): this {
    const { length } = list;
    if ((this.fields += length) > MAX_FIELDS) {
      throw tooManyFields();
    }
    this.word(length);
    for (let i = 0; i < length; i++) {
      this.number(Number(list[i]));
    }
    return this;
  }

  /** The digest so far, as two unsigned 32-bit words. */
  finish(): Fingerprint {
    const high = finalize(this.high ^ this.words);
    return { high, low: finalize(this.low ^ Math.imul(this.words, 0x9e3779b1) ^ high) };
  }

  private word(word: number): void {
    this.words++;
    let a = Math.imul(word, 0xcc9e2d51);
    a = Math.imul((a << 15) | (a >>> 17), 0x1b873593);
    this.high ^= a;
    this.high = (Math.imul((this.high << 13) | (this.high >>> 19), 5) + 0xe6546b64) | 0;
    let b = Math.imul(word, 0x239b961b);
    b = Math.imul((b << 16) | (b >>> 16), 0xab0e9789);
    this.low ^= b;
    this.low = (Math.imul((this.low << 17) | (this.low >>> 15), 5) + 0x561ccd1b) | 0;
  }
}

function tooManyFields(): EdgeError {
  return new EdgeError(
    'TOO_LARGE',
    `The payload has more than ${MAX_FIELDS} fields. Send fewer in one message.`,
  );
}

export function nestedTooDeep(): EdgeError {
  return new EdgeError(
    'TOO_LARGE',
    `The payload is nested deeper than ${MAX_DEPTH} levels. Send the values in a flatter object.`,
  );
}

function finalize(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
