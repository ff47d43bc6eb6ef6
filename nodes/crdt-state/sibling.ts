import { counterOf, type ReadonlyVector, type VersionVector } from './version-vector';

/**
 * One write that no other known write has replaced. Its *dot* (replica, counter) identifies it for ever.
 * Siblings are never changed, only replaced.
 */
export interface Sibling {
  readonly replica: string;
  /** The how-manieth write of its replica this is, from 1. */
  readonly counter: number;
  /** Hybrid logical time; ranks concurrent siblings and nothing else. */
  readonly stamp: number;
  /** The value as JSON; null for a delete. */
  readonly text: string | null;
}

/** The siblings of one key, ascending by dot. */
export type Siblings = readonly Sibling[];

export const NO_SIBLINGS: Siblings = [];

/** Orders by replica, then counter: the same order on every replica. */
export function compareDots(a: Sibling, b: Sibling): number {
  return a.replica === b.replica ? a.counter - b.counter : a.replica < b.replica ? -1 : 1;
}

/** What a vector is asked for. */
export type Counters = Pick<ReadonlyVector, 'get'>;

/** Whether a vector knows of the write. */
export function knows(vector: Counters, sibling: Sibling): boolean {
  return counterOf(vector, sibling.replica) >= sibling.counter;
}

/**
 * Joins two replicas' siblings of one key. A sibling that only one side has survives unless the other side knows of
 * it, for then the other side has seen it replaced. Commutative, associative and idempotent (optimized OR-set:
 * Bieniusa et al., "An optimized conflict-free replicated set", 2012; as registers: Preguiça et al., "Dotted version
 * vectors", 2010). Returns `local` itself when nothing changes.
 */
export function joinSiblings(
  local: Siblings,
  localContext: Counters,
  remote: Siblings,
  remoteContext: Counters,
): Siblings {
  if (local.length === 1 && remote.length === 1 && !sameDot(local[0], remote[0])) {
    // The most frequent case by far: one write, and one that has replaced it.
    if (knows(remoteContext, local[0]) && !knows(localContext, remote[0])) {
      return remote;
    }
  }
  const joined: Sibling[] = [];
  let changed = false;
  let i = 0;
  let j = 0;
  while (i < local.length || j < remote.length) {
    const order = i === local.length ? 1 : j === remote.length ? -1 : compareDots(local[i], remote[j]);
    if (order === 0) {
      joined.push(local[i]);
      i++;
      j++;
    } else if (order < 0) {
      if (knows(remoteContext, local[i])) {
        changed = true;
      } else {
        joined.push(local[i]);
      }
      i++;
    } else {
      if (!knows(localContext, remote[j])) {
        joined.push(remote[j]);
        changed = true;
      }
      j++;
    }
  }
  return changed ? joined : local;
}

function sameDot(a: Sibling, b: Sibling): boolean {
  return a.counter === b.counter && a.replica === b.replica;
}

/** Whether one of them is no delete. */
export function hasValue(siblings: Siblings): boolean {
  for (const { text } of siblings) {
    if (text !== null) {
      return true;
    }
  }
  return false;
}

/** Raises a vector to a write. */
export function raise(vector: VersionVector, { replica, counter }: Sibling): void {
  if (counterOf(vector, replica) < counter) {
    vector.set(replica, counter);
  }
}
