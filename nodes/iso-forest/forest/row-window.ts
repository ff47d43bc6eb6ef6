const FIRST_CAPACITY = 64;

/** Where rows are gathered. */
export interface Columns {
  /** Values by feature and row: feature `f` of row `r` at `f * size + r`. */
  readonly columns: Float32Array;
  readonly size: number;
  /** Least and greatest value of each feature so far; NaN where there is none. */
  readonly lows: Float32Array;
  readonly highs: Float32Array;
  /** Room for where the rows begin, and one more. */
  readonly starts: Uint32Array;
}

/**
 * The latest rows of a source in 32-bit floats, numbered from 0 in the order of arrival for as long as the source
 * lives. Memory grows with the rows that came, so that a source that sent one reading costs little.
 */
export class RowWindow {
  private values: Float32Array;
  private slots: number;
  private total = 0;
  private oldest = 0;

  /**
   * @param width numbers a row
   * @param capacity the most rows kept
   */
  constructor(
    readonly width: number,
    readonly capacity: number,
  ) {
    this.slots = Math.min(FIRST_CAPACITY, capacity);
    this.values = new Float32Array(this.slots * width);
  }

  /** A window with the given rows, of which the first has the number `first`. */
  static from(width: number, capacity: number, rows: Float32Array, first: number): RowWindow {
    const window = new RowWindow(width, capacity);
    window.oldest = first;
    window.total = first;
    for (let at = 0; at + width <= rows.length; at += width) {
      window.push(rows.subarray(at, at + width));
    }
    return window;
  }

  /** How many rows ever came; the next row gets this number. */
  get count(): number {
    return this.total;
  }

  /** Number of the oldest row that is still kept. */
  get first(): number {
    return this.oldest;
  }

  get bytes(): number {
    return this.values.byteLength;
  }

  push(row: Float32Array): void {
    if (this.total - this.oldest === this.slots) {
      if (this.slots < this.capacity) {
        this.enlarge(Math.min(this.slots * 2, this.capacity));
      } else {
        this.oldest++;
      }
    }
    this.values.set(row, (this.total % this.slots) * this.width);
    this.total++;
  }

  /** The value of a row that is kept. */
  value(index: number, feature: number): number {
    return this.values[(index % this.slots) * this.width + feature];
  }

  /** Copies a row that is kept into `target` at `offset`. */
  read(index: number, target: Float32Array, offset = 0): void {
    const start = (index % this.slots) * this.width;
    for (let feature = 0; feature < this.width; feature++) {
      target[offset + feature] = this.values[start + feature];
    }
  }

  /**
   * Copies rows column by column, in the order in which they lie in memory, and widens the columns' ranges to their values.
   *
   * @param rows the first row, the distance between rows, and by row whether to copy it (1)
   * @param column the first place in each column
   * @returns how many rows were copied
   */
  gather(
    { from, step, chosen }: { from: number; step: number; chosen: Uint8Array },
    { columns, size, starts, lows, highs }: Columns,
    column: number,
  ): number {
    const { values, width, slots } = this;
    let count = 0;
    let slot = from % slots;
    for (let i = 0; i < chosen.length; i++) {
      // One that is not chosen is written over by the next; a branch would be mispredicted.
      starts[count] = slot * width;
      count += chosen[i];
      slot += step;
      slot = slot < slots ? slot : slot % slots;
    }
    for (let feature = 0; feature < width; feature++) {
      const to = feature * size + column;
      let low = lows[feature];
      let high = highs[feature];
      for (let i = 0; i < count; i++) {
        const value = values[starts[i] + feature];
        columns[to + i] = value;
        if (value >= low && value <= high) {
          continue;
        }
        if (low !== low) {
          low = high = value;
        } else if (value < low) {
          low = value;
        } else if (value > high) {
          high = value;
        }
      }
      lows[feature] = low;
      highs[feature] = high;
    }
    return count;
  }

  /** The rows `from` to `to` (excluded), one after the other. */
  copy(from: number, to: number): Float32Array {
    const rows = new Float32Array((to - from) * this.width);
    for (let index = from; index < to; index++) {
      this.read(index, rows, (index - from) * this.width);
    }
    return rows;
  }

  private enlarge(slots: number): void {
    const values = new Float32Array(slots * this.width);
    for (let index = this.oldest; index < this.total; index++) {
      this.read(index, values, (index % slots) * this.width);
    }
    this.values = values;
    this.slots = slots;
  }
}
