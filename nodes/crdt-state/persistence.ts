import { Packr } from 'msgpackr';
import { EdgeError } from '../shared/errors';
import type { StateWrite } from '../shared/store/state-store';
import type { Replica, ReplicaImage } from './replica';
import { NameTable } from './names';
import type { Siblings } from './sibling';
import { Slot } from './slot';

const packr = new Packr({ useRecords: false, mapsAsObjects: true });
const META = 'meta';
const ENTRY = 'key:';
const FORMAT = 1;
const SLICE = 256;

/**
 * What must be written for the turn that is open: the changed keys and the replica's vectors, together.
 *
 * @param origin what tells the store from a copy, where that can be known
 */
export function* turnRows(
  replica: Replica,
  namespace: string,
  origin?: string,
): Generator<void, StateWrite[]> {
  if (replica.changes.length === 0 && !replica.advanced) {
    return [];
  }
  const { id, base, contacted, context, floor, peers } = replica;
  const meta = [FORMAT, id, base, contacted, [...context], [...floor], [...peers], origin ?? null];
  const writes: StateWrite[] = [{ namespace, key: META, value: packr.pack(meta) }];
  for (const { text, siblings } of replica.changes) {
    const value = siblings.length > 0 ? packSiblings(siblings) : null;
    writes.push({ namespace, key: ENTRY + text, value });
    if (writes.length % SLICE === 0) {
      yield;
    }
  }
  return writes;
}

/** A replica as it was stored. */
export interface StoredImage extends ReplicaImage {
  /** The store is a copy of the one that it was written to, which may be in use elsewhere. */
  copied: boolean;
}

/**
 * The replica as it was stored; undefined when nothing was. A session that told its writes settles what came before
 * it; otherwise its own writes are known to nobody else and stay in doubt (see {@link Replica.renew}). In a copy of a
 * gateway's first session there is no doubt: whoever has the original has the same writes.
 *
 * @param origin what tells the store from a copy, where that can be known
 * @throws EdgeError `STORE` when the rows are damaged.
 */
export function* readImage(
  rows: ReadonlyMap<string, Uint8Array>,
  origin?: string,
): Generator<void, StoredImage | undefined> {
  const stored = rows.get(META);
  if (!stored) {
    return undefined;
  }
  try {
    const meta = packr.unpack(stored) as [
      number,
      string,
      number,
      boolean,
      [string, number][],
      [string, number][],
      // Earlier versions did not remember peers.
      [string, number][]?,
      (string | null)?,
    ];
    const [format, id, base, contacted, context, floor, peers, writtenTo] = meta;
    if (format !== FORMAT) {
      throw new Error(`it has the unknown format ${format}`);
    }
    const image: StoredImage = {
      id,
      base,
      contacted: false,
      context: new Map(context),
      floor: new Map(floor),
      peers: new Map(peers),
      copied: typeof writtenTo === 'string' && origin !== undefined && writtenTo !== origin,
      slots: new NameTable(),
    };
    if (contacted || (image.copied && base === 0)) {
      image.base = image.context.get(id) ?? 0;
    }
    let steps = 0;
    for (const [key, value] of rows) {
      if (key.startsWith(ENTRY)) {
        const slot = new Slot(key.slice(ENTRY.length));
        slot.siblings = unpackSiblings(value);
        image.slots.add(slot);
      }
      if (++steps % SLICE === 0) {
        yield;
      }
    }
    return image;
  } catch (thrown) {
    throw new EdgeError(
      'STORE',
      `The stored state cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}.`,
    );
  }
}

function packSiblings(siblings: Siblings): Uint8Array {
  return packr.pack(siblings.map(({ replica, counter, stamp, text }) => [replica, counter, stamp, text]));
}

function unpackSiblings(value: Uint8Array): Siblings {
  const rows = packr.unpack(value) as [string, number, number, string | null][];
  return rows.map(([replica, counter, stamp, text]) => ({ replica, counter, stamp, text }));
}
