import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Contestant } from './contestant';

const PINNED = ['yjs@13.6.33', 'loro-crdt@1.17.1', '@automerge/automerge@3.5.0', 'tinybase@10.0.1'];

/** Puts the peers into a folder outside the project; says why where that fails. */
export function installPeers(folder: string): string | undefined {
  if (existsSync(join(folder, 'node_modules', 'tinybase'))) {
    return undefined;
  }
  mkdirSync(folder, { recursive: true });
  const asked = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder, ...PINNED];
  const { status, stderr } = spawnSync('npm', asked, { encoding: 'utf8', timeout: 300_000 });
  return status === 0 ? undefined : stderr.trim().split('\n').slice(-1)[0];
}

function load(folder: string, name: string): unknown {
  return createRequire(join(folder, 'index.js'))(name) as unknown;
}

/** What one replica of a library can do; {@link broadcasting} makes a contestant of several. */
interface Peer {
  write(keys: readonly string[], values: readonly number[]): void;
  /** The updates since the last call, to be told to everybody. */
  take(): Uint8Array[];
  apply(update: Uint8Array): void;
  state(): number;
  read(): Record<string, unknown>;
}

/** Each replica tells its updates to all others. */
function broadcasting<T extends Peer>(peers: readonly T[], heal: (to: T, from: T) => number): Contestant {
  return {
    write: (replica, { keys, values }) => peers[replica].write(keys, values),
    exchange: (members) => {
      let bytes = 0;
      const sent = members.map((member) => peers[member].take());
      for (const [index, updates] of sent.entries()) {
        for (const member of members.filter((each) => each !== members[index])) {
          for (const update of updates) {
            bytes += update.length;
            peers[member].apply(update);
          }
        }
      }
      return bytes;
    },
    heal: (from, to) => heal(peers[to], peers[from]),
    stateBytes: () => peers[0].state(),
    read: (replica) => peers[replica].read(),
  };
}

interface YMap {
  set(key: string, value: number): void;
  toJSON(): Record<string, unknown>;
}
interface YDoc {
  getMap(name: string): YMap;
  transact(work: () => void): void;
  on(event: 'update', listener: (update: Uint8Array, origin: unknown) => void): void;
}
interface Yjs {
  Doc: new (options: { gc: boolean }) => YDoc;
  applyUpdate(doc: YDoc, update: Uint8Array, origin: unknown): void;
  applyUpdateV2(doc: YDoc, update: Uint8Array): void;
  encodeStateAsUpdate(doc: YDoc, vector?: Uint8Array): Uint8Array;
  encodeStateAsUpdateV2(doc: YDoc, vector?: Uint8Array): Uint8Array;
  encodeStateVector(doc: YDoc): Uint8Array;
}

class YPeer implements Peer {
  readonly doc: YDoc;
  private readonly map: YMap;
  private updates: Uint8Array[] = [];

  constructor(
    private readonly yjs: Yjs,
    events: boolean,
    private readonly each = false,
  ) {
    this.doc = new yjs.Doc({ gc: true });
    this.map = this.doc.getMap('state');
    if (events) {
      this.doc.on('update', (update, origin) => origin !== 'remote' && this.updates.push(update));
    }
  }

  write(keys: readonly string[], values: readonly number[]): void {
    if (this.each) {
      // Outside of a transaction every write is one.
      keys.forEach((key, index) => this.map.set(key, values[index]));
    } else {
      this.doc.transact(() => keys.forEach((key, index) => this.map.set(key, values[index])));
    }
  }

  take(): Uint8Array[] {
    const { updates } = this;
    this.updates = [];
    return updates;
  }

  apply(update: Uint8Array): void {
    this.yjs.applyUpdate(this.doc, update, 'remote');
  }

  /** Brings this replica level with another; gives back the bytes in both directions. */
  healFrom(other: YPeer): number {
    const vector = this.yjs.encodeStateVector(this.doc);
    const update = this.yjs.encodeStateAsUpdateV2(other.doc, vector);
    this.yjs.applyUpdateV2(this.doc, update);
    return vector.length + update.length;
  }

  state(): number {
    return Math.min(
      this.yjs.encodeStateAsUpdate(this.doc).length,
      this.yjs.encodeStateAsUpdateV2(this.doc).length,
    );
  }

  read(): Record<string, unknown> {
    return this.map.toJSON();
  }
}

/** Each transaction's update event, told to all others: the cheapest way that Yjs documents. */
export function yjsEvents(replicas: number, folder: string, each = false): Contestant {
  const yjs = load(folder, 'yjs') as Yjs;
  return broadcasting(
    Array.from({ length: replicas }, () => new YPeer(yjs, true, each)),
    (to, from) => to.healFrom(from),
  );
}

/** Each pair of replicas by state vector. */
export function yjsVectors(replicas: number, folder: string): Contestant {
  const yjs = load(folder, 'yjs') as Yjs;
  const peers = Array.from({ length: replicas }, () => new YPeer(yjs, false));
  return {
    ...broadcasting(peers, (to, from) => to.healFrom(from)),
    exchange: (members) => {
      let bytes = 0;
      for (const from of members) {
        for (const to of members.filter((each) => each !== from)) {
          bytes += peers[to].healFrom(peers[from]);
        }
      }
      return bytes;
    },
  };
}

interface LoroVersion {
  encode(): Uint8Array;
}
interface LoroDoc {
  getMap(name: string): YMap;
  commit(): void;
  subscribeLocalUpdates(listener: (update: Uint8Array) => void): void;
  import(update: Uint8Array): void;
  export(how: { mode: 'update'; from?: LoroVersion } | { mode: 'snapshot' }): Uint8Array;
  oplogVersion(): LoroVersion;
}

class LoroPeer implements Peer {
  private readonly map: YMap;
  private version: LoroVersion;
  private updates: Uint8Array[] = [];

  constructor(
    private readonly doc: LoroDoc,
    private readonly each: boolean,
  ) {
    this.map = doc.getMap('state');
    this.version = doc.oplogVersion();
    if (each) {
      doc.subscribeLocalUpdates((update) => this.updates.push(update));
    }
  }

  write(keys: readonly string[], values: readonly number[]): void {
    for (const [index, key] of keys.entries()) {
      this.map.set(key, values[index]);
      if (this.each) {
        this.doc.commit();
      }
    }
    this.doc.commit();
  }

  take(): Uint8Array[] {
    if (this.each) {
      const { updates } = this;
      this.updates = [];
      return updates;
    }
    const update = this.doc.export({ mode: 'update', from: this.version });
    this.version = this.doc.oplogVersion();
    return [update];
  }

  apply(update: Uint8Array): void {
    this.doc.import(update);
    this.version = this.doc.oplogVersion();
  }

  healFrom(other: LoroPeer): number {
    const version = this.doc.oplogVersion();
    const update = other.doc.export({ mode: 'update', from: version });
    this.apply(update);
    return version.encode().length + update.length;
  }

  state(): number {
    return this.doc.export({ mode: 'snapshot' }).length;
  }

  read(): Record<string, unknown> {
    return this.map.toJSON();
  }
}

/**
 * `export` of what is above the version that all have, told to all others; with `each`, a commit a write and its update
 * event told by itself, as Yjs and TinyBase do it.
 */
export function loro(replicas: number, folder: string, each = false): Contestant {
  const { LoroDoc } = load(folder, 'loro-crdt') as { LoroDoc: new () => LoroDoc };
  return broadcasting(
    Array.from({ length: replicas }, () => new LoroPeer(new LoroDoc(), each)),
    (to, from) => to.healFrom(from),
  );
}

type AutomergeDoc = Record<string, unknown>;
interface Automerge {
  init(): AutomergeDoc;
  change(doc: AutomergeDoc, work: (doc: AutomergeDoc) => void): AutomergeDoc;
  save(doc: AutomergeDoc): Uint8Array;
  getLastLocalChange(doc: AutomergeDoc): Uint8Array | undefined;
  applyChanges(doc: AutomergeDoc, changes: Uint8Array[]): [AutomergeDoc];
  initSyncState(): unknown;
  generateSyncMessage(doc: AutomergeDoc, sync: unknown): [unknown, Uint8Array | null];
  receiveSyncMessage(doc: AutomergeDoc, sync: unknown, message: Uint8Array): [AutomergeDoc, unknown];
}

class AutomergePeer implements Peer {
  doc: AutomergeDoc;
  private changes: Uint8Array[] = [];

  constructor(private readonly library: Automerge) {
    this.doc = library.init();
  }

  write(keys: readonly string[], values: readonly number[]): void {
    this.doc = this.library.change(this.doc, (draft) => {
      keys.forEach((key, index) => (draft[key] = values[index]));
    });
    const change = this.library.getLastLocalChange(this.doc);
    this.changes.push(...(change ? [change] : []));
  }

  take(): Uint8Array[] {
    const { changes } = this;
    this.changes = [];
    return changes;
  }

  apply(update: Uint8Array): void {
    [this.doc] = this.library.applyChanges(this.doc, [update]);
  }

  healFrom(other: AutomergePeer): number {
    const { library } = this;
    let bytes = 0;
    let own = library.initSyncState();
    let theirs = library.initSyncState();
    for (let quiet = false; !quiet;) {
      let message: Uint8Array | null;
      [own, message] = library.generateSyncMessage(this.doc, own);
      quiet = message === null;
      if (message) {
        bytes += message.length;
        [other.doc, theirs] = library.receiveSyncMessage(other.doc, theirs, message);
      }
      [theirs, message] = library.generateSyncMessage(other.doc, theirs);
      if (message) {
        quiet = false;
        bytes += message.length;
        [this.doc, own] = library.receiveSyncMessage(this.doc, own, message);
      }
    }
    return bytes;
  }

  state(): number {
    return this.library.save(this.doc).length;
  }

  read(): Record<string, unknown> {
    return { ...this.doc };
  }
}

/** One change a batch, told to all others; heals by sync messages. */
export function automerge(replicas: number, folder: string): Contestant {
  const library = load(folder, '@automerge/automerge') as Automerge;
  return broadcasting(
    Array.from({ length: replicas }, () => new AutomergePeer(library)),
    (to, from) => to.healFrom(from),
  );
}

interface TinyStore {
  transaction(work: () => void): void;
  setValue(id: string, value: number): void;
  getValues(): Record<string, unknown>;
  addDidFinishTransactionListener(listener: () => void): void;
  getTransactionMergeableChanges(): unknown;
  applyMergeableChanges(changes: unknown): void;
  getMergeableValueHashes(): unknown;
  getMergeableValueDiff(hashes: unknown): unknown;
  getMergeableContent(): unknown;
}

class TinyPeer implements Peer {
  private changes: Uint8Array[] = [];
  private applying = false;

  constructor(
    private readonly store: TinyStore,
    private readonly each: boolean,
  ) {
    store.addDidFinishTransactionListener(() => {
      if (!this.applying) {
        this.changes.push(Buffer.from(JSON.stringify(store.getTransactionMergeableChanges())));
      }
    });
  }

  write(keys: readonly string[], values: readonly number[]): void {
    if (this.each) {
      // Outside of a transaction every write is one.
      keys.forEach((key, index) => this.store.setValue(key, values[index]));
    } else {
      this.store.transaction(() => keys.forEach((key, index) => this.store.setValue(key, values[index])));
    }
  }

  take(): Uint8Array[] {
    const { changes } = this;
    this.changes = [];
    return changes;
  }

  apply(update: Uint8Array): void {
    this.merge(JSON.parse(Buffer.from(update).toString()));
  }

  healFrom(other: TinyPeer): number {
    const hashes = JSON.stringify(this.store.getMergeableValueHashes());
    const diff = JSON.stringify(other.store.getMergeableValueDiff(JSON.parse(hashes)));
    this.merge([[{}], JSON.parse(diff) as unknown, 1]);
    return hashes.length + diff.length;
  }

  state(): number {
    return JSON.stringify(this.store.getMergeableContent()).length;
  }

  read(): Record<string, unknown> {
    return this.store.getValues();
  }

  private merge(changes: unknown): void {
    this.applying = true;
    this.store.applyMergeableChanges(changes);
    this.applying = false;
  }
}

/** A mergeable store; the changes of each transaction as JSON, told to all others. */
export function tinybase(replicas: number, folder: string, each = false): Contestant {
  const { createMergeableStore } = load(folder, 'tinybase') as {
    createMergeableStore: (id: string) => TinyStore;
  };
  const make = (_: unknown, index: number): TinyPeer =>
    new TinyPeer(createMergeableStore(`store-${index}`), each);
  return broadcasting(Array.from({ length: replicas }, make), (to, from) => to.healFrom(from));
}
