import type { DeltaFrame } from './frame';
import type { Name } from './names';
import type { Entry, Replica } from './replica';
import type { ReplicaNames } from './replica-names';
import { raise } from './sibling';
import type { Slot } from './slot';
import { entryBytes } from './transfers';
import { joinVector } from './version-vector';

const MAX_DELTA_BYTES = 131_072;

/** Own writes that no delta has told yet. */
export class OwnWrites {
  private unsent: Slot[] = [];
  /** The own counter that the last delta ended at. */
  private end: number;

  constructor(
    private readonly replica: Replica,
    private readonly names: ReplicaNames,
  ) {
    this.end = replica.counter;
  }

  get waiting(): boolean {
    return this.unsent.length > 0;
  }

  /** The own counter up to which deltas have told everything. */
  get sent(): number {
    return this.end;
  }

  /** Begins anew when the replica has taken another identity. */
  renewed(): void {
    this.end = 0;
    this.forget();
  }

  /** Takes note of a committed change of a key whose latest own write is `counter`. */
  changed(slot: Slot, counter: number): void {
    if (counter > this.end && !slot.unsent) {
      slot.unsent = true;
      this.unsent.push(slot);
    }
  }

  /**
   * One delta of all that waits; `too large` when no frame can hold it: a delta cannot be divided. Nothing waits
   * afterwards.
   */
  take(): DeltaFrame | 'too large' | undefined {
    const { id, context, floor } = this.replica;
    const replaced = this.replica.takeReplaced();
    const from = this.end;
    this.end = this.replica.counter;
    const entries: Entry[] = [];
    const names: (Name | undefined)[] = [];
    let bytes = 0;
    let created = false;
    for (const slot of this.unsent) {
      const { siblings } = slot;
      if (siblings.length > 0) {
        const entry: Entry = [slot.text, siblings];
        entries.push(entry);
        names.push(slot.created || slot.shared ? undefined : slot);
        bytes += entryBytes(entry);
        created ||= slot.created;
        for (const sibling of siblings) {
          if (sibling.replica !== id) {
            raise(replaced, sibling);
          }
        }
      }
    }
    this.forget();
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
    if (created) {
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
      short: this.names.shortener(names),
    };
  }

  private forget(): void {
    for (const slot of this.unsent) {
      slot.unsent = false;
      slot.created = false;
    }
    this.unsent = [];
  }
}
