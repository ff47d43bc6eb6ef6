import type { DeltaFrame } from './frame';
import { latestOwn } from './peers';
import type { Entry, Replica } from './replica';
import type { ReplicaNames } from './replica-names';
import { raise } from './sibling';
import { entryBytes } from './transfers';
import { joinVector } from './version-vector';

const MAX_DELTA_BYTES = 131_072;

/** Own writes that no delta has told yet. */
export class OwnWrites {
  private readonly unsent = new Set<string>();
  /** The own counter that the last delta ended at. */
  private end: number;

  constructor(
    private readonly replica: Replica,
    private readonly names: ReplicaNames,
  ) {
    this.end = replica.counter;
  }

  get waiting(): boolean {
    return this.unsent.size > 0;
  }

  /** The own counter up to which deltas have told everything. */
  get sent(): number {
    return this.end;
  }

  /** Begins anew when the replica has taken another identity. */
  renewed(): void {
    this.end = 0;
    this.unsent.clear();
  }

  /** Takes note of a committed change of a key; gives back the counter of its latest own write. */
  changed(key: string): number {
    const latest = latestOwn(this.replica, key);
    if (latest > this.end) {
      this.unsent.add(key);
    }
    return latest;
  }

  /**
   * One delta of all that waits; `too large` when no frame can hold it: a delta cannot be divided. Nothing waits
   * afterwards.
   */
  take(): DeltaFrame | 'too large' | undefined {
    const { id, context, floor } = this.replica;
    const { replaced, created } = this.replica.takeWritten();
    const from = this.end;
    this.end = this.replica.counter;
    const entries: Entry[] = [];
    let bytes = 0;
    for (const key of this.unsent) {
      const siblings = this.replica.siblings(key);
      if (siblings.length > 0) {
        const entry: Entry = [key, siblings];
        entries.push(entry);
        bytes += entryBytes(entry);
        for (const sibling of siblings) {
          if (sibling.replica !== id) {
            raise(replaced, sibling);
          }
        }
      }
    }
    this.unsent.clear();
    if (bytes > MAX_DELTA_BYTES) {
      return 'too large';
    }
    if (this.end === from) {
      return undefined;
    }
    if (from === 0) {
      // What was replaced under an earlier identity is not remembered, and who has all keys is not known.
      return { kind: 'delta', sender: id, context: new Map(context), from, entries };
    }
    if (created.size > 0) {
      // What was deleted and forgotten of these keys is replaced as well.
      joinVector(replaced, floor);
    }
    replaced.set(id, this.end);
    return {
      kind: 'delta',
      sender: id,
      context: replaced,
      from,
      entries,
      short: this.names.shortener(created),
    };
  }
}
