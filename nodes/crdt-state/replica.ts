import type { HybridClock } from './hybrid-clock';
import type { Name, NameTable } from './names';
import {
  hasAdvanced,
  knowledgeOf,
  type CatchUp,
  type Delta,
  type Entry,
  type Knowledge,
  type ReplicaImage,
} from './replica-image';
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
import { Slot } from './slot';
import { isLive } from './strategies';
import {
  counterOf,
  covers,
  joinVector,
  RecentCounters,
  type ReadonlyVector,
  type VersionVector,
} from './version-vector';

export * from './replica-image';

interface Undo {
  knowledge: Knowledge;
  /** Slots that this turn has emptied, for a key that comes back in the same turn. */
  emptied: Map<string, Slot>;
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
  private changed: Slot[] = [];
  private living = 0;
  /** No key has more siblings. */
  widest = 0;
  private replaced: VersionVector = new Map();

  constructor(
    private readonly image: ReplicaImage,
    private readonly hybrid: HybridClock,
  ) {
    for (const { siblings } of image.slots.values()) {
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
    return this.image.slots.size;
  }

  /** Keys that have a value. */
  get live(): number {
    return this.living;
  }

  siblings(key: string): Siblings {
    return this.image.slots.get(key)?.siblings ?? NO_SIBLINGS;
  }

  get names(): NameTable<Slot> {
    return this.image.slots;
  }

  *entries(): IterableIterator<Entry> {
    for (const { text, siblings } of this.image.slots.values()) {
      yield [text, siblings];
    }
  }

  /** The slots of all keys that have siblings. */
  slots(): IterableIterator<Slot> {
    return this.image.slots.values();
  }

  /** The slot of a key that has siblings. */
  find(key: string): Slot | undefined {
    return this.image.slots.get(key);
  }

  /** The slot of any key, which joins the others when it gets siblings. */
  private slot(key: string): Slot {
    return this.find(key) ?? this.undo?.emptied.get(key) ?? new Slot(key);
  }

  begin(): void {
    this.forgetChanges();
    this.undo = { knowledge: knowledgeOf(this.image), emptied: new Map() };
  }

  /** The slots that this turn has changed; after its end the same until the next begins. */
  get changes(): readonly Slot[] {
    return this.changed;
  }

  /** Whether this turn has changed anything that must be remembered besides keys. */
  get advanced(): boolean {
    return this.undo !== undefined && hasAdvanced(this.undo.knowledge, this.image);
  }

  commit(): void {
    this.undo = undefined;
  }

  rollback(): void {
    if (!this.undo) {
      return;
    }
    const { knowledge } = this.undo;
    this.undo = undefined;
    Object.assign(this.image, knowledge);
    for (const slot of this.changed) {
      this.put(slot, slot.before ?? NO_SIBLINGS);
    }
    this.forgetChanges();
  }

  private forgetChanges(): void {
    for (const slot of this.changed) {
      slot.before = undefined;
    }
    this.changed = [];
  }

  /**
   * An own write: replaces some of the key's siblings with new ones.
   *
   * @param known the key's slot, where it was looked up already.
   */
  write(
    key: string,
    replaces: (sibling: Sibling) => boolean,
    texts: readonly (string | null)[],
    known?: Slot,
  ): void {
    const slot = known ?? this.slot(key);
    const { id } = this.image;
    const kept: Sibling[] = [];
    for (const sibling of slot.siblings) {
      if (!replaces(sibling)) {
        kept.push(sibling);
      } else if (sibling.replica !== id) {
        raise(this.replaced, sibling);
      }
    }
    if (slot.siblings.length === 0) {
      slot.created = true;
    }
    let counter = this.counter;
    const stamp = this.hybrid.next();
    for (const text of texts) {
      kept.push({ replica: id, counter: ++counter, stamp, text });
    }
    this.image.context.set(id, counter);
    this.put(slot, kept.length > 1 ? kept.sort(compareDots) : kept);
  }

  /** Of other replicas, the latest write that was replaced since this was asked last. */
  takeReplaced(): VersionVector {
    const { replaced } = this;
    this.replaced = new Map();
    return replaced;
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

  /** Joins a delta that is ready. Yields between slices; the turn must not end in between. */
  *joinDelta(delta: Delta): Generator<void, void> {
    yield* this.joinEntries(delta.entries, delta.context, delta.names);
    joinVector(this.image.context, delta.context);
  }

  /** Joins what another replica knows above a vector that this one has reached. */
  *joinCatchUp({ context, floor, entries }: CatchUp): Generator<void, void> {
    yield* this.joinEntries(entries, context);
    if (floor) {
      const present = new Set(entries.map(([key]) => key));
      let steps = 0;
      for (const slot of this.slots()) {
        if (!present.has(slot.text)) {
          const joined = joinSiblings(slot.siblings, this.context, NO_SIBLINGS, context);
          if (joined !== slot.siblings) {
            this.put(slot, joined);
          }
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
    for (const { text, siblings } of this.slots()) {
      if (!reached || siblings.some((sibling) => !knows(vector, sibling))) {
        entries.push([text, siblings]);
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
    for (const slot of this.slots()) {
      const { siblings } = slot;
      if (siblings.every((each) => !isLive(each) && (each.replica !== this.id || each.counter <= sent))) {
        joinVector(this.image.floor, new Map(siblings.map(({ replica, counter }) => [replica, counter])));
        this.put(slot, NO_SIBLINGS);
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
    const isOfThisSession = (each: Sibling): boolean => each.replica === old && each.counter > base;
    for (const slot of this.slots()) {
      if (slot.siblings.some(isOfThisSession)) {
        const moved = slot.siblings.map((each) =>
          isOfThisSession(each) ? { ...each, replica: id, counter: each.counter - base } : each,
        );
        this.put(slot, moved.sort(compareDots));
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

  private *joinEntries(
    entries: readonly Entry[],
    context: ReadonlyVector,
    names?: readonly (Name | undefined)[],
  ): Generator<void, void> {
    let latest = 0;
    const localContext = new RecentCounters(this.context);
    const remoteContext = new RecentCounters(context);
    for (let index = 0; index < entries.length; index++) {
      const [key, remote] = entries[index];
      const name = names?.[index];
      // A name that leads to a slot saves looking it up; one that was emptied may have been forgotten since.
      const known = name instanceof Slot && name.siblings.length > 0 ? name : this.image.slots.get(key);
      const local = known?.siblings ?? NO_SIBLINGS;
      const joined = joinSiblings(local, localContext, remote, remoteContext);
      if (joined !== local) {
        this.put(known ?? this.slot(key), joined);
        for (const { stamp } of remote) {
          latest = Math.max(latest, stamp);
        }
      }
      if ((index + 1) % SLICE === 0) {
        yield;
      }
    }
    this.hybrid.observe(latest);
  }

  private put(slot: Slot, siblings: Siblings): void {
    const before = slot.siblings;
    if (this.undo && slot.before === undefined) {
      slot.before = before;
      this.changed.push(slot);
    }
    this.widest = Math.max(this.widest, siblings.length);
    this.living += (hasValue(siblings) ? 1 : 0) - (hasValue(before) ? 1 : 0);
    slot.siblings = siblings;
    if (siblings.length === 0) {
      this.image.slots.remove(slot.text);
      this.undo?.emptied.set(slot.text, slot);
    } else if (before.length === 0) {
      this.image.slots.add(slot);
    }
  }
}
