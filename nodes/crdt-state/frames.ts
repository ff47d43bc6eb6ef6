import { createHmac, timingSafeEqual } from 'node:crypto';
import { Packr } from 'msgpackr';
import { EdgeError } from '../shared/errors';
import { packEntries, unpackEntries } from './columns';
import { isReplicaId, MAX_COUNTER, MAX_FRAME_BYTES, MAX_REPLICAS } from './limits';
import { isPlainMsgpack } from './msgpack-shape';
import type { CatchUp, Delta } from './replica';
import type { VersionVector } from './version-vector';

/** What every frame says: who sent it and what that replica knew. */
interface FrameHead {
  sender: string;
  context: VersionVector;
}

/** Writes, pushed as they happen. */
export type DeltaFrame = FrameHead & { kind: 'delta' } & Pick<Delta, 'from' | 'entries'>;

/** What a replica knows, told from time to time; it acknowledges writes and shows what is missing. */
export type VectorFrame = FrameHead & {
  kind: 'vector';
  /** Hash of strategy and rules. */
  strategies: string;
  /** Asks the others to tell theirs at once. */
  hello: boolean;
};

/** Asks one replica for what it knows above the context. */
export type RequestFrame = FrameHead & {
  kind: 'request';
  target: string;
  /** The transfer that `chunks` belong to; 0 asks for a new one. */
  transfer: number;
  chunks: number[];
};

/** One chunk of what was asked for; the chunks of a transfer count only together. */
export type ReplyFrame = FrameHead & {
  kind: 'reply';
  target: string;
  transfer: number;
  index: number;
  total: number;
} & Pick<CatchUp, 'floor' | 'entries'>;

/** A replica has gone; also sent by the broker as its last will. */
export type FarewellFrame = FrameHead & { kind: 'farewell' };

export type Frame = DeltaFrame | VectorFrame | RequestFrame | ReplyFrame | FarewellFrame;

/** Most chunks in one transfer, and most asked for at once. */
export const MAX_CHUNKS = 65_536;
export const CHUNK_WINDOW = 4;

const VERSION = 1;
const AUTHENTICATED = 0x80;
const TAG_BYTES = 32;
const KINDS = ['delta', 'vector', 'request', 'reply', 'farewell'] as const;

/**
 * Frames as bytes: version, kind (its top bit set when a tag follows), one MessagePack array, and with a key the
 * HMAC-SHA-256 of space and all bytes before it. The array begins with a table of replica ids, the sender's place in
 * it and the sender's counters in the table's order; siblings lie in columns and values are JSON texts.
 */
export class FrameCodec {
  private readonly packr = new Packr({ useRecords: false, mapsAsObjects: true });

  /** @param spaceKey empty = frames are not authenticated. */
  constructor(
    private readonly space: string,
    private readonly spaceKey: string,
  ) {}

  encode(frame: Frame): Buffer {
    const table = [...new Set([frame.sender, ...frame.context.keys()])];
    const place = new Map(table.map((id, index) => [id, index]));
    const body = [table, 0, countersOf(table, frame.context), ...bodyOf(frame, table, place)];
    const payload = this.packr.pack(body);
    const kind = KINDS.indexOf(frame.kind) | (this.spaceKey ? AUTHENTICATED : 0);
    const bytes = Buffer.concat([Buffer.from([VERSION, kind]), payload]);
    return this.spaceKey ? Buffer.concat([bytes, this.tag(bytes)]) : bytes;
  }

  /**
   * Reads a frame that anyone may have written.
   *
   * @throws EdgeError `SYNC_VERSION` for another version's, `SYNC_AUTH` for one without the space's key,
   * `SYNC_INVALID` for anything else that no replica sends.
   */
  decode(bytes: Uint8Array): Frame {
    if (bytes.length < 3 || bytes.length > MAX_FRAME_BYTES) {
      throw invalid(`${bytes.length} bytes are no frame`);
    }
    if (bytes[0] !== VERSION) {
      throw new EdgeError(
        'SYNC_VERSION',
        `A frame of version ${bytes[0]} arrived; this node reads version ${VERSION}. Update the package on all gateways.`,
        { version: bytes[0] },
      );
    }
    const payload = this.authenticated(bytes);
    const kind = KINDS.at(bytes[1] & ~AUTHENTICATED);
    if (!kind || !isPlainMsgpack(payload)) {
      throw invalid('it cannot be decoded');
    }
    try {
      return read(kind, this.packr.unpack(payload));
    } catch (thrown) {
      throw thrown instanceof EdgeError ? thrown : invalid('it cannot be decoded');
    }
  }

  private authenticated(bytes: Uint8Array): Uint8Array {
    const tagged = (bytes[1] & AUTHENTICATED) !== 0;
    if (!this.spaceKey) {
      if (tagged) {
        throw unauthenticated('is protected by a key, which this node does not have. Fill in "spaceKey"');
      }
      return bytes.subarray(2);
    }
    const end = bytes.length - TAG_BYTES;
    if (!tagged || end < 3 || !timingSafeEqual(this.tag(bytes.subarray(0, end)), bytes.subarray(end))) {
      throw unauthenticated('does not carry this space\'s key. Give all its gateways the same "spaceKey"');
    }
    return bytes.subarray(2, end);
  }

  private tag(bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.spaceKey).update(this.space).update('\0').update(bytes).digest();
  }
}

function bodyOf(frame: Frame, table: readonly string[], place: ReadonlyMap<string, number>): unknown[] {
  switch (frame.kind) {
    case 'delta':
      return [frame.from, packEntries(frame.entries, place)];
    case 'vector':
      return [frame.strategies, frame.hello];
    case 'request':
      return [frame.target, frame.transfer, frame.chunks];
    case 'reply':
      return [
        frame.target,
        frame.transfer,
        frame.index,
        frame.total,
        frame.floor ? countersOf(table, frame.floor) : null,
        packEntries(frame.entries, place),
      ];
    case 'farewell':
      return [];
  }
}

function countersOf(table: readonly string[], vector: ReadonlyMap<string, number>): number[] {
  return table.map((id) => vector.get(id) ?? 0);
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

function invalid(problem: string): EdgeError {
  return new EdgeError(
    'SYNC_INVALID',
    `A frame was refused: ${problem}. Check what is wired to the input, or who else publishes to this topic.`,
  );
}

function unauthenticated(problem: string): EdgeError {
  return new EdgeError('SYNC_AUTH', `A frame was refused: it ${problem}.`);
}
