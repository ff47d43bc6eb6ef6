import { EdgeError } from '../shared/errors';
import { readDelta, writeDelta } from './delta-code';
import {
  CHUNK_WINDOW,
  invalidFrame as invalid,
  MAX_CHUNKS,
  MAX_SESSION,
  type Frame,
  type ReplyFrame,
  type ShortFrame,
  type VectorFrame,
} from './frame';
import { isReplicaId, MAX_ID_BYTES } from './limits';
import { readReplicas, writeReplicas } from './replica-list';
import { readState, writeState } from './state-code';
import type { VersionVector } from './version-vector';
import { ByteReader, type ByteWriter } from './wire-bytes';

const MAX_STRATEGIES_BYTES = 64;
const MAX_TRANSFER = 0xffffffff;

/**
 * Writes a frame behind version and kind: the sender, then by kind. Numbers are of seven bits a byte, names that the
 * receiver must know may be 32 bits of their hash.
 */
export function writeVersion2(writer: ByteWriter, frame: Frame): void {
  writer.text(frame.sender);
  switch (frame.kind) {
    case 'delta':
      writeDelta(writer, frame);
      break;
    case 'vector':
      writer.text(frame.strategies);
      writer.byte(frame.hello ? 1 : 0);
      writeReplicas(writer, frame.context, frame.short);
      if (frame.session !== undefined) {
        writer.count(frame.session);
      }
      break;
    case 'request':
      writer.text(frame.target);
      writer.count(frame.transfer);
      writer.count(frame.chunks.length);
      frame.chunks.forEach((index) => writer.count(index));
      writeReplicas(writer, frame.context);
      break;
    case 'reply':
      writer.text(frame.target);
      [frame.transfer, frame.index, frame.total].forEach((number) => writer.count(number));
      writeReplicas(writer, frame.context);
      writer.byte(frame.floor ? 1 : 0);
      if (frame.floor) {
        writeReplicas(writer, frame.floor);
      }
      writeState(writer, frame.entries, frame.context);
      break;
    case 'farewell':
      writeReplicas(writer, frame.context);
      break;
  }
}

/**
 * Reads what anyone may have written.
 *
 * @throws EdgeError `SYNC_INVALID` for what no replica sends.
 */
export function readVersion2(
  kind: Frame['kind'],
  payload: Uint8Array,
  knownIds: Map<string, string>,
): Frame | ShortFrame {
  const reader = new ByteReader(
    Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    knownIds,
  );
  try {
    const frame = read(kind, reader);
    if (reader.rest > 0) {
      throw invalid('it is too long');
    }
    return frame;
  } catch (thrown) {
    throw thrown instanceof EdgeError ? thrown : invalid('it cannot be decoded');
  }
}

function read(kind: Frame['kind'], reader: ByteReader): Frame | ShortFrame {
  const sender = replica(reader);
  switch (kind) {
    case 'delta':
      return readDelta(reader, sender);
    case 'vector': {
      const strategies = reader.text(MAX_STRATEGIES_BYTES);
      const hello = reader.byte() === 1;
      const list = readReplicas(reader);
      const context = list.long();
      if (!list.isShort) {
        const frame: VectorFrame = { kind, sender, context, strategies, hello };
        return hello && reader.rest > 0 ? { ...frame, session: reader.count(MAX_SESSION) } : frame;
      }
      return {
        kind: 'short',
        sender,
        context,
        bytes: 0,
        expand: (names) => ({ kind, sender, context: list.known(names), strategies, hello }),
      };
    }
    case 'request': {
      const target = replica(reader);
      const transfer = reader.count(MAX_TRANSFER);
      const chunks = Array.from({ length: reader.count(CHUNK_WINDOW) }, () => reader.count(MAX_CHUNKS));
      return { kind, sender, context: vector(reader), target, transfer, chunks };
    }
    case 'reply': {
      const target = replica(reader);
      const transfer = reader.count(MAX_TRANSFER);
      const index = reader.count(MAX_CHUNKS);
      const total = reader.count(MAX_CHUNKS);
      if (index >= total) {
        throw invalid('a number in it is out of bounds');
      }
      const context = vector(reader);
      const floor = reader.byte() === 1 ? vector(reader) : undefined;
      const entries = readState(reader, context);
      const frame: ReplyFrame = { kind, sender, context, target, transfer, index, total, entries };
      return floor ? { ...frame, floor } : frame;
    }
    case 'farewell':
      return { kind, sender, context: vector(reader) };
  }
}

function vector(reader: ByteReader): VersionVector {
  const list = readReplicas(reader);
  if (list.isShort) {
    throw invalid('it names replicas shortly');
  }
  return list.long();
}

function replica(reader: ByteReader): string {
  const id = reader.knownText(MAX_ID_BYTES);
  if (!isReplicaId(id)) {
    throw invalid('its replicas are not named rightly');
  }
  return id;
}
