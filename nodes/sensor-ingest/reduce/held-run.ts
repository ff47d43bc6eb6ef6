import type { ValueBudget } from '../value-budget';

/** Readings that are made room for at first. */
const FIRST_ROWS = 8;
/** Values that every source may hold, whatever the budget. */
const FREE_VALUES = 256;

/** Times and values of the readings of one run, row by row in one block. */
export class HeldRun {
  length = 0;
  private channels = 0;
  private rows = 0;
  private block = new Float64Array(0);
  private paid = 0;

  constructor(
    private readonly budget: ValueBudget,
    private readonly longest: number,
  ) {}

  /** Forgets what it holds and begins anew with so many channels. Without any room a run ends at its first reading. */
  begin(channels: number): void {
    this.length = 0;
    if (channels !== this.channels || this.rows === 0) {
      this.budget.give(this.paid);
      this.channels = channels;
      const values = FIRST_ROWS * (channels + 1);
      const isFree = values <= FREE_VALUES;
      const fits = isFree || this.budget.take(values);
      this.paid = fits && !isFree ? values : 0;
      this.rows = fits ? FIRST_ROWS : 0;
      this.block = new Float64Array(this.rows * (channels + 1));
    }
  }

  /** Whether there is room for a reading, made if the budget allows. */
  hasRoom(): boolean {
    if (this.length < this.rows) {
      return true;
    }
    const rows = Math.min(this.longest, this.rows * 2);
    const more = (rows - this.rows) * (this.channels + 1);
    if (more <= 0 || !this.budget.take(more)) {
      return false;
    }
    this.paid += more;
    const block = new Float64Array(rows * (this.channels + 1));
    block.set(this.block);
    this.block = block;
    this.rows = rows;
    return true;
  }

  /** @param values in the order of the channels */
  push(ts: number, names: readonly string[], values: Readonly<Record<string, number>>): void {
    let at = this.length++ * (this.channels + 1);
    this.block[at++] = ts;
    for (const name of names) {
      this.block[at++] = values[name];
    }
  }

  ts(row: number): number {
    return this.block[row * (this.channels + 1)];
  }

  value(row: number, channel: number): number {
    return this.block[row * (this.channels + 1) + 1 + channel];
  }
}
