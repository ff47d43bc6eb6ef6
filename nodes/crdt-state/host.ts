import type { Clock } from '../shared/clock';
import { EdgeError, toEdgeError } from '../shared/errors';
import type { Random } from '../shared/random';
import type { StateWrite } from '../shared/store/state-store';
import type { Arrival } from './double';
import type { AnyFrame, Frame } from './frame';
import { HybridClock, stampToMs } from './hybrid-clock';
import { parseJson, type Json } from './json';
import { writeKey, type WriteOperation } from './operations';
import { readImage, turnRows } from './persistence';
import { gatewayOfReplica, newImage, Replica, replicaId } from './replica';
import { isReservedKey } from './reserved-keys';
import { NO_SIBLINGS, type Siblings } from './sibling';
import type { Slot } from './slot';
import { isLive, readMerged, rivals, type Strategy, type StrategyBook } from './strategies';
import { DEFAULT_TIMES, type SyncTimes } from './sync-ports';
import { Synchronizer } from './synchronizer';
import { TurnQueue, type JobKind } from './turn-queue';

/** Where a replica's rows lie. */
export interface ReplicaStore {
  load(): Promise<ReadonlyMap<string, Uint8Array>>;
  /** What tells it from a copy of it, where that can be known; asked for once it is loaded. */
  origin?(): Promise<string | undefined>;
  /** All or nothing; resolves when it is on disk. */
  write(rows: StateWrite[]): Promise<void>;
}

/** What a key is after a change. */
export interface KeyState {
  key: string;
  exists: boolean;
  value: Json;
  /** Concurrent values, when there are several. */
  siblings?: { value: Json; gateway: string; ts: number }[];
}

export type Origin = 'local' | 'remote';

/** What a host tells. */
export interface HostListener {
  /** A change that is on disk. `by` is whoever asked for it. */
  changed?(state: KeyState, origin: Origin, operation: string, by: unknown): void;
  /** Something that no message can be blamed for. */
  problem?(error: EdgeError): void;
  /** A frame for the transports; dropped when there is none. */
  frame?(frame: Frame): void;
}

export interface HostOptions {
  gatewayId: string;
  strategies: StrategyBook;
  clock: Clock;
  random: Random;
  /** Absent = in memory only. */
  store?: ReplicaStore;
  namespace: string;
  times?: Partial<SyncTimes>;
  /** Twelve hexadecimal digits. */
  newIncarnation: () => string;
  /** Lets other work run between slices of a long one. */
  pause: () => Promise<void>;
  connected?: () => boolean;
}

/** Deleted keys that are kept at least, so that peers that are a little late need no full state. */
const KEPT_DELETES = 1000;
const SLICE = 256;
/** Changes that are told between two looks at the clock. */
const TOLD_AT_ONCE = 8;

/**
 * A replica at work: takes operations and frames one after the other in turns, each of them on disk before anything
 * of it is told to the flow or to peers.
 */
export class ReplicaHost {
  readonly listeners = new Set<HostListener>();
  /** How often concurrent values have met in a key. */
  conflicts = 0;
  /** The store's last error, until it works again. */
  failure: EdgeError | undefined;
  private readonly turns: TurnQueue;
  private running: { replica: Replica; synchronizer: Synchronizer } | undefined;
  private outbox: Frame[] = [];
  private collecting = false;
  private origin: string | undefined;

  constructor(private readonly options: HostOptions) {
    this.turns = new TurnQueue(options.clock, options.pause, {
      begin: () => this.running?.replica.begin(),
      commit: (kind) => this.commit(kind),
    });
  }

  /** Loads what was stored; operations and frames that come earlier wait. */
  async start(): Promise<void> {
    const { options } = this;
    try {
      const rows = options.store ? await options.store.load() : new Map<string, Uint8Array>();
      this.origin = await options.store?.origin?.();
      const image = await this.turns.drive(readImage(rows, this.origin));
      const hybrid = new HybridClock(() => options.clock.now());
      const fresh = newImage(replicaId(options.gatewayId, options.newIncarnation()));
      const replica = new Replica(image ?? fresh, hybrid);
      const synchronizer = new Synchronizer(
        replica,
        options.strategies.hash,
        { ...DEFAULT_TIMES, ...options.times },
        {
          clock: options.clock,
          random: options.random,
          resumed: image !== undefined,
          send: (frame) => void this.outbox.push(frame),
          connected: () => this.connected,
          schedule: (work) => void this.turns.alone(work).catch((thrown: unknown) => this.report(thrown)),
          newIncarnation: options.newIncarnation,
          problem: (error) => this.report(error),
        },
      );
      this.running = { replica, synchronizer };
      this.turns.open();
      if (image?.copied) {
        await this.turns.alone(() => synchronizer.takeOwnIdentity());
      }
      this.reconnected();
    } catch (thrown) {
      this.failure = toEdgeError(thrown, 'STORE');
      await this.turns.close(this.failure);
      throw this.failure;
    }
  }

  /** Ends after the turn that is under way. */
  async close(): Promise<void> {
    this.running?.synchronizer.stop();
    await this.turns.close(new EdgeError('STORE', 'The node was stopped before this was stored.'));
  }

  /** The transports can send again. */
  reconnected(): void {
    if (this.connected) {
      this.running?.synchronizer.start();
    }
  }

  private get connected(): boolean {
    return this.options.connected?.() ?? true;
  }

  get replicaId(): string | undefined {
    return this.running?.replica.id;
  }

  /** The replica, for those who look at it from outside; undefined until it is loaded. */
  get replica(): Replica | undefined {
    return this.running?.replica;
  }

  get synchronizer(): Synchronizer | undefined {
    return this.running?.synchronizer;
  }

  get pending(): number {
    return this.running?.synchronizer.peers.pending ?? 0;
  }

  /** Keys that have a value. */
  get keys(): number {
    return this.running ? this.running.replica.live - this.running.synchronizer.retirement.size : 0;
  }

  /**
   * Writes a key; resolves with what it then holds, once that is on disk; with nothing when there was nothing to do.
   */
  write(
    operation: WriteOperation,
    key: string,
    payload: unknown,
    by?: unknown,
  ): Promise<KeyState | undefined> {
    return this.turns.shared<KeyState | undefined>(() => {
      const { replica } = this.loaded();
      const strategy = this.options.strategies.of(key);
      const siblings = writeKey(replica, strategy, operation, key, payload);
      if (!siblings) {
        return { value: undefined };
      }
      const state = describe(key, strategy, siblings);
      return { value: state, settled: () => this.tell(state, 'local', operation, by) };
    });
  }

  /** Declares a gateway departed; resolves when that is on disk. Rejects with `VALUE`. */
  retire(gateway: unknown): Promise<void> {
    return this.turns.shared(() => {
      this.loaded().synchronizer.retire(gateway);
      return { value: undefined };
    });
  }

  get(key: string): Promise<KeyState> {
    return this.turns.shared(() => ({ value: this.read(key) }));
  }

  /** What a key holds at this moment, with what a turn that is under way has changed already. */
  peek(key: string): KeyState {
    return this.read(key);
  }

  /** The keys that have a value at this moment and begin with a text. */
  peekKeys(prefix: string): string[] {
    const found: string[] = [];
    for (const [key, siblings] of this.loaded().replica.entries()) {
      if (key.startsWith(prefix) && siblings.some(isLive)) {
        found.push(key);
      }
    }
    return found;
  }

  strategyOf(key: string): Strategy {
    return this.options.strategies.of(key);
  }

  /** Every key that has a value, sorted. */
  list(): Promise<string[]> {
    return this.turns
      .alone(() => this.collectStates((keys: string[], { key }) => keys.push(key), []))
      .then((keys) => keys.sort());
  }

  /** Every key with its value. */
  async snapshot(): Promise<Record<string, Json>> {
    const entries = await this.turns.alone(() =>
      this.collectStates((all: [string, Json][], { key, value }) => all.push([key, value]), []),
    );
    return Object.fromEntries(entries);
  }

  /**
   * Takes a decoded frame of so many bytes; resolves once what it brought is on disk, or when it was dropped. See
   * {@link Synchronizer.receive}.
   */
  receive(frame: AnyFrame, arrival: Arrival = {}, bytes = 0): Promise<void> {
    return this.turns.frame(() => this.loaded().synchronizer.receive(frame, arrival), bytes);
  }

  /** Drops deleted keys, at any time. */
  collect(): Promise<void> {
    return this.turns.alone(() => this.loaded().synchronizer.collect());
  }

  private *collectStates<T>(add: (all: T, state: KeyState) => void, all: T): Generator<void, T> {
    let steps = 0;
    for (const [key] of this.loaded().replica.entries()) {
      if (isReservedKey(key)) {
        continue;
      }
      const state = this.read(key);
      if (state.exists) {
        add(all, state);
      }
      if (++steps % SLICE === 0) {
        yield;
      }
    }
    return all;
  }

  private async commit(kind: JobKind): Promise<void> {
    const { replica, synchronizer } = this.loaded();
    const { store, namespace } = this.options;
    if (store) {
      const rows = await this.turns.drive(turnRows(replica, namespace, this.origin));
      try {
        if (rows.length > 0) {
          await store.write(rows);
          this.failure = undefined;
        }
      } catch (thrown) {
        replica.rollback();
        this.outbox = [];
        this.failure = toEdgeError(thrown, 'STORE');
        throw this.failure;
      }
    }
    const { changes } = replica;
    replica.commit();
    synchronizer.committed(changes);
    const frames = this.outbox;
    this.outbox = [];
    for (const frame of frames) {
      this.listeners.forEach((listener) => listener.frame?.(frame));
    }
    if (kind !== 'shared') {
      await this.turns.drive(this.tellRemote(changes));
    }
    if (replica.size - replica.live > Math.max(KEPT_DELETES, replica.live) && !this.collecting) {
      this.collecting = true;
      this.collect()
        .catch((thrown: unknown) => this.report(thrown))
        .finally(() => (this.collecting = false));
    }
  }

  private *tellRemote(changes: readonly Slot[]): Generator<void, void> {
    let steps = 0;
    for (const { text: key, reserved, before, siblings } of changes) {
      if (reserved) {
        continue;
      }
      const strategy = this.options.strategies.of(key);
      const old = describe(key, strategy, before ?? NO_SIBLINGS);
      const state = describe(key, strategy, siblings);
      if ((state.siblings?.length ?? 0) > (old.siblings?.length ?? 0)) {
        this.conflicts++;
      }
      if (!sameState(old, state)) {
        this.tell(state, 'remote', state.exists ? 'merge' : 'delete');
      }
      if (++steps % TOLD_AT_ONCE === 0) {
        yield;
      }
    }
  }

  private tell(state: KeyState, origin: Origin, operation: string, by?: unknown): void {
    this.listeners.forEach((listener) => listener.changed?.(state, origin, operation, by));
  }

  /** Tells the listeners of a fault that no message can be blamed for. */
  report(thrown: unknown): void {
    const error = toEdgeError(thrown);
    this.listeners.forEach((listener) => listener.problem?.(error));
  }

  private read(key: string): KeyState {
    return describe(key, this.options.strategies.of(key), this.loaded().replica.siblings(key));
  }

  private loaded(): { replica: Replica; synchronizer: Synchronizer } {
    if (!this.running) {
      throw this.failure ?? new EdgeError('STORE', 'The stored state is not loaded yet.');
    }
    return this.running;
  }
}

function describe(key: string, strategy: Strategy, siblings: Siblings): KeyState {
  const { exists, value } = readMerged(strategy, siblings);
  const rivalling = siblings.length > 1 ? rivals(strategy, siblings) : [];
  if (rivalling.length === 0) {
    return { key, exists, value };
  }
  const concurrent = rivalling.map(({ text, replica, stamp }) => ({
    value: parseJson(text),
    gateway: gatewayOfReplica(replica),
    ts: stampToMs(stamp),
  }));
  return { key, exists, value, siblings: concurrent };
}

/** Whether two states of one key look the same to the flow. */
function sameState(a: KeyState, b: KeyState): boolean {
  const simple = !a.siblings && !b.siblings && typeof a.value !== 'object' && typeof b.value !== 'object';
  return simple ? a.exists === b.exists && a.value === b.value : JSON.stringify(a) === JSON.stringify(b);
}
