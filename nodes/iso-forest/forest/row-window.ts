const FIRST_CAPACITY = 64;

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
   * Copies rows column by column, in the order in which they lie in memory.
   *
   * @param rows the first row, the distance between rows, and by row whether to copy it (1)
   * @param stride room for a column in `target`
   * @param column the first place in each column
   */
  gather(
    { from, step, chosen }: { from: number; step: number; chosen: Uint8Array },
    target: Float32Array,
    stride: number,
    column: number,
  ): { count: number; gaps: boolean } {
    const { values, width, slots } = this;
    let gaps = false;
    let slot = from % slots;
    let to = column;
    for (let i = 0; i < chosen.length; i++) {
      if (chosen[i] === 1) {
        const start = slot * width;
        for (let feature = 0, at = to; feature < width; feature++, at += stride) {
          const value = values[start + feature];
          target[at] = value;
          gaps ||= value !== value;
        }
        to++;
      }
      slot += step;
      slot = slot < slots ? slot : slot % slots;
    }
    return { count: to - column, gaps };
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
