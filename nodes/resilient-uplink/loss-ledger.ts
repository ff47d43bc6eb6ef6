import type { Ending, Fate } from './outbox-port';

/** Consecutive sequences that came to the same end. */
export interface LedgerRange extends Ending {
  first: number;
  last: number;
}

/** How many messages came to each end. */
export class Tally {
  private readonly entries = new Map<string, Ending & { count: number }>();

  add({ fate, connection }: Ending, count: number): void {
    const key = `${fate} ${connection}`;
    const entry = this.entries.get(key);
    if (entry) {
      entry.count += count;
    } else {
      this.entries.set(key, { fate, connection, count });
    }
  }

  get total(): number {
    return this.all().reduce((sum, { count }) => sum + count, 0);
  }

  all(): (Ending & { count: number })[] {
    return [...this.entries.values()];
  }
}

/** What has to be written down of a ledger that changed. */
export interface LedgerChanges {
  /** First sequences of ranges that are no more. */
  removed: number[];
  put: LedgerRange[];
  summary: boolean;
}

/** Ranges beyond which the oldest are summarised, and how many are left then. */
export const LEDGER_LIMIT = { most: 10_000, keep: 9000 };

/**
 * What became of every message of a store, as ranges of sequences. What is in no range is still pending, so that the
 * sequences from 1 to the last one are accounted for without a gap. Up to `summarisedTo` there are numbers only: how
 * many messages came to which end.
 */
export class LossLedger {
  private readonly dirty = new Set<number>();
  private summaryChanged = false;

  /** @param ranges sorted, apart, none before `summarisedTo` */
  constructor(
    private readonly ranges: LedgerRange[],
    readonly summary: Tally,
    private upTo: number,
    private readonly limit = LEDGER_LIMIT,
  ) {}

  /** The sequence up to which only numbers are known; 0 = none. */
  get summarisedTo(): number {
    return this.upTo;
  }

  all(): readonly LedgerRange[] {
    return this.ranges;
  }

  /** Writes down the end of pending messages with consecutive sequences. */
  record(first: number, last: number, ending: Ending): void {
    if (first <= this.upTo) {
      this.summarise(ending, Math.min(last, this.upTo) - first + 1);
      first = this.upTo + 1;
    }
    if (first <= last) {
      this.insert(first, last, ending);
      this.compact();
    }
  }

  /** Makes a message that had come to its end pending again. */
  reopen(sequence: number, ending: Ending): void {
    if (sequence <= this.upTo) {
      this.summarise(ending, -1);
      return;
    }
    const index = this.after(sequence) - 1;
    const range = this.ranges[index] as LedgerRange | undefined;
    if (!range || range.last < sequence) {
      return;
    }
    const { first, last, fate, connection } = range;
    const rest: LedgerRange[] = [];
    if (first < sequence) {
      rest.push({ first, last: sequence - 1, fate, connection });
    }
    if (sequence < last) {
      rest.push({ first: sequence + 1, last, fate, connection });
      this.dirty.add(sequence + 1);
    }
    this.dirty.add(first);
    this.ranges.splice(index, 1, ...rest);
    this.compact();
  }

  /** What changed since this was last asked for. */
  takeChanges(): LedgerChanges {
    const changes: LedgerChanges = { removed: [], put: [], summary: this.summaryChanged };
    for (const first of this.dirty) {
      const range = this.ranges[this.after(first) - 1] as LedgerRange | undefined;
      if (range?.first === first) {
        changes.put.push(range);
      } else {
        changes.removed.push(first);
      }
    }
    this.dirty.clear();
    this.summaryChanged = false;
    return changes;
  }

  private insert(first: number, last: number, { fate, connection }: Ending): void {
    const index = this.after(first);
    const left = this.ranges[index - 1] as LedgerRange | undefined;
    const right = this.ranges[index] as LedgerRange | undefined;
    const joinsLeft = left?.last === first - 1 && isSame(left, fate, connection);
    const joinsRight = right?.first === last + 1 && isSame(right, fate, connection);
    if (joinsRight) {
      this.dirty.add(right.first);
    }
    if (joinsLeft) {
      this.dirty.add(left.first);
      left.last = joinsRight ? right.last : last;
      if (joinsRight) {
        this.ranges.splice(index, 1);
      }
      return;
    }
    this.dirty.add(first);
    if (joinsRight) {
      right.first = first;
    } else {
      this.ranges.splice(index, 0, { first, last, fate, connection });
    }
  }

  private compact(): void {
    if (this.ranges.length <= this.limit.most) {
      return;
    }
    for (const range of this.ranges.splice(0, this.ranges.length - this.limit.keep)) {
      this.summarise(range, range.last - range.first + 1);
      this.dirty.add(range.first);
      this.upTo = range.last;
    }
  }

  private summarise(ending: Ending, count: number): void {
    this.summary.add(ending, count);
    this.summaryChanged = true;
  }

  /** The index behind the last range that begins at a sequence or before it. */
  private after(sequence: number): number {
    let low = 0;
    let high = this.ranges.length;
    // Messages mostly end in the order in which they were stored.
    if (high > 0 && this.ranges[high - 1].first <= sequence) {
      return high;
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ranges[middle].first <= sequence) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

function isSame(range: LedgerRange, fate: Fate, connection: string): boolean {
  return range.fate === fate && range.connection === connection;
}
