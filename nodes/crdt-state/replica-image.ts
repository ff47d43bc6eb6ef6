import { NameTable, type Name } from './names';
import type { Siblings } from './sibling';
import type { Slot } from './slot';
import { covers, type ReadonlyVector, type VersionVector } from './version-vector';

export type Entry = readonly [key: string, siblings: Siblings];

/** The writes that one replica made after `from`, with everything it knew when it sent them. */
export interface Delta {
  sender: string;
  /** The sender's counter that the delta before this one ended at. */
  from: number;
  /**
   * The sender's counter at the end of this delta, and of other replicas the latest write that this delta's keys have
   * as a sibling or had when they were written: the causal dependencies. It may hold more of what the sender knew.
   */
  context: ReadonlyVector;
  /** The *whole* sibling set of each key, other replicas' writes included. */
  entries: readonly Entry[];
  /** Of the entries that were named shortly, what the name led to in the receiver's book. */
  names?: readonly (Name | undefined)[];
}

/** What a replica knows above a vector that the receiver has reached. */
export interface CatchUp {
  context: ReadonlyVector;
  /**
   * Set when the receiver's vector is below the sender's floor: `entries` is then everything the sender holds, and
   * what the context knows but no entry has was deleted.
   */
  floor?: ReadonlyVector;
  entries: readonly Entry[];
}

/** All that a replica must remember over a restart. */
export interface ReplicaImage {
  id: string;
  base: number;
  contacted: boolean;
  context: VersionVector;
  floor: VersionVector;
  /** The peers by replica id, and how many of the own writes each is known to know. */
  peers: ReadonlyVector;
  /** The keys with siblings. */
  slots: NameTable<Slot>;
}

/** What a replica remembers besides its keys. */
export type Knowledge = Omit<ReplicaImage, 'slots'>;

/** A copy that does not change with the image. */
export function knowledgeOf({ id, base, contacted, context, floor, peers }: Knowledge): Knowledge {
  return { id, base, contacted, context: new Map(context), floor: new Map(floor), peers };
}

/** Whether there is more to remember than before. */
export function hasAdvanced(before: Knowledge, now: Knowledge): boolean {
  return (
    before.id !== now.id ||
    before.contacted !== now.contacted ||
    before.peers !== now.peers ||
    !covers(before.context, now.context) ||
    !covers(before.floor, now.floor)
  );
}

/** Joins a gateway id and an incarnation to a replica id. */
export function replicaId(gateway: string, incarnation: string): string {
  return `${gateway}.${incarnation}`;
}

export function gatewayOfReplica(id: string): string {
  return id.slice(0, id.lastIndexOf('.'));
}

export function newImage(id: string): ReplicaImage {
  return {
    id,
    base: 0,
    contacted: false,
    context: new Map(),
    floor: new Map(),
    peers: new Map(),
    slots: new NameTable(),
  };
}
