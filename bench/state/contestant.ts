/** The writes of one replica between two exchanges. */
export interface Batch {
  keys: string[];
  values: number[];
}

type Later<T> = T | Promise<T>;

/** Some replicas of one library that hold the same map, and the wire between them. */
export interface Contestant {
  /** Overwrites keys on one replica. */
  write(replica: number, batch: Batch): Later<void>;
  /** Brings all members level with each other; resolves with the bytes that they received, all together. */
  exchange(members: readonly number[]): Later<number>;
  /** Brings `to` level with `from`, which has been apart; resolves with the bytes in both directions. */
  heal(from: number, to: number): Later<number>;
  /** Bytes of the whole state as a newcomer would get it. */
  stateBytes(): Later<number>;
  /** Replica `replica` by key; for checking that all hold the same. */
  read(replica: number): Later<Record<string, unknown>>;
  close?(): Promise<void>;
}

export type MakeContestant = (replicas: number, folder: string) => Later<Contestant>;
