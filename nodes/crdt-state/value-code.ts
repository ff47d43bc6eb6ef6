import { isValueText, MAX_VALUE_BYTES } from './json';
import type { ByteReader, ByteWriter } from './wire-bytes';

// The lowest two bits of the first number say what it is.
const TEXT = 0;
const NATURAL = 1;
const NEGATIVE = 2;
/** The rest is 0 for a delete, else the number of decimals, times two, plus one for a negative; then all digits. */
const DECIMAL = 3;
const MAX_DIGITS = 15;
/** Below this whole numbers of the processor suffice, which are quicker. */
const SMALL = 2 ** 30;
const MAX_NUMBER = Number.MAX_SAFE_INTEGER;
const [MINUS, POINT, ZERO, NINE] = [45, 46, 48, 57];

/** A value's JSON text, or null for a delete: numbers as numbers, everything else as it is. */
export function writeValue(writer: ByteWriter, text: string | null): void {
  if (text === null) {
    writer.count(DECIMAL);
    return;
  }
  if (!writeNumber(writer, text)) {
    const bytes = Buffer.byteLength(text);
    writer.count(bytes * 4 + TEXT);
    writer.raw(text, bytes);
  }
}

/** Throws a RangeError for what is no JSON within the bounds of a value. */
export function readValue(reader: ByteReader): string | null {
  const head = reader.count(MAX_NUMBER);
  if (head < SMALL && (head & 3) === NATURAL) {
    return String(head >> 2);
  }
  const rest = Math.floor(head / 4);
  switch (head % 4) {
    case NATURAL:
      return String(rest);
    case NEGATIVE:
      return String(-1 - rest);
    case DECIMAL:
      return rest === 0 ? null : decimal(Math.floor(rest / 2), rest % 2 === 1, reader.count(MAX_NUMBER));
    default:
      return checked(reader.raw(Math.min(rest, MAX_VALUE_BYTES + 1)));
  }
}

/** Digits as JSON writes them, of up to fifteen, so that reading gives the very same text. */
function writeNumber(writer: ByteWriter, text: string): boolean {
  const negative = text.charCodeAt(0) === MINUS;
  const start = negative ? 1 : 0;
  if (text.length - start > MAX_DIGITS || text.length === start) {
    return false;
  }
  let digits = 0;
  let point = -1;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === POINT && point < 0 && at > start) {
      point = at;
    } else if (code >= ZERO && code <= NINE) {
      digits = digits * 10 + code - ZERO;
    } else {
      return false;
    }
  }
  const wholeEnd = point < 0 ? text.length : point;
  if ((wholeEnd - start > 1 && text.charCodeAt(start) === ZERO) || point === text.length - 1) {
    return false;
  }
  if (point >= 0) {
    writer.count(4 * (2 * (text.length - 1 - point) + start) + DECIMAL);
    writer.count(digits);
  } else if (negative) {
    if (digits === 0) {
      return false;
    }
    writer.count(4 * (digits - 1) + NEGATIVE);
  } else {
    writer.count(4 * digits + NATURAL);
  }
  return true;
}

function decimal(decimals: number, negative: boolean, digits: number): string {
  if (decimals === 0 || decimals > MAX_DIGITS) {
    throw new RangeError('its decimals are out of bounds');
  }
  const all = String(digits).padStart(decimals + 1, '0');
  const point = all.length - decimals;
  return `${negative ? '-' : ''}${all.slice(0, point)}.${all.slice(point)}`;
}

function checked(text: string): string {
  if (!isValueText(text)) {
    throw new RangeError('a value is no JSON');
  }
  return text;
}
