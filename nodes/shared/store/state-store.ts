import { join } from 'node:path';
import { offerForBackup } from '../backups';
import { EdgeError, toEdgeError } from '../errors';
import { WorkerClient } from '../worker/worker-client';
import { originOf } from './file-origin';

/** One entry to write; without a value it is deleted. */
export interface StateWrite {
  namespace: string;
  key: string;
  value: Uint8Array | null;
}

export type StateStoreMethods = {
  opened(argument: null): { setAside?: string };
  load(namespace: string): { key: string; value: Uint8Array }[];
  write(writes: StateWrite[]): void;
  copyTo(path: string): Promise<void>;
  close(argument: null): void;
};

/** A durable map of named entries, shared by the nodes of one data folder. */
export interface StateStore {
  /** Every entry of a namespace. */
  load(namespace: string): Promise<Map<string, Uint8Array>>;
  /**
   * Writes entries; resolves once they are synced to disk. All entries of one call are written or none. Calls that
   * arrive while a write is under way share the next one.
   */
  write(writes: StateWrite[]): Promise<void>;
  /** Where a damaged store was set aside when this one was opened. */
  setAside(): Promise<string | undefined>;
  /** What tells its file from a copy, where that can be known; see {@link originOf}. */
  origin(): Promise<string | undefined>;
  /** Lets go of the store; the last user closes it. */
  release(): Promise<void>;
}

class SharedStore {
  users = 0;
  private readonly worker: WorkerClient<StateStoreMethods>;
  private queue: { writes: StateWrite[]; resolve: () => void; reject: (error: EdgeError) => void }[] = [];
  private writing = false;
  private readonly withdraw: () => void;

  constructor(path: string) {
    this.worker = new WorkerClient<StateStoreMethods>(join(__dirname, 'state-store-worker.js'), {
      name: 'edge-state-store',
      data: { path },
    });
    this.withdraw = offerForBackup({
      path,
      copyTo: (copy) => this.guarded(this.worker.call('copyTo', copy)),
    });
  }

  async load(namespace: string): Promise<Map<string, Uint8Array>> {
    const rows = await this.guarded(this.worker.call('load', namespace));
    return new Map(rows.map(({ key, value }) => [key, value]));
  }

  write(writes: StateWrite[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.queue.push({ writes, resolve, reject });
      this.pump();
    });
  }

  async setAside(): Promise<string | undefined> {
    return (await this.guarded(this.worker.call('opened', null))).setAside;
  }

  async close(): Promise<void> {
    this.withdraw();
    try {
      await this.worker.call('close', null);
    } catch {
      // The thread is gone already, and with it its lock.
    }
    await this.worker.close();
  }

  private pump(): void {
    if (this.writing || this.queue.length === 0) {
      return;
    }
    const group = this.queue;
    this.queue = [];
    this.writing = true;
    this.guarded(
      this.worker.call(
        'write',
        group.flatMap(({ writes }) => writes),
      ),
    ).then(
      () => this.settle(() => group.forEach(({ resolve }) => resolve())),
      (thrown: unknown) =>
        this.settle(() => group.forEach(({ reject }) => reject(toEdgeError(thrown, 'STORE')))),
    );
  }

  private settle(answer: () => void): void {
    this.writing = false;
    answer();
    this.pump();
  }

  private async guarded<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (thrown) {
      const { code, message, details } = toEdgeError(thrown);
      throw code === 'STORE' ? thrown : new EdgeError('STORE', `The state store: ${message}`, details);
    }
  }
}

const shared = new Map<string, SharedStore>();
const closing = new Map<string, Promise<void>>();

/** Opens the state store of a data folder, `<dataDir>/state.db`; users of the same folder share it. */
export async function openStateStore(dataDir: string): Promise<StateStore> {
  const path = join(dataDir, 'state.db');
  // A redeploy may open the file while the last user is still closing it.
  await closing.get(path);
  const store = shared.get(path) ?? new SharedStore(path);
  shared.set(path, store);
  store.users++;
  let released = false;
  return {
    load: (namespace) => store.load(namespace),
    write: (writes) => store.write(writes),
    setAside: () => store.setAside(),
    origin: () => originOf(path),
    release: async () => {
      if (released) {
        return;
      }
      released = true;
      store.users--;
      if (store.users === 0) {
        shared.delete(path);
        const done = store.close().finally(() => closing.delete(path));
        closing.set(path, done);
        await done;
      }
    },
  };
}
