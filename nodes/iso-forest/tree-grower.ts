import type { Random } from '../shared/random';
import { ceilLog2 } from './exact-math';
import { NodeBlock } from './node-block';
import { averagePathLength } from './path-length';
import type { RowWindow } from './row-window';

/**
 * Grows one isolation tree at a time (Liu, Ting and Zhou 2008, with scikit-learn's choices: height limit ceil(log2 ψ),
 * a feature drawn from those that are not constant in the node, a split drawn between their least and greatest value,
 * `<=` goes left). The tree lies in this workspace until the next one is grown; a {@link Forest} copies it.
 *
 * A leaf holds its path length (depth + c(rows in it)) divided by c(ψ).
 */
export class TreeGrower {
  readonly block: NodeBlock;
  /** Rows of the sub-sample in each node. */
  readonly counts: Uint16Array;
  /** Least and greatest value of each feature in the sub-sample, in the first places. */
  lows = new Float32Array(0);
  highs = new Float32Array(0);
  size = 0;
  /** Rows in the sub-sample, ψ. */
  sampled = 0;
  /** Numbers of the rows that were drawn, in the first {@link sampled} places; the others follow. */
  order = new Uint32Array(0);

  private chosen = new Uint8Array(0);
  private width = 0;
  /** The sub-sample, column by column. */
  private columns = new Float32Array(0);
  private readonly rows: Uint16Array;
  private candidates = new Uint16Array(0);
  private heightLimit = 0;
  private scale = 1;
  private gaps = false;

  /** @param sample the largest sub-sample, up to 4096 rows */
  constructor(private readonly sample: number) {
    const nodes = 2 * sample;
    this.block = new NodeBlock(nodes);
    this.counts = new Uint16Array(nodes);
    this.rows = new Uint16Array(sample);
  }

  /** Grows a tree from a sub-sample of the rows `from` to `to` (excluded; at least one), drawn without replacement. */
  grow(window: RowWindow, from: number, to: number, random: Random): void {
    this.fit(window.width, to - from);
    this.draw(window, from, to, random);
    for (let feature = 0; feature < this.width; feature++) {
      this.candidates[feature] = feature;
      this.spread(0, this.sampled, feature);
      this.lows[feature] = this.low;
      this.highs[feature] = this.high;
    }
    this.heightLimit = ceilLog2(this.sampled);
    // One row has no path; its tree then counts as average.
    this.scale = this.sampled > 1 ? 1 / averagePathLength(this.sampled) : 1;
    this.size = 0;
    this.split(0, this.sampled, 0, this.width, random);
  }

  /** What one level of depth adds to a normalized path length in this tree. */
  get step(): number {
    return this.scale;
  }

  private fit(width: number, history: number): void {
    this.width = width;
    if (this.candidates.length < width) {
      this.candidates = new Uint16Array(width);
      this.lows = new Float32Array(width);
      this.highs = new Float32Array(width);
      this.columns = new Float32Array(width * this.sample);
    }
    if (this.order.length < history) {
      this.order = new Uint32Array(history);
      this.chosen = new Uint8Array(history);
    }
  }

  private draw(window: RowWindow, from: number, to: number, random: Random): void {
    const available = to - from;
    const sampled = Math.min(this.sample, available);
    const { order, chosen, rows } = this;
    for (let i = 0; i < available; i++) {
      order[i] = from + i;
    }
    chosen.fill(0, 0, available);
    for (let i = 0; i < sampled; i++) {
      const pick = i + random.int(available - i);
      const row = order[pick];
      order[pick] = order[i];
      order[i] = row;
      rows[i] = i;
      chosen[row - from] = 1;
    }
    this.gaps = window.gather(from, available, chosen, this.columns, this.sample);
    this.sampled = sampled;
  }

  private low = 0;
  private high = 0;

  /** Finds the least and greatest value of a feature; both NaN when there is none. */
  private spread(start: number, end: number, feature: number): void {
    const { columns, rows } = this;
    const column = feature * this.sample;
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

  /** @param open how many of the candidates may still vary here; the others are constant in every node below. */
  private split(start: number, end: number, depth: number, open: number, random: Random): void {
    const node = this.size++;
    this.counts[node] = end - start;
    let varying = open;
    if (depth < this.heightLimit && end - start > 1) {
      while (varying > 0) {
        const pick = random.int(varying);
        const feature = this.candidates[pick];
        this.spread(start, end, feature);
        if (this.high > this.low) {
          this.branch(node, feature, start, end, depth, varying, random);
          return;
        }
        varying--;
        this.candidates[pick] = this.candidates[varying];
        this.candidates[varying] = feature;
      }
    }
    this.block.links[4 * node + 2] = 0;
    this.block.links[4 * node + 3] = 0;
    this.block.thresholds[2 * node] =
      this.sampled > 1 ? (depth + averagePathLength(end - start)) * this.scale : this.scale;
  }

  private branch(
    node: number,
    feature: number,
    start: number,
    end: number,
    depth: number,
    open: number,
    random: Random,
  ): void {
    const { low, high } = this;
    let threshold = Math.fround(low + random.next() * (high - low));
    // Rounding to 32 bits may reach the greatest value, which would leave the right side empty.
    if (!(threshold < high && threshold >= low)) {
      threshold = low;
    }
    const { links, thresholds } = this.block;
    links[4 * node + 3] = feature;
    thresholds[2 * node] = threshold;
    const middle = this.partition(start, end, feature, threshold, random);
    this.split(start, middle, depth + 1, open, random);
    links[4 * node + 2] = this.size;
    this.split(middle, end, depth + 1, open, random);
  }

  /** Moves the rows that go left to the front; a row without a value goes left with the share of the others that do. */
  private partition(start: number, end: number, feature: number, threshold: number, random: Random): number {
    const { columns, rows } = this;
    const column = feature * this.sample;
    const share = this.gaps ? this.leftShare(start, end, column, threshold) : 0;
    let left = start;
    let right = end - 1;
    while (left <= right) {
      const value = columns[column + rows[left]];
      if (value <= threshold || (value !== value && random.next() < share)) {
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

  private leftShare(start: number, end: number, column: number, threshold: number): number {
    let left = 0;
    let present = 0;
    for (let i = start; i < end; i++) {
      const value = this.columns[column + this.rows[i]];
      left += value <= threshold ? 1 : 0;
      present += value === value ? 1 : 0;
    }
    return left / present;
  }
}
