import type { Random } from '../../shared/random';
import type { Columns, RowWindow } from './row-window';

/** Rows `from` to `to` (excluded) of a window, at distances of `step` (1 when left out); at least one. */
export interface RowSpan {
  window: RowWindow;
  from: number;
  to: number;
  step?: number;
}

const rowsIn = ({ from, to, step = 1 }: RowSpan): number => Math.ceil((to - from) / step);

/**
 * The rows that one tree is grown from, column by column, in memory that the next tree uses again. A grower splits
 * {@link rows} in place: a node of the tree is a stretch of it.
 */
export class SubSample implements Columns {
  /** Values by feature and row: feature `f` of row `r` at `f * size + r`. */
  columns = new Float32Array(0);
  /** Numbers of the sub-sample's rows, in the first {@link count} places. */
  readonly rows: Uint16Array;
  /** Rows in the sub-sample, ψ. */
  count = 0;
  width = 0;
  /** Which rows were drawn, counted through all spans, in the first {@link count} places; the others follow. */
  order = new Uint32Array(0);
  /** Least and greatest value of each feature, in the first {@link width} places; NaN where there is none. */
  lows = new Float32Array(0);
  highs = new Float32Array(0);
  /** What {@link spread} found. */
  low = 0;
  high = 0;

  /** For the windows: where the rows begin that are gathered. */
  readonly starts: Uint32Array;

  private chosen = new Uint8Array(0);

  /** @param size the most rows, up to 4096 */
  constructor(readonly size: number) {
    this.rows = new Uint16Array(size);
    this.starts = new Uint32Array(size + 1);
  }

  /** Draws rows of the spans, without replacement. All windows are as wide. */
  draw(spans: readonly RowSpan[], random: Random): void {
    let available = 0;
    for (const span of spans) {
      available += rowsIn(span);
    }
    this.fit(spans[0].window.width, available);
    const drawn = Math.min(this.size, available);
    const { order, chosen, rows } = this;
    for (let i = 0; i < available; i++) {
      order[i] = i;
    }
    chosen.fill(0, 0, available);
    for (let i = 0; i < drawn; i++) {
      const pick = i + random.int(available - i);
      const row = order[pick];
      order[pick] = order[i];
      order[i] = row;
      rows[i] = i;
      chosen[row] = 1;
    }
    this.lows.fill(NaN, 0, this.width);
    this.highs.fill(NaN, 0, this.width);
    this.gather(spans);
    this.count = drawn;
  }

  /** Finds the least and greatest value of a feature in a stretch of rows; both NaN when there is none. */
  spread(start: number, end: number, feature: number): void {
    const { columns, rows } = this;
    const column = feature * this.size;
    let low = NaN;
    let high = NaN;
    let i = start;
    for (; i < end && low !== low; i++) {
      low = high = columns[column + rows[i]];
    }
    for (; i < end; i++) {
      const value = columns[column + rows[i]];
      if (value < low) {
        low = value;
      } else if (value > high) {
        high = value;
      }
    }
    this.low = low;
    this.high = high;
  }

  /** Whether a feature has more than one value in a stretch of rows. */
  varies(start: number, end: number, feature: number): boolean {
    const { columns, rows } = this;
    const column = feature * this.size;
    let first = NaN;
    for (let i = start; i < end; i++) {
      const value = columns[column + rows[i]];
      if (first !== first) {
        first = value;
      } else if (value < first || value > first) {
        return true;
      }
    }
    return false;
  }

  /**
   * Moves the rows that go left to the front; a row without a value goes left with the share of the others that do.
   *
   * @param values by row of the sub-sample, from `offset` on
   * @returns where the right side begins
   */
  part(
    values: Float32Array | Float64Array,
    offset: number,
    start: number,
    end: number,
    threshold: number,
    random: Random,
  ): number {
    const { rows } = this;
    let share = -1;
    let left = start;
    let right = end - 1;
    while (left <= right) {
      const value = values[offset + rows[left]];
      let goesLeft = value <= threshold;
      if (value !== value) {
        share = share < 0 ? shareBelow(values, offset, rows, start, end, threshold) : share;
        goesLeft = random.next() < share;
      }
      if (goesLeft) {
        left++;
      } else {
        const row = rows[left];
        rows[left] = rows[right];
        rows[right] = row;
        right--;
      }
    }
    return left;
  }

  private gather(spans: readonly RowSpan[]): void {
    let offset = 0;
    let column = 0;
    for (const span of spans) {
      const { window, from, step = 1 } = span;
      const chosen = this.chosen.subarray(offset, offset + rowsIn(span));
      column += window.gather({ from, step, chosen }, this, column);
      offset += chosen.length;
    }
  }

  private fit(width: number, history: number): void {
    this.width = width;
    if (this.lows.length < width) {
      this.lows = new Float32Array(width);
      this.highs = new Float32Array(width);
      this.columns = new Float32Array(width * this.size);
    }
    if (this.order.length < history) {
      this.order = new Uint32Array(history);
      this.chosen = new Uint8Array(history);
    }
  }
}

function shareBelow(
  values: Float32Array | Float64Array,
  offset: number,
  rows: Uint16Array,
  start: number,
  end: number,
  threshold: number,
): number {
  let below = 0;
  let present = 0;
  for (let i = start; i < end; i++) {
    const value = values[offset + rows[i]];
    below += value <= threshold ? 1 : 0;
    present += value === value ? 1 : 0;
  }
  return below / present;
}
