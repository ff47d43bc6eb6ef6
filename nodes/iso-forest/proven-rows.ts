import { RowWindow } from './forest/row-window';
import type { RowSpan } from './forest/sub-sample';

export interface ProvenState {
  /** One in so many is kept. */
  stride: number;
  rows: Float32Array;
}

/** The least distance of rows that are kept: neighbours in time say nearly the same. */
const LEAST_STRIDE = 4;

export const NOTHING_PROVEN: ProvenState = { stride: LEAST_STRIDE, rows: new Float32Array(0) };

/**
 * A thinned memory of all rows that were ever given to it, in bounded space: at most `limit` at even distances, which
 * double whenever that many are there. Rows as they were up to `memory` rows ago can be read again, so that a tree that was
 * grown then can be grown again.
 */
export class ProvenRows {
  private rows: RowWindow;
  private stride: number;

  constructor(
    private readonly width: number,
    private readonly limit: number,
    private readonly memory: number,
    state: ProvenState,
  ) {
    this.stride = state.stride;
    this.rows = RowWindow.from(width, limit + Math.ceil(memory / LEAST_STRIDE) + 1, state.rows, 0);
  }

  get bytes(): number {
    return this.rows.bytes;
  }

  state(): ProvenState {
    return { stride: this.stride, rows: this.rows.copy(0, this.rows.count) };
  }

  /** Whether the row with this position (from 0, without gaps) is kept. */
  wants(position: number): boolean {
    return position % this.stride === 0 && this.rows.count < this.rows.capacity;
  }

  /** @param position of a row that is wanted */
  add(position: number, row: Float32Array): void {
    this.rows.push(row);
    while (this.strideAfter(position + 1 - this.memory) > this.stride) {
      this.thin();
    }
  }

  /** The rows that were kept when so many had been given; undefined when there were none. */
  span(given: number): RowSpan | undefined {
    const step = Math.max(1, this.strideAfter(given) / this.stride);
    const to = Math.min(this.rows.count, Math.ceil(given / this.stride));
    return to > 0 ? { window: this.rows, from: 0, to, step } : undefined;
  }

  private strideAfter(given: number): number {
    let stride = LEAST_STRIDE;
    while (given > stride * this.limit) {
      stride *= 2;
    }
    return stride;
  }

  private thin(): void {
    const { width, rows } = this;
    const row = new Float32Array(width);
    this.rows = new RowWindow(width, rows.capacity);
    for (let index = 0; index < rows.count; index += 2) {
      rows.read(index, row);
      this.rows.push(row);
    }
    this.stride *= 2;
  }
}
