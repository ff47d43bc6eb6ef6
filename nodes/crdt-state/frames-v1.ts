import { Packr } from 'msgpackr';
import { EdgeError } from '../shared/errors';
import { unpackEntries } from './columns';
import { CHUNK_WINDOW, invalidFrame as invalid, MAX_CHUNKS, type Frame, type ReplyFrame } from './frame';
import { isReplicaId, MAX_COUNTER, MAX_REPLICAS } from './limits';
import { isPlainMsgpack } from './msgpack-shape';
import type { VersionVector } from './version-vector';

const packr = new Packr({ useRecords: false, mapsAsObjects: true });

/**
 * Reads what frames of version 1 hold, which no replica sends any more: one MessagePack array that begins with a table
 * of replica ids, the sender's place in it and the sender's counters in the table's order; siblings lie in columns and
 * values are JSON texts.
 *
 * @throws EdgeError `SYNC_INVALID` for what no replica has sent.
 */
export function readVersion1(kind: Frame['kind'], payload: Uint8Array): Frame {
  if (!isPlainMsgpack(payload)) {
    throw invalid('it cannot be decoded');
  }
  try {
    return read(kind, packr.unpack(payload));
  } catch (thrown) {
    throw thrown instanceof EdgeError ? thrown : invalid('it cannot be decoded');
  }
}

function read(kind: Frame['kind'], body: unknown): Frame {
  if (!Array.isArray(body)) {
    throw invalid('it cannot be decoded');
  }
  const [ids, place, counters, ...rest] = body as unknown[];
  const table = readTable(ids);
  const sender = table[integer(place, table.length - 1)];
  const context = readVector(counters, table);
  const head = { sender, context };
  switch (kind) {
    case 'delta': {
      const from = integer(rest[0], (context.get(sender) ?? 0) - 1);
      return { kind, ...head, from, entries: unpackEntries(rest[1], table, context) };
    }
    case 'vector': {
      const [strategies, hello] = rest;
      if (typeof strategies !== 'string' || strategies.length > 64 || typeof hello !== 'boolean') {
        throw invalid('its strategies are missing');
      }
      return { kind, ...head, strategies, hello };
    }
    case 'request': {
      const [target, transfer, chunks] = rest;
      if (!Array.isArray(chunks) || chunks.length > CHUNK_WINDOW) {
        throw invalid('it asks for too much');
      }
      return {
        kind,
        ...head,
        target: replica(target),
        transfer: integer(transfer, 0xffffffff),
        chunks: chunks.map((index) => integer(index, MAX_CHUNKS)),
      };
    }
    case 'reply': {
      const [target, transfer, index, count, floor, columns] = rest;
      const total = integer(count, MAX_CHUNKS);
      const frame: ReplyFrame = {
        kind,
        ...head,
        target: replica(target),
        transfer: integer(transfer, 0xffffffff),
        index: integer(index, total - 1),
        total,
        entries: unpackEntries(columns, table, context),
      };
      return floor === null ? frame : { ...frame, floor: readVector(floor, table) };
    }
    case 'farewell':
      return { kind, ...head };
  }
}

function readTable(ids: unknown): string[] {
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > MAX_REPLICAS || !ids.every(isReplicaId)) {
    throw invalid('its replicas are not named rightly');
  }
  if (new Set(ids).size !== ids.length) {
    throw invalid('it names a replica twice');
  }
  return ids;
}

function readVector(counters: unknown, table: readonly string[]): VersionVector {
  if (!Array.isArray(counters) || counters.length !== table.length) {
    throw invalid('its counters do not match its replicas');
  }
  const vector: VersionVector = new Map();
  counters.forEach((counter, index) => {
    const known = integer(counter, MAX_COUNTER);
    if (known > 0) {
      vector.set(table[index], known);
    }
  });
  return vector;
}

function replica(id: unknown): string {
  if (!isReplicaId(id)) {
    throw invalid('its target is no replica');
  }
  return id;
}

function integer(value: unknown, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
    throw invalid('a number in it is out of bounds');
  }
  return value;
}
