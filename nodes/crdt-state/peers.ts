import type { Random } from '../shared/random';
import { MAX_REPLICAS } from './limits';
import { gatewayOfReplica, type Replica } from './replica';
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
  /** Keys with own writes above what every peer knows, ascending by the latest of them. */
  private readonly unacknowledged = new Map<string, number>();
  private acknowledged = 0;
  private owner: string;

  constructor(private readonly replica: Replica) {
    this.owner = replica.id;
    this.rebuild();
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
    joinVector(peer.vector, vector);
    if (heardAt >= peer.heardAt) {
      peer.heardAt = heardAt;
      peer.gone = false;
    }
    this.acknowledge();
    return peer;
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

  /** Whether some of the peers do not know all that this replica knows. */
  someoneIsBehind(peers: readonly Peer[]): boolean {
    return peers.some(({ vector }) => !covers(vector, this.replica.context));
  }

  /** Whether a peer merges by other rules. */
  disagree(strategies: string): boolean {
    return [...this.byGateway.values()].some((peer) => (peer.strategies ?? strategies) !== strategies);
  }

  /** Keys with own writes that a peer has not acknowledged; all of them while no peer is known. */
  get pending(): number {
    return this.unacknowledged.size;
  }

  /** Takes note of committed changes. */
  committed(keys: Iterable<string>): void {
    if (this.owner !== this.replica.id) {
      this.owner = this.replica.id;
      this.acknowledged = 0;
      this.rebuild();
      this.acknowledge();
      return;
    }
    for (const key of keys) {
      this.count(key);
    }
  }

  private count(key: string): void {
    this.unacknowledged.delete(key);
    const latest = latestOwn(this.replica, key);
    if (latest > this.acknowledged) {
      this.unacknowledged.set(key, latest);
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
    for (const [key, counter] of this.unacknowledged) {
      if (counter > this.acknowledged) {
        break;
      }
      this.unacknowledged.delete(key);
    }
  }

  private rebuild(): void {
    const open: [string, number][] = [];
    for (const [key] of this.replica.entries()) {
      const latest = latestOwn(this.replica, key);
      if (latest > this.acknowledged) {
        open.push([key, latest]);
      }
    }
    this.unacknowledged.clear();
    for (const [key, counter] of open.sort((a, b) => a[1] - b[1])) {
      this.unacknowledged.set(key, counter);
    }
  }
}

/** The counter of a key's latest own write that was not replaced; 0 when there is none. */
export function latestOwn(replica: Replica, key: string): number {
  return replica
    .siblings(key)
    .reduce((latest, each) => (each.replica === replica.id ? Math.max(latest, each.counter) : latest), 0);
}
