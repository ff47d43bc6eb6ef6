import type { ValueBudget } from '../value-budget';
import { featureKeys, type FeatureExtractor } from './features';
import { claim, type ClosedWindow, type RowWindow } from './window';

/** Rows and channels cost more here than in a column: each row is kept as it is. */
const ROW_COST = 8;

interface HeldRow {
  ts: number;
  row: Readonly<Record<string, number>>;
  cost: number;
}

/**
 * Windows of event time: window k covers [k·step, k·step + size), ms since the epoch. A window is complete when the
 * watermark has reached its end; windows without rows are not sent. Rows may come in any order before that.
 */
export class TimeWindow implements RowWindow {
  /** In order of event time once a window closes; until then late rows may lie behind newer ones. */
  private held: HeldRow[] = [];
  private sorted = true;
  /** Start of the earliest window that is still open. */
  private nextStart = Infinity;

  constructor(
    private readonly sizeMs: number,
    private readonly stepMs: number,
    private readonly extractor: FeatureExtractor,
    private readonly budget: ValueBudget,
  ) {}

  push(ts: number, row: Readonly<Record<string, number>>, watermark: number): ClosedWindow[] {
    const cost = Object.keys(row).length * 2 + ROW_COST;
    claim(this.budget, cost);
    const last = this.held.at(-1);
    this.sorted &&= !last || last.ts <= ts;
    // A copy, because the row itself may have left for the flow.
    this.held.push({ ts, row: { ...row }, cost });
    this.nextStart = Math.min(this.nextStart, this.firstStart(ts));
    return this.nextStart + this.sizeMs > watermark ? [] : this.closeUpTo(watermark);
  }

  private closeUpTo(watermark: number): ClosedWindow[] {
    if (!this.sorted) {
      // Not at each late row: putting it in its place would move all that are newer.
      this.held.sort((a, b) => a.ts - b.ts);
      this.sorted = true;
    }
    const closed: ClosedWindow[] = [];
    while (this.held.length > 0) {
      this.nextStart = Math.max(this.nextStart, this.firstStart(this.held[0].ts));
      const start = this.nextStart;
      if (start + this.sizeMs > watermark) {
        break;
      }
      const window = this.close(start);
      if (window) {
        closed.push(window);
      }
      this.nextStart = start + this.stepMs;
      const leaving = this.countBefore(this.nextStart);
      for (const { cost } of this.held.splice(0, leaving)) {
        this.budget.give(cost);
      }
    }
    return closed;
  }

  private close(start: number): ClosedWindow | undefined {
    const count = this.countBefore(start + this.sizeMs);
    if (count === 0) {
      return undefined;
    }
    const columns = new Map<string, Float64Array>();
    const lengths = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      const { row } = this.held[i];
      for (const name of Object.keys(row)) {
        let column = columns.get(name);
        if (!column) {
          column = new Float64Array(count);
          columns.set(name, column);
        }
        const length = lengths.get(name) ?? 0;
        column[length] = row[name];
        lengths.set(name, length + 1);
      }
    }
    const payload: Record<string, number> = {};
    for (const [name, column] of columns) {
      const length = lengths.get(name) ?? 0;
      const keys = featureKeys(name, this.extractor.features);
      this.extractor.compute(column, length, keys, payload, length === count);
    }
    return { payload, window: { start, end: start + this.sizeMs, count } };
  }

  /** Start of the earliest window that contains an event time. */
  private firstStart(ts: number): number {
    return (Math.floor((ts - this.sizeMs) / this.stepMs) + 1) * this.stepMs;
  }

  private countBefore(ts: number): number {
    let low = 0;
    let high = this.held.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.held[middle].ts < ts) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
