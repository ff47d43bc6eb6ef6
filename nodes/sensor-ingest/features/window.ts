import type { Window } from '../../shared/messages';
import { EdgeError } from '../../shared/errors';
import type { ValueBudget } from '../value-budget';
import { featureKeys, type FeatureExtractor } from './features';

const FIRST_ROWS = 16;
/** What a channel of a window costs besides its values, in values. */
const COLUMN_COST = 64;

/** A window that is complete: its features, and what it covered. */
export interface ClosedWindow {
  payload: Record<string, number>;
  window: Window;
}

/** The open windows of one source. */
export interface RowWindow {
  /**
   * Takes one row in; returns the windows that it completes, oldest first.
   *
   * @param watermark event time up to which no more rows are expected, ms
   * @throws EdgeError `TOO_LARGE`, with nothing changed, when the node's windows hold too much
   */
  push(ts: number, row: Readonly<Record<string, number>>, watermark: number): ClosedWindow[];
}

/** @throws EdgeError `TOO_LARGE` when the windows of the node hold too much already */
export function claim(budget: ValueBudget, values: number): void {
  if (!budget.take(values)) {
    throw new EdgeError(
      'TOO_LARGE',
      `The open windows already hold ${budget.held} values. Use smaller windows, fewer channels, or more gateways.`,
    );
  }
}

interface Column {
  values: Float64Array<ArrayBuffer>;
  /** How many of the buffered rows have this channel. */
  present: number;
  /** The row that last had it. */
  lastRow: number;
  keys: string[];
}

/**
 * Windows of `size` rows in arrival order, a new one every `step` rows: window i covers the rows i·step … i·step+size−1.
 * A channel that some rows lack has features of the rows that have it, without the spectral ones.
 */
export class CountWindow implements RowWindow {
  private readonly columns = new Map<string, Column>();
  private times = new Float64Array(0);
  private rows = 0;

  constructor(
    private readonly size: number,
    private readonly step: number,
    private readonly extractor: FeatureExtractor,
    private readonly budget: ValueBudget,
    private readonly maxChannels: number,
  ) {}

  push(ts: number, row: Readonly<Record<string, number>>): ClosedWindow[] {
    const at = this.rows;
    this.reserve(row);
    this.times[at] = ts;
    for (const name of Object.keys(row)) {
      const column = this.columns.get(name);
      if (column) {
        column.values[at] = row[name];
        column.present++;
        column.lastRow = at;
      }
    }
    for (const column of this.columns.values()) {
      if (column.lastRow !== at) {
        column.values[at] = NaN;
      }
    }
    this.rows++;
    if (this.rows < this.size) {
      return [];
    }
    const closed = this.close();
    this.advance();
    return [closed];
  }

  /** Makes room for one more row before anything changes. */
  private reserve(row: Readonly<Record<string, number>>): void {
    const added = Object.keys(row).filter((name) => !this.columns.has(name));
    if (this.columns.size + added.length > this.maxChannels) {
      throw new EdgeError(
        'TOO_LARGE',
        `The readings of one window have more than ${this.maxChannels} channels. List the ones you need in "channels", or raise "maxChannels".`,
      );
    }
    const capacity = this.times.length;
    if (this.rows === capacity) {
      const grown = Math.min(this.size, Math.max(FIRST_ROWS, capacity * 4));
      claim(this.budget, (grown - capacity) * (this.columns.size + 1) + (grown + COLUMN_COST) * added.length);
      this.times = enlarge(this.times, grown);
      for (const column of this.columns.values()) {
        column.values = enlarge(column.values, grown);
      }
    } else if (added.length > 0) {
      claim(this.budget, (capacity + COLUMN_COST) * added.length);
    }
    for (const name of added) {
      this.columns.set(name, {
        values: new Float64Array(this.times.length).fill(NaN, 0, this.rows),
        present: 0,
        lastRow: -1,
        keys: featureKeys(name, this.extractor.features),
      });
    }
  }

  private close(): ClosedWindow {
    const payload: Record<string, number> = {};
    for (const [name, { values, present, keys }] of this.columns) {
      if (present === 0) {
        this.columns.delete(name);
        this.budget.give(this.times.length + COLUMN_COST);
      } else if (present === this.size) {
        this.extractor.compute(values, present, keys, payload);
      } else {
        const some = values.subarray(0, this.size).filter((value) => !Number.isNaN(value));
        this.extractor.compute(some, present, keys, payload, false);
      }
    }
    let start = Infinity;
    let end = -Infinity;
    for (let i = 0; i < this.size; i++) {
      start = Math.min(start, this.times[i]);
      end = Math.max(end, this.times[i]);
    }
    return { payload, window: { start, end, count: this.size } };
  }

  private advance(): void {
    const { size, step } = this;
    this.rows = size - step;
    this.times.copyWithin(0, step, size);
    for (const column of this.columns.values()) {
      if (column.present === size) {
        column.present -= step;
      } else {
        for (let i = 0; i < step; i++) {
          column.present -= Number.isNaN(column.values[i]) ? 0 : 1;
        }
      }
      column.lastRow -= step;
      column.values.copyWithin(0, step, size);
    }
  }
}

function enlarge(values: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length);
  larger.set(values);
  return larger;
}
