import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock } from '../shared/clock';

/** What is remembered of a store beside its database. */
export interface Remembered {
  uuid: string;
  /** A sequence that was given, and all before it. */
  sequence: number;
  /** None above it was given. */
  reserved: number;
  /** Messages that were stored then. */
  messages: number;
}

/** How far ahead sequences are reserved, so that a burst does not write the note for every commit. */
const RESERVE = 100_000;
/** How often the note is brought up to date at most: it costs a sync of its own. */
const PACE_MS = 2000;

/**
 * A small file beside the database that remembers whose it is and how far it had come: what tells that a database was
 * removed, emptied or put back from a backup. Blocks, so it lives in the worker thread. Where it cannot be written the
 * outbox works on without it.
 */
export class SequenceNote {
  private readonly path: string;
  private written: Remembered | undefined;
  private writtenAt = -Infinity;

  constructor(
    database: string,
    private readonly clock: Pick<Clock, 'monotonic'>,
  ) {
    this.path = `${database}.sequence`;
  }

  /** What was remembered last; undefined when nothing was or it is damaged itself. */
  read(): Remembered | undefined {
    try {
      const { checksum, ...note } = JSON.parse(readFileSync(this.path, 'utf8')) as Remembered & {
        checksum: number;
      };
      return checksum === checksumOf(note) ? note : undefined;
    } catch {
      return undefined;
    }
  }

  /** Call before a commit that gives sequences up to `upTo`. */
  reserve(state: Omit<Remembered, 'reserved'>, upTo: number): void {
    if (this.written?.uuid !== state.uuid || upTo > this.written.reserved) {
      this.write({ ...state, reserved: upTo + RESERVE });
    }
  }

  /** Brings the note up to date, at a bounded pace. */
  keep(state: Omit<Remembered, 'reserved'>): void {
    const { written } = this;
    const changed =
      written?.uuid !== state.uuid ||
      written.sequence !== state.sequence ||
      written.messages !== state.messages;
    if (changed && this.clock.monotonic() - this.writtenAt >= PACE_MS) {
      const reserved =
        written?.uuid === state.uuid ? Math.max(written.reserved, state.sequence) : state.sequence;
      this.write({ ...state, reserved });
    }
  }

  /** Writes the last word of a store that is about to be closed. */
  finish(state: Omit<Remembered, 'reserved'>): void {
    this.write({ ...state, reserved: state.sequence });
  }

  private write(note: Remembered): void {
    this.writtenAt = this.clock.monotonic();
    try {
      writeSynced(this.path, JSON.stringify({ ...note, checksum: checksumOf(note) }));
      this.written = note;
    } catch {
      // The database says it all; the note is a second witness.
    }
  }
}

/** Replaces a small file as a whole, synced to disk. Blocks. */
export function writeSynced(path: string, text: string): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w');
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(path);
}

/** Makes a rename in the folder of a file last over a power cut, where the system can. */
export function syncFolder(path: string): void {
  try {
    const folder = openSync(dirname(path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // Windows opens no folders.
  }
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/** Whether two identities differ by a few flipped bits only: two stores never come as close. */
export function isNearly(one: string, other: string): boolean {
  const length = Math.max(one.length, other.length);
  let different = 0;
  for (let at = 0; at < length; at++) {
    different += one[at] === other[at] ? 0 : 1;
  }
  return different <= 4;
}

function checksumOf({ uuid, sequence, reserved, messages }: Remembered): number {
  return crc32(`${uuid} ${sequence} ${reserved} ${messages}`);
}
