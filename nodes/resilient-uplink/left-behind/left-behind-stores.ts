import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../shared/clock';
import { EdgeError, toEdgeError } from '../../shared/errors';
import type { LeftBehind } from '../../shared/left-behind';
import { WorkerClient } from '../../shared/worker/worker-client';
import { OUTBOX_FILE, outboxesIn, parseStoreFolder } from './store-folder';
import type { ExportPage, ExportPosition, Look } from './store-look';

export type LeftBehindMethods = {
  look(path: string): Look | undefined;
  exportPage(request: { path: string; position: ExportPosition }): ExportPage;
  claim(request: { path: string; adopter: string }): string;
  setAside(path: string): string;
};

/** What an uplink needs to deliver from stores that others have left. */
export interface AdoptableStores {
  /** The store with an identity or a file; rejects with `NOT_FOUND`. */
  find(wanted: string): Promise<LeftBehind>;
  /**
   * Makes a store the adopter's, durably, and gives its new path.
   *
   * @throws EdgeError `NOT_FOUND`, or `STORE` when somebody uses it or the disk refuses; by rejection
   */
  claim(wanted: string, adopter: string): Promise<LeftBehind>;
  /** The stores that a node has adopted and not emptied yet. */
  claimedBy(adopter: string): Promise<string[]>;
  /** Ends an adoption: the closed store is made as small as it can be, and nobody's. */
  setAside(path: string): Promise<void>;
}

export interface LeftBehindTools {
  clock: Pick<Clock, 'monotonic'>;
  /** Data folders to look in. */
  folders(): Promise<string[]>;
  /** Whether a node that is there owns what lies in a folder of a data folder. */
  isOwned(dataDir: string, folder: string): boolean;
}

/** How long a list is good. */
const FRESH_MS = 10_000;
/** More stores than anybody would look at. */
const MOST = 200;

/**
 * The outboxes that no node of this process owns, nor any other process. Folders are listed on the main thread, without
 * waiting; a database is opened in a thread, and again only when its files have changed.
 */
export class LeftBehindStores implements AdoptableStores {
  private cached: { at: number; stores: Promise<LeftBehind[]> } | undefined;
  private readonly looks = new Map<string, { signature: string; look: Look }>();
  private worker: WorkerClient<LeftBehindMethods> | undefined;
  private users = 0;

  constructor(private readonly tools: LeftBehindTools) {}

  /** Every store that was left behind and holds anything; at most 10 s old. */
  list(): Promise<LeftBehind[]> {
    const now = this.tools.clock.monotonic();
    if (!this.cached || now - this.cached.at > FRESH_MS) {
      const stores = this.look();
      this.cached = { at: now, stores };
      stores.catch(() => this.changed());
    }
    return this.cached.stores;
  }

  /** Call when a node came, went or changed. */
  changed(): void {
    this.cached = undefined;
  }

  /**
   * The store with an identity or a file.
   *
   * @throws EdgeError `NOT_FOUND`, by rejection
   */
  async find(wanted: string): Promise<LeftBehind> {
    this.changed();
    const found = (await this.list()).filter(({ store, file }) => store === wanted || file === wanted);
    if (found.length > 1) {
      throw new EdgeError(
        'NOT_FOUND',
        `${found.length} files hold the store "${wanted}", as copies do. Name one of them: ${found.map(({ file }) => file).join(', ')}.`,
      );
    }
    const [store] = found as (LeftBehind | undefined)[];
    if (!store) {
      throw new EdgeError(
        'NOT_FOUND',
        `No store "${wanted.slice(0, 200)}" was left behind. GET /edge/uplink-stores lists those that were.`,
      );
    }
    return store;
  }

  async claim(wanted: string, adopter: string): Promise<LeftBehind> {
    const store = await this.find(wanted);
    const path = await this.working((worker) => worker.call('claim', { path: store.file, adopter }));
    this.changed();
    return { ...store, file: path };
  }

  async claimedBy(adopter: string): Promise<string[]> {
    const found: string[] = [];
    for (const dataDir of await this.tools.folders()) {
      for (const folder of await foldersIn(outboxesIn(dataDir))) {
        if (parseStoreFolder(folder).adopter === adopter) {
          found.push(join(outboxesIn(dataDir), folder, OUTBOX_FILE));
        }
      }
    }
    return found;
  }

  async setAside(path: string): Promise<void> {
    await this.working((worker) => worker.call('setAside', path));
    this.changed();
  }

  exportPage(path: string, position: ExportPosition): Promise<ExportPage> {
    return this.working((worker) => worker.call('exportPage', { path, position }));
  }

  private async look(): Promise<LeftBehind[]> {
    const stores: LeftBehind[] = [];
    const seen = new Set<string>();
    for (const dataDir of await this.tools.folders()) {
      for (const folder of await foldersIn(outboxesIn(dataDir))) {
        const file = join(outboxesIn(dataDir), folder, OUTBOX_FILE);
        if (this.tools.isOwned(dataDir, folder) || stores.length >= MOST) {
          continue;
        }
        seen.add(file);
        const store = await this.lookAt(file);
        if (store && (store.messages > 0 || store.deadLetters > 0 || store.problem !== undefined)) {
          stores.push(store);
        }
      }
    }
    for (const file of this.looks.keys()) {
      if (!seen.has(file)) {
        this.looks.delete(file);
      }
    }
    return stores;
  }

  private async lookAt(file: string): Promise<LeftBehind | undefined> {
    const { node } = parseStoreFolder(basename(dirname(file)));
    const signature = await signatureOf(file);
    if (signature === undefined) {
      return undefined;
    }
    const known = this.looks.get(file);
    if (known?.signature === signature) {
      return { file, node, ...known.look };
    }
    try {
      const look = await this.working((worker) => worker.call('look', file));
      if (!look) {
        // Another process delivers from it.
        return undefined;
      }
      this.looks.set(file, { signature, look });
      return { file, node, ...look };
    } catch (thrown) {
      const nothing = { store: '', messages: 0, bytes: 0, deadLetters: 0, oldestMs: null };
      return { file, node, ...nothing, problem: toEdgeError(thrown).message };
    }
  }

  /** The thread lives while anybody works with it. */
  private async working<T>(work: (worker: WorkerClient<LeftBehindMethods>) => Promise<T>): Promise<T> {
    this.worker ??= new WorkerClient<LeftBehindMethods>(join(__dirname, 'left-behind-worker.js'), {
      name: 'edge-uplink-left-behind',
    });
    const { worker } = this;
    this.users++;
    try {
      return await work(worker);
    } catch (thrown) {
      throw toEdgeError(thrown, 'STORE');
    } finally {
      this.users--;
      if (this.users === 0) {
        this.worker = undefined;
        void worker.close();
      }
    }
  }
}

async function foldersIn(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    // Nothing was ever stored there, or the disk is not there now.
    return [];
  }
}

/** Changes when the database does; undefined where there is none. Never opens it: see `lookInto`. */
async function signatureOf(file: string): Promise<string | undefined> {
  try {
    const { mtimeMs, size } = await stat(file);
    const log = await stat(`${file}-wal`).catch(() => undefined);
    return `${mtimeMs} ${size} ${log?.mtimeMs ?? 0} ${log?.size ?? 0}`;
  } catch {
    return undefined;
  }
}
