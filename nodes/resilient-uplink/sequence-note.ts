import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
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

/** How far ahead sequences are reserved, so that a burst does not sync the note for every commit. */
const RESERVE = 10_000;
/** How often the note is synced to disk at most. */
const PACE_MS = 2000;
/** The note is written to two places in turn, so that one of them is whole whenever the power goes. */
const SLOTS = 2;
const SLOT_BYTES = 512;

export type NoteState = Omit<Remembered, 'reserved'>;

/**
 * A small file beside the database that remembers whose it is and how far it had come: what tells that a database was
 * removed, emptied or put back from a backup. It is written with every commit, which a kill survives, and synced at a
 * bounded pace. Blocks, so it lives in the worker thread. Where it cannot be written the outbox works on without it.
 */
export class SequenceNote {
  private readonly path: string;
  private file: number | undefined;
  private revision = 0;
  private written: Remembered | undefined;
  private syncedReserve = -1;
  private syncedAt = -Infinity;

  constructor(
    database: string,
    private readonly clock: Pick<Clock, 'monotonic'>,
  ) {
    this.path = `${database}.sequence`;
  }

  /** What was remembered last; undefined when nothing was or it is damaged itself. */
  read(): Remembered | undefined {
    let newest: (Remembered & { revision: number }) | undefined;
    try {
      const bytes = readFileSync(this.path);
      for (let slot = 0; slot < SLOTS; slot++) {
        const note = parseSlot(bytes.toString('utf8', slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES));
        newest = note && note.revision > (newest?.revision ?? -1) ? note : newest;
      }
    } catch {
      // Nobody has written one yet.
    }
    this.revision = Math.max(this.revision, newest?.revision ?? 0);
    return newest;
  }

  /** Call before a commit that gives sequences up to `upTo`. */
  reserve(state: NoteState, upTo: number): void {
    if (this.written?.uuid !== state.uuid || upTo > this.syncedReserve) {
      this.write({ ...state, reserved: upTo + RESERVE }, true);
    }
  }

  /** Brings the note up to date. */
  keep(state: NoteState): void {
    const { written } = this;
    const isKnown = written?.uuid === state.uuid;
    if (isKnown && written.sequence === state.sequence && written.messages === state.messages) {
      return;
    }
    const reserved = isKnown ? Math.max(written.reserved, state.sequence) : state.sequence;
    this.write({ ...state, reserved }, this.clock.monotonic() - this.syncedAt >= PACE_MS);
  }

  /** Writes the last word of a store that is about to be closed. */
  finish(state: NoteState): void {
    this.write({ ...state, reserved: state.sequence }, true);
    if (this.file !== undefined) {
      closeSync(this.file);
      this.file = undefined;
    }
  }

  private write(note: Remembered, sync: boolean): void {
    try {
      this.file ??= openSync(this.path, existsSync(this.path) ? 'r+' : 'w+');
      const text = textOf({ ...note, revision: ++this.revision });
      writeSync(this.file, text.padEnd(SLOT_BYTES), (this.revision % SLOTS) * SLOT_BYTES);
      this.written = note;
      if (sync) {
        this.syncedAt = this.clock.monotonic();
        fsyncSync(this.file);
        this.syncedReserve = note.reserved;
      }
    } catch {
      // The database says it all; the note is a second witness.
    }
  }
}

function textOf(note: Remembered & { revision: number }): string {
  return JSON.stringify({ ...note, checksum: checksumOf(note) });
}

function parseSlot(text: string): (Remembered & { revision: number }) | undefined {
  try {
    const { checksum, ...note } = JSON.parse(text) as Remembered & { revision: number; checksum: number };
    return checksum === checksumOf(note) ? note : undefined;
  } catch {
    return undefined;
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

function checksumOf({
  uuid,
  sequence,
  reserved,
  messages,
  revision,
}: Remembered & { revision: number }): number {
  return crc32(`${uuid} ${sequence} ${reserved} ${messages} ${revision}`);
}
