import { pack, unpack } from 'msgpackr';
import type { Clock, Timer } from '../shared/clock';
import { toEdgeError, type EdgeError } from '../shared/errors';
import type { StateStore, StateWrite } from '../shared/store/state-store';
import { fromDocument, toDocument, type SourceState } from './model-state';

export interface KeeperOptions {
  /** Prefix of the node's entries. */
  namespace: string;
  /** A forest is written again after so many learned rows. */
  rowsPerWrite: number;
  clock: Clock;
  /** The state of a forest now; undefined when there is none any more. */
  capture(key: string): SourceState | undefined;
  /** Storing began to fail, or works again (undefined). */
  health(error: EdgeError | undefined): void;
}

/** A forest as the keeper sees it. What the keeper notes lies in it: it is noted on every reading. */
export interface KeptForest {
  readonly key: string;
  /** Rows learned since the last write. */
  unwritten: number;
  /** Whether it waits to be written. */
  due: boolean;
}

/** Flash wears: writing takes turns, whatever the number of sources. */
const BYTES_PER_SECOND = 64 * 1024;
const CLOSING_BYTES = 1024 * 1024;
const CLOSING_MS = 10_000;
const WINDOW = 'window';
const REFERENCE = 'reference';

/**
 * Keeps the forests of a node in the state store. A forest is written some time after it has learned, in turn with the
 * others, and when the node closes; it is read when its source sends again. Detection goes on when storing fails.
 */
export class StateKeeper {
  /** Forests that lie in the store and have not been asked for since the start. */
  readonly dormant = new Set<string>();
  private readonly stored = new Set<string>();
  /** Forests that have learned since they were last written. */
  private readonly unwritten = new Map<string, KeptForest>();
  private readonly due = new Set<string>();
  /** Which reference's commissioned rows were written; they never change once they are complete. */
  private readonly references = new Map<string, string>();
  /** Forests that could not be read: they stay as they lie in the store until the next start. */
  private readonly unread = new Set<string>();
  private store: StateStore | undefined;
  private timer: Timer | undefined;
  private writing: Promise<void> = Promise.resolve();
  private busy = false;
  private failing = false;
  private closed = false;

  constructor(private readonly options: KeeperOptions) {}

  /** Opens the store and lists what lies in it. Never rejects: without a store the node works on. */
  async open(opening: Promise<StateStore>): Promise<void> {
    try {
      const store = await opening;
      const known = await store.load(this.options.namespace).catch(async (thrown: unknown) => {
        // Without the list, what lies there would be overwritten by forests that know little yet.
        await store.release();
        throw thrown;
      });
      this.store = store;
      for (const key of known.keys()) {
        this.stored.add(key);
        this.dormant.add(key);
      }
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  /**
   * Reads a dormant forest, which is dormant no longer.
   *
   * @returns undefined when it cannot be read; `health` was told
   */
  async wake(key: string): Promise<SourceState | undefined> {
    this.dormant.delete(key);
    const parts = await this.store?.load(this.place(key)).catch((thrown: unknown) => {
      this.unread.add(key);
      this.fail(thrown);
    });
    try {
      const window = parts?.get(WINDOW);
      if (!window) {
        return undefined;
      }
      const document = unpack(window) as { reference: { rows: unknown } | null };
      if (document.reference) {
        document.reference.rows = parts?.get(REFERENCE);
      }
      const state = fromDocument(document, (list) => (list instanceof Uint8Array ? list : undefined));
      this.references.set(key, signature(state));
      return state;
    } catch (thrown) {
      this.fail(thrown);
      return undefined;
    }
  }

  /** A forest has learned so many rows. */
  learned(forest: KeptForest, rows = 1): void {
    if (this.unread.size > 0 && this.unread.has(forest.key)) {
      return;
    }
    this.note(forest, rows);
    if (forest.unwritten >= this.options.rowsPerWrite && !forest.due) {
      forest.due = true;
      this.due.add(forest.key);
      this.pump();
    }
  }

  /** Another forest stands in the place of one that was stored. */
  replaced(key: string): void {
    this.dormant.delete(key);
    this.unread.delete(key);
    this.references.delete(key);
  }

  /** Forgets forests. */
  async remove(keys: Iterable<string>): Promise<void> {
    const writes: StateWrite[] = [];
    for (const key of keys) {
      this.dormant.delete(key);
      this.unread.delete(key);
      this.strike(key);
      this.due.delete(key);
      this.references.delete(key);
      if (this.stored.delete(key)) {
        writes.push(
          { namespace: this.options.namespace, key, value: null },
          { namespace: this.place(key), key: WINDOW, value: null },
          { namespace: this.place(key), key: REFERENCE, value: null },
        );
      }
    }
    // A forest that is being written would come back.
    await this.writing;
    await this.write(writes);
  }

  /** Every forest that lies in the store. */
  keys(): string[] {
    return [...this.stored];
  }

  /**
   * Writes what has changed, or with `removed` deletes everything, and lets go of the store.
   *
   * @returns how many forests could not be written in time
   */
  async close(removed: boolean): Promise<number> {
    this.closed = true;
    this.timer?.cancel();
    await this.writing;
    if (removed) {
      await this.remove(this.keys());
    } else {
      await this.writeRest();
    }
    await this.store?.release();
    return removed || !this.store ? 0 : this.unwritten.size;
  }

  private note(forest: KeptForest, rows: number): void {
    if (forest.unwritten === 0) {
      this.unwritten.set(forest.key, forest);
    }
    forest.unwritten += rows;
  }

  private strike(key: string): void {
    const forest = this.unwritten.get(key);
    if (forest) {
      forest.unwritten = 0;
      forest.due = false;
      this.unwritten.delete(key);
    }
  }

  private async writeRest(): Promise<void> {
    const { clock } = this.options;
    const deadline = clock.monotonic() + CLOSING_MS;
    let writes: StateWrite[] = [];
    let bytes = 0;
    let pending: KeptForest[] = [];
    const forests = [...this.unwritten.values()];
    for (const [index, forest] of forests.entries()) {
      const entry = this.encode(forest.key);
      writes.push(...entry.writes);
      bytes += entry.bytes;
      pending.push(forest);
      if (bytes >= CLOSING_BYTES || index === forests.length - 1) {
        const written = await this.write(writes);
        if (!written) {
          pending.forEach((failed) => this.note(failed, 1));
        }
        if (!written || clock.monotonic() > deadline) {
          return;
        }
        pending = [];
        writes = [];
        bytes = 0;
      }
    }
  }

  private pump(): void {
    if (this.busy || this.closed || !this.store || this.due.size === 0) {
      return;
    }
    const [key] = this.due;
    const forest = this.unwritten.get(key);
    this.busy = true;
    this.due.delete(key);
    const { writes, bytes } = this.encode(key);
    this.writing = this.write(writes).then((written) => {
      if (!written && forest) {
        this.note(this.unwritten.get(key) ?? forest, 1);
      }
      this.timer = this.options.clock.after((bytes / BYTES_PER_SECOND) * 1000, () => {
        this.busy = false;
        this.pump();
      });
    });
  }

  private encode(key: string): { writes: StateWrite[]; bytes: number } {
    const state = this.options.capture(key);
    this.strike(key);
    if (!state) {
      return { writes: [], bytes: 0 };
    }
    const document = toDocument(state, (list) => Buffer.from(list.buffer, list.byteOffset, list.byteLength));
    const reference = document.reference as { rows: Uint8Array } | null;
    const writes: StateWrite[] = [];
    if (this.references.get(key) !== signature(state)) {
      writes.push({ namespace: this.place(key), key: REFERENCE, value: reference?.rows ?? null });
      this.references.set(key, signature(state));
    }
    const window = pack({ ...document, reference: reference && { ...reference, rows: null } });
    writes.push(
      { namespace: this.options.namespace, key, value: Uint8Array.of(1) },
      { namespace: this.place(key), key: WINDOW, value: new Uint8Array(window) },
    );
    this.stored.add(key);
    return { writes, bytes: writes.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0) };
  }

  private async write(writes: StateWrite[]): Promise<boolean> {
    if (!this.store || writes.length === 0) {
      return true;
    }
    try {
      await this.store.write(writes);
      if (this.failing) {
        this.failing = false;
        this.options.health(undefined);
      }
      return true;
    } catch (thrown) {
      // What was taken for written may be missing.
      this.references.clear();
      this.fail(thrown);
      return false;
    }
  }

  private fail(thrown: unknown): void {
    if (!this.failing) {
      this.failing = true;
      this.options.health(toEdgeError(thrown, 'STORE'));
    }
  }

  private place(key: string): string {
    return `${this.options.namespace}/${key}`;
  }
}

function signature({ model }: SourceState): string {
  return model.reference ? `${model.epoch} ${model.reference.at} ${model.stream}` : '';
}
