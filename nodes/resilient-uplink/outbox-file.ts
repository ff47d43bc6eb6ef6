import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../shared/clock';
import { EdgeError } from '../shared/errors';
import { copyDatabase } from '../shared/store/copy-database';
import { isDamage, isMisfit, moveDatabase, nameForDamaged, openUndamaged } from '../shared/store/sqlite';
import { OutboxStore, type OutboxOptions } from './outbox';
import { isConsistent } from './outbox-check';
import { OUTBOX_MIGRATIONS } from './outbox-schema';
import { isLogLost } from './salvage/damaged-file';
import { Rescue } from './salvage/rescue';
import type { SalvageProgress } from './salvage/salvage';
import { isNearly, SequenceNote, syncFolder, writeSynced, type NoteState } from './sequence-note';
import type { StoreLoss } from './store-loss';

export interface OpenOutbox {
  store: OutboxStore;
  database: DatabaseSync;
  loss?: StoreLoss;
}

/**
 * The outbox's files: the database, the note beside it, and what becomes of them when they are damaged. A damaged
 * database is set aside, and what can be read of it is put into a new one, which takes its place when it is complete. A
 * marker file says that this is under way, so that a crash at any point only means that it begins again. Blocks.
 */
export class OutboxFile {
  private readonly note: SequenceNote;
  private readonly marker: string;
  private rescue: Rescue | undefined;
  private rescued: StoreLoss | undefined;
  private current: OpenOutbox | undefined;

  constructor(
    private readonly path: string,
    private readonly clock: Pick<Clock, 'now' | 'monotonic'>,
    private readonly options: OutboxOptions = {},
  ) {
    this.note = new SequenceNote(path, clock);
    this.marker = `${path}.salvaging`;
  }

  /**
   * Opens the outbox, or makes a new one; while a damaged one is being salvaged it gives the progress instead, and must be
   * called again.
   *
   * @throws EdgeError `STORE` when the file is in use or the disk refuses
   */
  open(): OpenOutbox | SalvageProgress {
    if (!this.rescue) {
      this.resume();
    }
    if (this.rescue) {
      const { rescue } = this;
      this.rescue = undefined;
      const progress = rescue.step();
      if (progress) {
        this.rescue = rescue;
        return progress;
      }
      this.rescued = rescue.loss;
      rmSync(this.marker, { force: true });
    }
    return this.openFile();
  }

  /** Closes a file that turned out to be damaged and sets it aside, for the next `open` to salvage; gives its new name. */
  setAside(): string {
    this.current?.database.close();
    this.current = undefined;
    const file = nameForDamaged(this.path);
    writeSynced(this.marker, basename(file));
    if (!existsSync(this.path)) {
      // Only its log is left.
      writeFileSync(this.path, '');
    }
    moveDatabase(this.path, file);
    syncFolder(file);
    return file;
  }

  /** Copies the open database as it is at one moment; the note beside it is made anew where the copy is opened. */
  copyTo(path: string): Promise<void> {
    if (!this.current) {
      throw new EdgeError('STORE', 'The outbox is not open.');
    }
    return copyDatabase(this.current.database, path);
  }

  /** Closes a file of which nobody knows what is on the disk, as it is; the log stays and is read by the next `open`. */
  drop(): void {
    try {
      this.current?.database.close();
    } catch {
      // The disk still refuses.
    }
    this.current = undefined;
  }

  /** Writes all of the log into the database, synced. */
  checkpoint(): void {
    this.current?.database.exec('PRAGMA wal_checkpoint(RESTART)');
  }

  /** Call before new sequences are given. */
  reserve(count: number): void {
    if (this.current) {
      const state = stateOf(this.current.store);
      this.note.reserve(state, state.sequence + count);
    }
  }

  /** Remembers how far the store has come; call now and then. */
  remember(): void {
    if (this.current) {
      this.note.keep(stateOf(this.current.store));
    }
  }

  close(): void {
    this.abandon();
    if (this.current) {
      const { store, database } = this.current;
      store.finish();
      this.note.finish(stateOf(store));
      database.close();
      this.current = undefined;
    }
  }

  /** Ends a salvage in the middle; the next `open`, of whatever process, begins it again. */
  abandon(): void {
    this.rescue?.close();
    this.rescue = undefined;
  }

  /** Goes on with a salvage that was begun, by this process or one before it. */
  private resume(): void {
    if (!existsSync(this.marker)) {
      return;
    }
    const file = join(dirname(this.path), basename(readFileSync(this.marker, 'utf8')));
    if (existsSync(this.path) && !existsSync(file)) {
      moveDatabase(this.path, file);
    }
    if (existsSync(file) && !existsSync(this.path)) {
      this.rescue = new Rescue(this.path, file, this.note.read());
    } else {
      rmSync(this.marker, { force: true });
    }
  }

  private openFile(): OpenOutbox | SalvageProgress {
    const existed = (statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) > 0;
    const log = this.keepLog();
    try {
      this.current = this.openDatabase(log === undefined);
    } catch (thrown) {
      if ((!isDamage(thrown) && !isMisfit(thrown)) || this.rescued) {
        rmSync(log ?? '', { force: true });
        throw thrown;
      }
    }
    if (!this.current) {
      // SQLite has thrown its log away.
      if (log !== undefined) {
        renameSync(log, `${this.path}-wal`);
      }
      this.setAside();
      return this.open();
    }
    const loss = this.rescued ?? this.missing(this.current.store, existed);
    this.rescued = undefined;
    this.note.keep(stateOf(this.current.store));
    return loss ? { ...this.current, loss } : this.current;
  }

  /** @returns undefined when the file is damaged */
  private openDatabase(logIsWhole: boolean): OpenOutbox | undefined {
    const database = openUndamaged(this.path, OUTBOX_MIGRATIONS);
    try {
      // What was just rebuilt is what there is.
      if (this.rescued || (logIsWhole && isConsistent(database))) {
        this.mendIdentity(database);
        return { store: new OutboxStore(database, this.clock, this.options), database };
      }
    } catch (thrown) {
      database.close();
      throw thrown;
    }
    database.close();
    return undefined;
  }

  /**
   * Keeps a copy of a log that SQLite would lose commits of. Only a copy, for another process may be writing it, which the
   * lock will tell.
   */
  private keepLog(): string | undefined {
    if (this.rescued || !isLogLost(this.path)) {
      return undefined;
    }
    const copy = `${this.path}.log`;
    copyFileSync(`${this.path}-wal`, copy);
    return copy;
  }

  /** Flipped bits in the store's identity would change the id of every message. */
  private mendIdentity(database: DatabaseSync): void {
    const remembered = this.note.read();
    const stored = database.prepare('SELECT uuid FROM store').get() as { uuid: string } | undefined;
    if (remembered && stored && stored.uuid !== remembered.uuid && isNearly(stored.uuid, remembered.uuid)) {
      database.prepare('UPDATE store SET uuid = ?').run(remembered.uuid);
    }
  }

  /** Compares a store with what was remembered of it; never are sequences given again that it may have given before. */
  private missing(store: OutboxStore, existed: boolean): StoreLoss | undefined {
    const remembered = this.note.read();
    if (!remembered) {
      return undefined;
    }
    if (remembered.uuid !== store.uuid) {
      const { uuid, sequence, messages: count } = remembered;
      return { cause: existed ? 'replaced' : 'removed', count, store: uuid, sequence };
    }
    const last = store.lastSequence();
    if (last >= remembered.sequence) {
      return undefined;
    }
    store.skip(remembered);
    return { cause: 'restored', count: remembered.sequence - last };
  }
}

function stateOf(store: OutboxStore): NoteState {
  return { uuid: store.uuid, sequence: store.lastSequence(), messages: store.usage().messages };
}
