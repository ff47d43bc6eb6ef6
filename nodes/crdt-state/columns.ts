import { EdgeError } from '../shared/errors';
import { isValueText } from './json';
import { isKey, MAX_COUNTER, MAX_KEYS, MAX_SIBLINGS } from './limits';
import type { Entry } from './replica';
import { compareDots, type Sibling } from './sibling';
import type { ReadonlyVector } from './version-vector';

/**
 * Reads the entries of version 1, which anyone may have written: columns of keys, siblings per key, then of all siblings
 * replica, counter, stamp above the earliest, and text.
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
