import { EdgeError } from '../shared/errors';
import { isValueText } from './json';
import { isKey, MAX_COUNTER, MAX_KEYS, MAX_SIBLINGS } from './limits';
import type { Entry } from './replica';
import { compareDots, type Sibling } from './sibling';
import type { ReadonlyVector } from './version-vector';

/** Entries column by column: keys, siblings per key, then of all siblings replica, counter, stamp and text. */
type Columns = [string[], number[], number[], number[], number, number[], (string | null)[]];

/** Lays entries out in columns; stamps are counted from the earliest, which keeps them short. */
export function packEntries(entries: readonly Entry[], place: ReadonlyMap<string, number>): Columns {
  let first = Infinity;
  for (const [, siblings] of entries) {
    for (const { stamp } of siblings) {
      first = Math.min(first, stamp);
    }
  }
  const columns: Columns = [[], [], [], [], Number.isFinite(first) ? first : 0, [], []];
  const [keys, counts, replicas, counters, , stamps, texts] = columns;
  for (const [key, siblings] of entries) {
    keys.push(key);
    counts.push(siblings.length);
    for (const { replica, counter, stamp, text } of siblings) {
      replicas.push(place.get(replica) ?? 0);
      counters.push(counter);
      stamps.push(stamp - first);
      texts.push(text);
    }
  }
  return columns;
}

/**
 * Reads columns that anyone may have written.
 *
 * @throws EdgeError `SYNC_INVALID` unless every key, value and dot is within bounds, the siblings of a key ascend, and
 * the context knows each of them.
 */
export function unpackEntries(raw: unknown, table: readonly string[], context: ReadonlyVector): Entry[] {
  const [keys, counts, replicas, counters, first, stamps, texts] = lists(raw);
  if (keys.length !== counts.length || keys.length > MAX_KEYS || new Set(keys).size !== keys.length) {
    throw invalid('its keys');
  }
  let next = 0;
  return keys.map((key, index): Entry => {
    const count = counts[index];
    if (!isKey(key) || !isCount(count, MAX_SIBLINGS) || count === 0) {
      throw invalid('its keys');
    }
    const siblings: Sibling[] = [];
    for (const end = next + count; next < end; next++) {
      const place = replicas[next];
      const replica = isCount(place, table.length - 1) ? table[place] : '';
      const counter = counters[next];
      const offset = stamps[next];
      const text = texts[next];
      if (!isCount(counter, Math.min(MAX_COUNTER, context.get(replica) ?? 0)) || counter === 0) {
        throw invalid('a write that its sender cannot know');
      }
      if (!isCount(offset, Number.MAX_SAFE_INTEGER - first)) {
        throw invalid('its times');
      }
      if (text !== null && (typeof text !== 'string' || !isValueText(text))) {
        throw invalid(`the value of "${key}"`);
      }
      const sibling = { replica, counter, stamp: first + offset, text };
      const before = siblings.at(-1);
      if (before && compareDots(before, sibling) >= 0) {
        throw invalid('the order of its writes');
      }
      siblings.push(sibling);
    }
    return [key, siblings];
  });
}

type Lists = [unknown[], unknown[], unknown[], unknown[], number, unknown[], unknown[]];

function lists(raw: unknown): Lists {
  if (!Array.isArray(raw) || raw.length !== 7) {
    throw invalid('its columns');
  }
  const [keys, counts, replicas, counters, first, stamps, texts] = raw as unknown[];
  if (
    ![keys, counts, replicas, counters, stamps, texts].every(Array.isArray) ||
    !isCount(first, Number.MAX_SAFE_INTEGER)
  ) {
    throw invalid('its columns');
  }
  return [keys, counts, replicas, counters, first, stamps, texts] as Lists;
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}

function invalid(what: string): EdgeError {
  return new EdgeError(
    'SYNC_INVALID',
    `A frame was refused for ${what}. Check what is wired to the input, or who else publishes to this topic.`,
  );
}
