import type { HybridClock } from './hybrid-clock';
import { MAX_KEYS, MAX_REPLICAS, MAX_SIBLINGS } from './limits';
import type { NameTable } from './names';
import type { CatchUp, Delta, Entry, ReplicaImage, Written } from './replica-image';
import {
  compareDots,
  hasValue,
  joinSiblings,
  knows,
  NO_SIBLINGS,
  raise,
  type Sibling,
  type Siblings,
} from './sibling';
import { isLive } from './strategies';
import { counterOf, covers, joinVector, type ReadonlyVector } from './version-vector';

export {
  gatewayOfReplica,
  newImage,
  replicaId,
  type CatchUp,
  type Delta,
  type Entry,
  type ReplicaImage,
} from './replica-image';

interface Undo extends Omit<ReplicaImage, 'entries' | 'names'> {
  entries: Map<string, Siblings | undefined>;
}

/** Steps between two yields of a long piece of work. */
const SLICE = 256;

/**
 * One replica's state: for each key the dotted siblings, under one causal context for all keys (a version vector:
 * writes are taken in causal order, so it never has holes). Every change happens inside a turn that is committed or
 * rolled back as a whole.
 *
 * Deletes leave a sibling without a value. {@link Replica.collect} drops such entries and remembers their dots in the
 * *floor*: whoever has not reached the floor gets the full state, in which absence under the context means deleted.
 */
export class Replica {
  private undo: Undo | undefined;
  private living = 0;
  /** No key has more siblings. */
  private widest = 0;
  private written: Written = { replaced: new Map(), created: new Set() };

  constructor(
    private readonly image: ReplicaImage,
    private readonly hybrid: HybridClock,
  ) {
    for (const siblings of image.entries.values()) {
      this.living += siblings.some(isLive) ? 1 : 0;
      this.widest = Math.max(this.widest, siblings.length);
    }
  }

  get id(): string {
    return this.image.id;
  }

  get context(): ReadonlyVector {
    return this.image.context;
  }

  get floor(): ReadonlyVector {
    return this.image.floor;
  }

  /** The own counter when this session began, below which own writes are known outside. */
  get base(): number {
    return this.image.base;
  }

  get contacted(): boolean {
    return this.image.contacted;
  }

  /** The peers that were remembered; see {@link Replica.remember}. */
  get peers(): ReadonlyVector {
    return this.image.peers;
  }

  /** The number of own writes. */
  get counter(): number {
    return counterOf(this.image.context, this.image.id);
  }

  /** Keys held, deleted ones included until they are collected. */
  get size(): number {
    return this.image.entries.size;
  }

  /** Keys that have a value. */
  get live(): number {
    return this.living;
  }

  has(key: string): boolean {
    return this.image.entries.has(key);
  }

  siblings(key: string): Siblings {
    return this.image.entries.get(key) ?? NO_SIBLINGS;
  }

  get names(): NameTable {
    return this.image.names;
  }

  entries(): IterableIterator<[string, Siblings]> {
    return this.image.entries.entries();
  }

  begin(): void {
    const { id, base, contacted, context, floor, peers } = this.image;
    this.undo = {
      id,
      base,
      contacted,
      context: new Map(context),
      floor: new Map(floor),
      peers,
      entries: new Map(),
    };
  }

  /** The keys that this turn has changed, with their siblings before it. */
  get changes(): ReadonlyMap<string, Siblings | undefined> {
    return this.undo?.entries ?? new Map<string, undefined>();
  }

  /** Whether this turn has changed anything that must be remembered besides keys. */
  get advanced(): boolean {
    const { undo, image } = this;
    return (
      undo !== undefined &&
      (undo.id !== image.id ||
        undo.contacted !== image.contacted ||
        undo.peers !== image.peers ||
        !covers(undo.context, image.context) ||
        !covers(undo.floor, image.floor))
    );
  }

  commit(): void {
    this.undo = undefined;
  }

  rollback(): void {
    if (!this.undo) {
      return;
    }
    const { entries, ...rest } = this.undo;
    this.undo = undefined;
    Object.assign(this.image, rest);
    for (const [key, siblings] of entries) {
      this.put(key, siblings ?? NO_SIBLINGS);
    }
  }

  /** An own write: replaces some of the key's siblings with new ones. */
  write(key: string, replaces: (sibling: Sibling) => boolean, texts: readonly (string | null)[]): void {
    const before = this.siblings(key);
    const { id } = this.image;
    const kept: Sibling[] = [];
    for (const sibling of before) {
      if (!replaces(sibling)) {
        kept.push(sibling);
      } else if (sibling.replica !== id) {
        raise(this.written.replaced, sibling);
      }
    }
    if (before.length === 0) {
      this.written.created.add(key);
    }
    let counter = this.counter;
    const stamp = this.hybrid.next();
    for (const text of texts) {
      kept.push({ replica: id, counter: ++counter, stamp, text });
    }
    this.image.context.set(id, counter);
    this.replace(
      key,
      before === NO_SIBLINGS ? undefined : before,
      kept.length > 1 ? kept.sort(compareDots) : kept,
    );
  }

  /** What was written since this was asked last. */
  takeWritten(): Written {
    const { written } = this;
    this.written = { replaced: new Map(), created: new Set() };
    return written;
  }

  /** Whether an own count may be continued in a new sibling; see {@link Replica.renew}. */
  mayFold(sibling: Sibling): boolean {
    return sibling.replica === this.id && (this.image.contacted || sibling.counter > this.image.base);
  }

  /** Whether a delta brings nothing, can be joined, or must wait for what it depends on. */
  readiness(delta: Pick<Delta, 'sender' | 'from' | 'context'>): 'duplicate' | 'ready' | 'gap' {
    const { sender, from } = delta;
    const known = counterOf(this.context, sender);
    if (known >= counterOf(delta.context, sender)) {
      return 'duplicate';
    }
    for (const [replica, counter] of delta.context) {
      if (replica === sender ? known < from : counterOf(this.context, replica) < counter) {
        return 'gap';
      }
    }
    return 'ready';
  }

  /** Whether the bounds on keys, siblings and replicas leave room for what another replica sent. */
  hasRoom(context: ReadonlyVector, entries: readonly Entry[]): boolean {
    if (!this.hasRoomFor(entries)) {
      return false;
    }
    let replicas = this.context.size;
    for (const replica of context.keys()) {
      replicas += this.context.has(replica) ? 0 : 1;
    }
    return replicas <= MAX_REPLICAS;
  }
  private hasRoomFor(entries: readonly Entry[]): boolean {
    let most = 0;
    for (const [, siblings] of entries) {
      most = Math.max(most, siblings.length);
    }
    if (this.size + entries.length <= MAX_KEYS && this.widest + most <= 2 * MAX_SIBLINGS) {
      return true;
    }
    let keys = this.size;
    for (const [key, siblings] of entries) {
      const held = this.image.entries.get(key);
      keys += held ? 0 : 1;
      if ((held?.length ?? 0) + siblings.length > 2 * MAX_SIBLINGS) {
        return false;
      }
    }
    return keys <= MAX_KEYS;
  }

  /** Joins a delta that is ready. Yields between slices; the turn must not end in between. */
  *joinDelta(delta: Delta): Generator<void, void> {
    yield* this.joinEntries(delta.entries, delta.context);
    joinVector(this.image.context, delta.context);
  }

  /** Joins what another replica knows above a vector that this one has reached. */
  *joinCatchUp({ context, floor, entries }: CatchUp): Generator<void, void> {
    yield* this.joinEntries(entries, context);
    if (floor) {
      const present = new Set(entries.map(([key]) => key));
      let steps = 0;
      for (const [key, siblings] of this.image.entries) {
        if (!present.has(key)) {
          this.put(key, joinSiblings(siblings, this.context, NO_SIBLINGS, context));
        }
        if (++steps % SLICE === 0) {
          yield;
        }
      }
      joinVector(this.image.floor, floor);
    }
    joinVector(this.image.context, context);
  }

  /** Everything above a vector: the keys with a sibling that it does not know, or all when it is below the floor. */
  *above(vector: ReadonlyVector): Generator<void, CatchUp> {
    const reached = covers(vector, this.floor);
    const entries: Entry[] = [];
    let steps = 0;
    for (const [key, siblings] of this.image.entries) {
      if (!reached || siblings.some((sibling) => !knows(vector, sibling))) {
        entries.push([key, siblings]);
      }
      if (++steps % (SLICE * 8) === 0) {
        yield;
      }
    }
    const context = new Map(this.context);
    return reached ? { context, entries } : { context, floor: new Map(this.floor), entries };
  }

  /** Drops deleted keys whose own deletes have been sent up to a counter, into the floor. */
  *collect(sent: number): Generator<void, void> {
    let steps = 0;
    for (const [key, siblings] of this.image.entries) {
      if (siblings.every((each) => !isLive(each) && (each.replica !== this.id || each.counter <= sent))) {
        joinVector(this.image.floor, new Map(siblings.map(({ replica, counter }) => [replica, counter])));
        this.put(key, NO_SIBLINGS);
      }
      if (++steps % SLICE === 0) {
        yield;
      }
    }
  }

  /** Notes that own writes are told from now on, peers having had the time to object. */
  confirm(): void {
    this.image.contacted = true;
  }

  /** Keeps over a restart who the peers are and what they have acknowledged, so that what is pending stays known. */
  remember(peers: ReadonlyVector): void {
    const { image } = this;
    if (peers.size !== image.peers.size || !covers(image.peers, peers)) {
      image.peers = peers;
    }
  }

  /**
   * Takes a new identity, because somebody knows writes of the old one that this replica has not made: it was
   * restored from an old image, or copied. Own writes of this session move to the new identity, and what the old one
   * has written elsewhere is fetched like any other replica's.
   */
  renew(id: string): void {
    const { id: old, base, context } = this.image;
    for (const [key, siblings] of this.image.entries) {
      if (siblings.some(({ replica, counter }) => replica === old && counter > base)) {
        const moved = siblings.map((each) =>
          each.replica === old && each.counter > base
            ? { ...each, replica: id, counter: each.counter - base }
            : each,
        );
        this.put(key, moved.sort(compareDots));
      }
    }
    const made = counterOf(context, old) - base;
    if (base > 0) {
      context.set(old, base);
    } else {
      context.delete(old);
    }
    if (made > 0) {
      context.set(id, made);
    }
    this.become(id);
  }

  /**
   * Goes on under a new identity after this one was retired. What was written under the old one stays its, and reaches
   * the peers like any other replica's writes.
   */
  rejoin(id: string): void {
    this.become(id);
  }

  private become(id: string): void {
    const peers = new Map([...this.image.peers.keys()].map((peer) => [peer, 0]));
    Object.assign(this.image, { id, base: 0, contacted: true, peers });
  }

  private *joinEntries(entries: readonly Entry[], context: ReadonlyVector): Generator<void, void> {
    let steps = 0;
    let latest = 0;
    for (const [key, remote] of entries) {
      const before = this.image.entries.get(key);
      const local = before ?? NO_SIBLINGS;
      const joined = joinSiblings(local, this.context, remote, context);
      if (joined !== local) {
        this.replace(key, before, joined);
        for (const { stamp } of remote) {
          latest = Math.max(latest, stamp);
        }
      }
      if (++steps % SLICE === 0) {
        yield;
      }
    }
    this.hybrid.observe(latest);
  }

  private put(key: string, siblings: Siblings): void {
    this.replace(key, this.image.entries.get(key), siblings);
  }

  private replace(key: string, before: Siblings | undefined, siblings: Siblings): void {
    this.widest = Math.max(this.widest, siblings.length);
    if (this.undo && !this.undo.entries.has(key)) {
      this.undo.entries.set(key, before);
    }
    this.living += (hasValue(siblings) ? 1 : 0) - (before && hasValue(before) ? 1 : 0);
    if (siblings.length === 0) {
      this.image.entries.delete(key);
      this.image.names.remove(key);
      return;
    }
    this.image.entries.set(key, siblings);
    if (!before) {
      this.image.names.add(key);
    }
  }
}
