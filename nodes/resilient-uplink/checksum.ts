import { crc32 } from 'node:zlib';

/** What a checksum of a stored message covers: all that never changes while it is stored. */
export interface Covered {
  sequence: number;
  /** Index into `PRIORITIES`. */
  priority: number;
  topic: string;
  kind: string;
  stored_ms: number;
  stored_age_ms: number;
  ttl_ms: number;
  body: Uint8Array;
}

/** Marks the form that covers everything: the checksums of earlier versions are below it. */
const FULL_FORM = 2 ** 32;

/** What tells whether the medium has changed or moved a stored message. */
export function checksumOf(row: Covered): number {
  const { sequence, priority, stored_ms: ms, stored_age_ms: age, ttl_ms: ttl, kind, topic, body } = row;
  return FULL_FORM + crc32(body, crc32(`${sequence} ${priority} ${ms} ${age} ${ttl} ${kind} ${topic}`));
}

/** Whether a row is as it was stored, as far as the form of its checksum tells. */
export function isIntact(row: Covered & { checksum: number }): boolean {
  const { kind, topic, body, checksum } = row;
  // A flipped bit can make another type of a column.
  if (typeof topic !== 'string' || !(body instanceof Uint8Array)) {
    return false;
  }
  return checksum === (coversAll(row) ? checksumOf(row) : crc32(body, crc32(`${kind} ${topic}`)));
}

/** Whether a row's checksum covers more than topic, kind and body, which is all that earlier versions did. */
export function coversAll({ checksum }: { checksum: number }): boolean {
  return checksum >= FULL_FORM;
}
