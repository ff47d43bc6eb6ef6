import type { Random } from '../shared/random';
import { MAX_REPLICAS } from './limits';
import { gatewayOfReplica, type Replica } from './replica';
import type { Siblings } from './sibling';
import type { Slot } from './slot';
import { counterOf, covers, joinVector, type ReadonlyVector, type VersionVector } from './version-vector';

export interface Peer {
  replica: string;
  /** What it is known to know. */
  vector: VersionVector;
  /** Monotonic ms. */
  heardAt: number;
  gone: boolean;
  /** Hash of its strategy and rules, once told. */
  strategies?: string;
}

/** The other replicas, one a gateway, and which of the own writes they have not acknowledged. */
export class Peers {
  private readonly byGateway = new Map<string, Peer>();
  /** How many keys have own writes above what every peer knows: those whose slots are `pending`. */
  private unacknowledged = 0;
  /** The same by counter, and what a later write of the key has superseded. */
  private queue: Slot[] = [];
  private counters: number[] = [];
  private head = 0;
  private acknowledged = 0;
  private owner: string;

  constructor(private readonly replica: Replica) {
    this.owner = replica.id;
    for (const [id, counter] of replica.peers) {
      const vector = new Map([[this.owner, counter]]);
      this.byGateway.set(gatewayOfReplica(id), { replica: id, vector, heardAt: -Infinity, gone: true });
    }
    this.rebuild();
    this.acknowledge();
  }

  /** How many of the own writes each peer is known to know, by replica id. */
  get acknowledgements(): VersionVector {
    return new Map(
      [...this.byGateway.values()].map(({ replica, vector }) => [replica, counterOf(vector, this.owner)]),
    );
  }

  /** Whether a sender is known, or may become so within the bound on replicas. */
  hasRoom(replica: string): boolean {
    return this.byGateway.size < MAX_REPLICAS || this.byGateway.has(gatewayOfReplica(replica));
  }

  /** Takes note of what a peer has told that it knows; `heardAt` is -Infinity when that was some unknown time ago. */
  learn(replica: string, vector: ReadonlyVector, heardAt: number): Peer {
    const gateway = gatewayOfReplica(replica);
    let peer = this.byGateway.get(gateway);
    if (peer?.replica !== replica) {
      peer = { replica, vector: new Map(), heardAt, gone: false };
      this.byGateway.set(gateway, peer);
    }
    const before = counterOf(peer.vector, this.owner);
    joinVector(peer.vector, vector);
    if (heardAt >= peer.heardAt) {
      peer.heardAt = heardAt;
      peer.gone = false;
    }
    if (before === 0 || counterOf(peer.vector, this.owner) > before) {
      this.acknowledge();
    }
    if (this.replica.peers.size === 0) {
      // Whoever is put back to this moment must know that there is somebody to listen to.
      this.replica.remember(this.acknowledgements);
    }
    return peer;
  }

  /** The peer that uses this identity. */
  of(replica: string): Peer | undefined {
    const peer = this.byGateway.get(gatewayOfReplica(replica));
    return peer?.replica === replica ? peer : undefined;
  }

  /** Forgets peers that have been retired. */
  forget(retired: (replica: string) => boolean): void {
    for (const [gateway, { replica }] of this.byGateway) {
      if (retired(replica)) {
        this.byGateway.delete(gateway);
      }
    }
    this.acknowledge();
  }

  /** The replica ids of all peers. */
  get ids(): string[] {
    return [...this.byGateway.values()].map(({ replica }) => replica);
  }

  leave(replica: string): void {
    const peer = this.byGateway.get(gatewayOfReplica(replica));
    if (peer?.replica === replica) {
      peer.gone = true;
    }
  }

  /** When some peer was heard last; monotonic ms. */
  get lastHeardAt(): number {
    return [...this.byGateway.values()].reduce((latest, { heardAt }) => Math.max(latest, heardAt), -Infinity);
  }

  get size(): number {
    return this.byGateway.size;
  }

  /** Peers that were heard within `silenceMs`. */
  present(now: number, silenceMs: number): Peer[] {
    return [...this.byGateway.values()].filter(({ gone, heardAt }) => !gone && now - heardAt <= silenceMs);
  }

  /** A random peer that knows something that this replica does not; one that is present is preferred. */
  ahead(now: number, silenceMs: number, random: Random): Peer | undefined {
    const ahead = [...this.byGateway.values()].filter(({ vector }) => !covers(this.replica.context, vector));
    const present = ahead.filter(({ gone, heardAt }) => !gone && now - heardAt <= silenceMs);
    const choice = present.length > 0 ? present : ahead;
    return choice.at(random.int(choice.length));
  }

  /** Every peer that was ever heard of. */
  list(): Peer[] {
    return [...this.byGateway.values()];
  }

  /** Whether some of the peers do not know all of a vector. */
  someoneIsBehind(peers: readonly Peer[], expected: ReadonlyVector): boolean {
    return peers.some(({ vector }) => !covers(vector, expected));
  }

  /** Whether a peer merges by other rules. */
  disagree(strategies: string): boolean {
    return [...this.byGateway.values()].some((peer) => (peer.strategies ?? strategies) !== strategies);
  }

  /** Keys with own writes that a peer has not acknowledged; all of them while no peer is known. */
  get pending(): number {
    return this.unacknowledged;
  }

  /** Begins anew when the replica has taken another identity. */
  renewed(): void {
    this.owner = this.replica.id;
    this.acknowledged = 0;
    this.rebuild();
    this.acknowledge();
  }

  /**
   * Takes note of a committed change of a key whose latest own write is `counter`. Within a turn in any order: peers
   * know a turn as a whole.
   */
  changed(slot: Slot, counter: number): void {
    if (counter > this.acknowledged) {
      this.enqueue(slot, counter);
    } else {
      this.settle(slot);
    }
  }

  private enqueue(slot: Slot, counter: number): void {
    if (slot.pending === counter) {
      return;
    }
    this.unacknowledged += slot.pending === 0 ? 1 : 0;
    slot.pending = counter;
    this.queue.push(slot);
    this.counters.push(counter);
    if (this.queue.length > 2 * this.unacknowledged + 1000) {
      this.compact();
    }
  }

  private settle(slot: Slot): void {
    if (slot.pending > 0) {
      slot.pending = 0;
      this.unacknowledged--;
    }
  }

  private compact(): void {
    const { queue, counters, head } = this;
    this.queue = [];
    this.counters = [];
    this.head = 0;
    for (let at = head; at < queue.length; at++) {
      if (queue[at].pending === counters[at]) {
        this.queue.push(queue[at]);
        this.counters.push(counters[at]);
      }
    }
  }

  private acknowledge(): void {
    let least = Infinity;
    for (const { vector } of this.byGateway.values()) {
      least = Math.min(least, counterOf(vector, this.owner));
    }
    const before = this.acknowledged;
    this.acknowledged = Number.isFinite(least) ? least : 0;
    if (this.acknowledged < before) {
      this.rebuild();
      return;
    }
    for (; this.head < this.queue.length; this.head++) {
      const counter = this.counters[this.head];
      if (counter > this.acknowledged) {
        break;
      }
      if (this.queue[this.head].pending === counter) {
        this.settle(this.queue[this.head]);
      }
    }
  }

  private rebuild(): void {
    const open: [Slot, number][] = [];
    for (const slot of this.replica.slots()) {
      this.settle(slot);
      const latest = latestOwn(slot.siblings, this.owner);
      if (latest > this.acknowledged) {
        open.push([slot, latest]);
      }
    }
    this.queue = [];
    this.counters = [];
    this.head = 0;
    for (const [slot, counter] of open.sort((a, b) => a[1] - b[1])) {
      this.enqueue(slot, counter);
    }
  }
}

/** The counter of the latest of some siblings that a replica wrote; 0 when there is none. */
export function latestOwn(siblings: Siblings, id: string): number {
  let latest = 0;
  for (const sibling of siblings) {
    if (sibling.replica === id) {
      // In the order of dots the last own one is the latest.
      latest = sibling.counter;
    }
  }
  return latest;
}
