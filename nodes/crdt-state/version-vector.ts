/** How many writes of each replica are known: replica id to the counter of its latest known write. */
export type VersionVector = Map<string, number>;
export type ReadonlyVector = ReadonlyMap<string, number>;

/** The latest known counter of a replica; 0 when nothing of it is known. */
export function counterOf(vector: Pick<ReadonlyVector, 'get'>, replica: string): number {
  return vector.get(replica) ?? 0;
}

/** Whether everything that `other` knows is known to `vector` too. */
export function covers(vector: ReadonlyVector, other: ReadonlyVector): boolean {
  for (const [replica, counter] of other) {
    if (counterOf(vector, replica) < counter) {
      return false;
    }
  }
  return true;
}

/** Raises `vector` to the larger counter of both, replica by replica. */
export function joinVector(vector: VersionVector, other: ReadonlyVector): void {
  for (const [replica, counter] of other) {
    if (counterOf(vector, replica) < counter) {
      vector.set(replica, counter);
    }
  }
}

/** What `vector` knows beyond another. */
export function beyond(vector: ReadonlyVector, other: ReadonlyVector): VersionVector {
  const news: VersionVector = new Map();
  for (const [replica, counter] of vector) {
    if (counter > counterOf(other, replica)) {
      news.set(replica, counter);
    }
  }
  return news;
}

const MAX_RECENT = 8;

/** Looks up the same few replicas in a vector again and again, while nothing changes it. */
export class RecentCounters {
  private readonly ids: string[] = [];
  private readonly counters: (number | undefined)[] = [];

  constructor(private readonly vector: ReadonlyVector) {}

  get(id: string): number | undefined {
    const { ids } = this;
    for (let index = 0; index < ids.length; index++) {
      if (ids[index] === id) {
        return this.counters[index];
      }
    }
    const counter = this.vector.get(id);
    if (ids.length < MAX_RECENT) {
      ids.push(id);
      this.counters.push(counter);
    }
    return counter;
  }
}
