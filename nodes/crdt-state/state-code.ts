import { invalidFrame as invalid } from './frame';
import { isKey, MAX_COUNTER, MAX_KEY_BYTES, MAX_KEYS, MAX_SIBLINGS } from './limits';
import type { Entry } from './replica';
import { compareDots, type Sibling } from './sibling';
import { StampReader, StampWriter } from './stamp-code';
import { readValue, writeValue } from './value-code';
import type { ReadonlyVector } from './version-vector';
import type { ByteReader, ByteWriter } from './wire-bytes';

/** Writes whole entries in the order of their keys, of each key only what differs from the one before. */
export function writeState(writer: ByteWriter, entries: readonly Entry[], context: ReadonlyVector): void {
  const place = new Map([...context.keys()].map((id, index) => [id, index]));
  const stamps = new StampWriter(writer);
  let before = '';
  writer.count(entries.length);
  for (const [key, siblings] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const shared = sharedStart(before, key);
    before = key;
    writer.count(shared);
    writer.text(key.slice(shared));
    writer.count(siblings.length);
    for (const { replica, counter, stamp, text } of siblings) {
      writer.count(place.get(replica) ?? 0);
      writer.count(counter);
      stamps.write(stamp);
      writeValue(writer, text);
    }
  }
}

/** Throws EdgeError `SYNC_INVALID` or a RangeError for what no replica sends. */
export function readState(reader: ByteReader, context: ReadonlyVector): Entry[] {
  const ids = [...context.keys()];
  const stamps = new StampReader(reader);
  const entries: Entry[] = [];
  let key = '';
  for (let left = reader.count(MAX_KEYS); left > 0; left--) {
    const before = key;
    const shared = reader.count(before.length);
    key = before.slice(0, shared) + reader.text(MAX_KEY_BYTES);
    const count = reader.count(MAX_SIBLINGS);
    if (!isKey(key) || key <= before || count === 0) {
      throw invalid('its keys');
    }
    const siblings: Sibling[] = [];
    for (let index = 0; index < count; index++) {
      const replica = ids.at(reader.count(Math.max(0, ids.length - 1))) ?? '';
      const counter = reader.count(Math.min(MAX_COUNTER, context.get(replica) ?? 0));
      const sibling = { replica, counter, stamp: stamps.read(), text: readValue(reader) };
      if (counter === 0 || (index > 0 && compareDots(siblings[index - 1], sibling) >= 0)) {
        throw invalid('a write that its sender cannot know');
      }
      siblings.push(sibling);
    }
    entries.push([key, siblings]);
  }
  return entries;
}

/** How many characters two keys begin alike with; no pair of surrogates is parted. */
function sharedStart(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let at = 0;
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) {
    at++;
  }
  const parted = at > 0 && (a.charCodeAt(at - 1) & 0xfc00) === 0xd800;
  return parted ? at - 1 : at;
}
