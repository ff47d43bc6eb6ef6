import { invalidFrame as invalid, type DeltaFrame, type NameBook, type ShortFrame } from './frame';
import { isKey, MAX_COUNTER, MAX_KEY_BYTES, MAX_KEYS, MAX_SIBLINGS } from './limits';
import { foldCheck, type Name } from './names';
import type { Entry } from './replica';
import { readReplicas, writeReplicas, type ReplicaList } from './replica-list';
import { compareDots, type Sibling, type Siblings } from './sibling';
import { StampReader, StampWriter } from './stamp-code';
import { readValue, writeValue } from './value-code';
import type { VersionVector } from './version-vector';
import type { ByteReader, ByteWriter } from './wire-bytes';

// A key's first byte: whether its whole name follows, whether it has one sibling, of the sender; and with the upper six
// bits how far that sibling's counter is from the one before, or the number of siblings. FAR: it follows as a number.
const WHOLE_NAME = 1;
const PLAIN = 2;
const FAR = 63;

/** Writes a delta behind its sender: from, length, dependencies, keys with siblings, check of the short names. */
export function writeDelta(writer: ByteWriter, { sender, from, context, entries, short }: DeltaFrame): void {
  writer.count(from);
  writer.count(Math.max(0, (context.get(sender) ?? 0) - from));
  const others = new Map(context);
  others.delete(sender);
  writeReplicas(writer, others, short);
  const place = new Map([sender, ...others.keys()].map((id, index) => [id, index]));
  const stamps = new StampWriter(writer);
  let last = from;
  let check = 0;
  writer.count(entries.length);
  for (let index = 0; index < entries.length; index++) {
    const [key, siblings] = entries[index];
    const name = short?.key(key, index);
    const plain = siblings.length === 1 && siblings[0].replica === sender;
    const gap = plain ? siblings[0].counter - last - 1 : siblings.length;
    const near = gap >= 0 && gap < FAR;
    writer.byte((name ? 0 : WHOLE_NAME) | (plain ? PLAIN : 0) | ((near ? gap : FAR) << 2));
    if (!near) {
      writer.count(plain ? siblings[0].counter : siblings.length);
    }
    if (name) {
      writer.int32(name.ref);
      check = foldCheck(check, name.check);
    } else {
      writer.text(key);
    }
    for (const { replica, counter, stamp, text } of siblings) {
      if (plain) {
        last = counter;
      } else {
        writer.count(place.get(replica) ?? 0);
        writer.count(counter);
      }
      stamps.write(stamp);
      writeValue(writer, text);
    }
  }
  writer.uint32(check);
}

/** A sibling whose replica is a place in the list of replicas, the sender's being 0. */
interface Placed extends Omit<Sibling, 'replica'> {
  place: number;
}

/** Throws EdgeError `SYNC_INVALID` or a RangeError for what no replica sends. */
export function readDelta(reader: ByteReader, sender: string): DeltaFrame | ShortFrame {
  const size = reader.rest;
  const from = reader.count(MAX_COUNTER - 1);
  const to = from + reader.count(MAX_COUNTER - from);
  if (to === from) {
    throw invalid('it holds no write');
  }
  const others = readReplicas(reader);
  const stamps = new StampReader(reader);
  const keys: (string | number)[] = [];
  const siblings: Siblings[] = [];
  const placed = new Map<number, Placed[]>();
  let last = from;
  for (let left = reader.count(MAX_KEYS); left > 0; left--) {
    const head = reader.byte();
    const upper = head >> 2;
    const plain = (head & PLAIN) !== 0;
    const number = upper < FAR ? upper : reader.count(plain ? to : MAX_SIBLINGS);
    keys.push((head & WHOLE_NAME) !== 0 ? readKey(reader) : reader.int32());
    if (plain) {
      last = upper < FAR ? last + 1 + number : number;
      if (last > to || last === 0) {
        throw invalid('a write that its sender cannot know');
      }
      siblings.push([{ replica: sender, counter: last, stamp: stamps.read(), text: readValue(reader) }]);
    } else {
      placed.set(siblings.length, readPlaced(reader, number, stamps, to, others));
      siblings.push([]);
    }
  }
  const whole = keys.filter((key) => typeof key === 'string');
  if (new Set(whole).size !== whole.length) {
    throw invalid('its keys');
  }
  const content = { sender, from, to, others, keys, siblings, placed, check: reader.uint32() };
  if (!others.isShort && whole.length === keys.length) {
    return complete(content, [sender, ...others.long().keys()]);
  }
  return {
    kind: 'short',
    sender,
    context: others.long().set(sender, to),
    bytes: size,
    expand: (names) => expand(content, names),
  };
}

interface Content {
  sender: string;
  from: number;
  to: number;
  others: ReplicaList;
  keys: readonly (string | number)[];
  siblings: Siblings[];
  placed: ReadonlyMap<number, Placed[]>;
  check: number;
}

function expand(content: Content, names: NameBook): DeltaFrame | undefined {
  const ids = content.others.ids(names);
  if (!ids) {
    return undefined;
  }
  const found: (Name | undefined)[] = [];
  let check = 0;
  for (const name of content.keys) {
    const known = typeof name === 'number' ? names.key(name) : undefined;
    if (known) {
      check = foldCheck(check, known.check);
    } else if (typeof name === 'number') {
      return undefined;
    }
    found.push(known);
  }
  return check === content.check
    ? { ...complete(content, [content.sender, ...ids], found), names: found }
    : undefined;
}

function complete(
  content: Content,
  ids: readonly string[],
  names: readonly (Name | undefined)[] = [],
): DeltaFrame {
  const { sender, from, to, others, keys, siblings, placed } = content;
  if (new Set(ids).size !== ids.length) {
    throw invalid('it names a replica twice');
  }
  const context: VersionVector = new Map([[sender, to]]);
  for (let index = 1; index < ids.length; index++) {
    context.set(ids[index], others.counterAt(index - 1));
  }
  const entries: Entry[] = [];
  for (let index = 0; index < keys.length; index++) {
    const rivals = placed.size > 0 ? placed.get(index) : undefined;
    const key = names[index]?.text ?? `${keys[index]}`;
    entries.push([key, rivals ? inOrder(rivals, ids) : siblings[index]]);
  }
  return { kind: 'delta', sender, context, from, entries };
}

function inOrder(placed: readonly Placed[], ids: readonly string[]): Sibling[] {
  const siblings = placed.map(({ place, counter, stamp, text }) => ({
    replica: ids[place],
    counter,
    stamp,
    text,
  }));
  if (siblings.some((each, index) => index > 0 && compareDots(siblings[index - 1], each) >= 0)) {
    throw invalid('the order of its writes');
  }
  return siblings;
}

function readPlaced(
  reader: ByteReader,
  count: number,
  stamps: StampReader,
  to: number,
  others: ReplicaList,
): Placed[] {
  if (count === 0) {
    throw invalid('its keys');
  }
  return Array.from({ length: count }, () => {
    const place = reader.count(others.length);
    const counter = reader.count(place === 0 ? to : others.counterAt(place - 1));
    if (counter === 0) {
      throw invalid('a write that its sender cannot know');
    }
    return { place, counter, stamp: stamps.read(), text: readValue(reader) };
  });
}

function readKey(reader: ByteReader): string {
  const key = reader.text(MAX_KEY_BYTES);
  if (!isKey(key)) {
    throw invalid('its keys');
  }
  return key;
}
