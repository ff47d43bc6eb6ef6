import { EdgeError } from '../../shared/errors';
import { typeName } from './paths';
import { excerpt } from '../../shared/text';

/** Smallest number that is read as an event time: 1e8 s is March 1973. Below it lie counters and relative times. */
const SECONDS = 1e8;
const MILLISECONDS = 1e11;
const MICROSECONDS = 1e14;
const NANOSECONDS = 1e17;
const BEYOND = 1e20;

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?(?:([Zz])|([+-])(\d{2}):?(\d{2})?)?)?$/;

/**
 * Event time in whole milliseconds since the Unix epoch.
 *
 * A number (or a text of digits) is told apart by magnitude: from 1e8 seconds, from 1e11 milliseconds, from 1e14
 * microseconds, from 1e17 nanoseconds, each good for March 1973 to November 5138. Other texts are ISO 8601; one without
 * a zone is UTC, never the gateway's own zone. Parts of a millisecond are cut off.
 *
 * @throws EdgeError `TIMESTAMP` for anything else
 */
export function parseTimestamp(value: unknown, property: string): number {
  if (typeof value === 'number') {
    return fromNumber(value, value, property);
  }
  if (typeof value === 'string') {
    const text = value.trim();
    if (/^\d+(\.\d+)?$/.test(text)) {
      return fromNumber(Number(text), text, property);
    }
    const ms = fromIso(text);
    if (ms !== undefined) {
      return ms;
    }
  } else if (value instanceof Date && !Number.isNaN(value.getTime())) {
    return value.getTime();
  } else if (typeof value === 'bigint') {
    return fromNumber(Number(value), value.toString(), property);
  }
  throw unreadable(value, property);
}

function fromNumber(number: number, shown: string | number, property: string): number {
  if (number >= SECONDS && number < BEYOND) {
    if (number < MILLISECONDS) {
      // The addend undoes the rounding of decimal seconds, which a double holds to about 0.0001 ms.
      return Math.floor(number * 1000 + 0.001);
    }
    if (number < MICROSECONDS) {
      return Math.floor(number);
    }
    return Math.floor(number < NANOSECONDS ? number / 1e3 : number / 1e6);
  }
  throw unreadable(shown, property);
}

function fromIso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (!match) {
    return undefined;
  }
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0'] = match;
  const [, , , , , , , , , sign, zoneHour = '0', zoneMinute = '0'] = match;
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const isDate =
    new Date(midnight).getUTCMonth() === Number(month) - 1 && Number(day) >= 1 && Number(year) >= 100;
  if (!isDate || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) {
    return undefined;
  }
  if (Number(zoneHour) > 14 || Number(zoneMinute) > 59) {
    return undefined;
  }
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  const minutes = Number(hour) * 60 + Number(minute) - offset;
  return midnight + minutes * 60_000 + Number(second) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
}

function unreadable(value: unknown, property: string): EdgeError {
  const shown =
    typeof value === 'string' || typeof value === 'number' ? `"${excerpt(String(value))}"` : typeName(value);
  return new EdgeError(
    'TIMESTAMP',
    `The event time in "${property}" cannot be read: ${shown}. Send seconds, milliseconds, microseconds or nanoseconds since 1970, or ISO 8601 such as 2026-01-31T12:00:00Z; or clear the property "timestamp" to use the arrival time.`,
    { property },
  );
}
