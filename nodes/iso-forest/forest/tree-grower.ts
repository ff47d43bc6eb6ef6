import type { Random } from '../../shared/random';
import { ceilLog2 } from './exact-math';
import { NODE_WORDS, NodeBlock, type TreeKind } from './node-block';
import { averagePathLength } from './path-length';
import type { RowWindow } from './row-window';
import { SubSample, type RowSpan } from './sub-sample';

/**
 * Grows one isolation tree at a time (Liu, Ting and Zhou 2008, with scikit-learn's choices: height limit ceil(log2 ψ),
 * a feature drawn from those that are not constant in the node, a split drawn between their least and greatest value,
 * `<=` goes left). The tree lies in this workspace until the next one is grown; a `Forest` copies it.
 *
 * A leaf holds its path length (depth + c(rows in it)) divided by c(ψ). Other growers split in another way, or give their
 * leaves another value.
 */
export class TreeGrower {
  readonly block: NodeBlock;
  /** Rows of the sub-sample in each node. */
  readonly counts: Uint16Array;
  size = 0;
  /** Splits on the longest path of the tree that was grown last. */
  deepest = 0;
  readonly sample: SubSample;

  /** Features that may still vary, in the first places. */
  protected candidates = new Uint16Array(0);
  private heightLimit = 0;
  private scale = 1;

  /** @param size the largest sub-sample, up to 4096 rows */
  constructor(
    size: number,
    readonly kind: TreeKind = 'path',
  ) {
    this.sample = new SubSample(size);
    this.block = new NodeBlock(2 * size, NODE_WORDS[kind]);
    this.counts = new Uint16Array(2 * size);
  }

  /** Grows a tree from a sub-sample of the rows `from` to `to` (excluded; at least one), drawn without replacement. */
  grow(window: RowWindow, from: number, to: number, random: Random): void {
    this.growFrom([{ window, from, to }], random);
  }

  /** Grows a tree from a sub-sample of all the spans. */
  growFrom(spans: readonly RowSpan[], random: Random): void {
    const { sample } = this;
    sample.draw(spans, random);
    if (this.candidates.length < sample.width) {
      this.candidates = new Uint16Array(sample.width);
    }
    for (let feature = 0; feature < sample.width; feature++) {
      this.candidates[feature] = feature;
    }
    this.heightLimit = this.highest(sample.count);
    // One row has no path; its tree then counts as average.
    this.scale = sample.count > 1 ? 1 / averagePathLength(sample.count) : 1;
    this.size = 1;
    this.deepest = 0;
    this.node(0, 0, sample.count, 0, sample.width, random);
  }

  /** What one level of depth adds to a normalized path length in this tree. */
  get step(): number {
    return this.scale;
  }

  /** @param open how many of the candidates may still vary here; the others are constant in every node below. */
  protected node(
    node: number,
    start: number,
    end: number,
    depth: number,
    open: number,
    random: Random,
  ): void {
    this.counts[node] = end - start;
    if (depth < this.heightLimit && end - start > 1 && this.split(node, start, end, depth, open, random)) {
      return;
    }
    const { floats, links, words } = this.block;
    links[2 * (words * node + 1)] = node;
    links[2 * (words * node + 1) + 1] = this.sample.width;
    floats[words * node] = this.leafValue(depth, end - start);
    this.deepest = Math.max(this.deepest, depth);
  }

  /** Makes room for the two children of a node; returns the number of the left one. */
  protected bear(node: number): number {
    const left = this.size;
    this.size += 2;
    this.block.links[2 * (this.block.words * node + 1)] = left + 1;
    return left;
  }

  /** Splits a node, or returns false when its rows are all the same. */
  protected split(
    node: number,
    start: number,
    end: number,
    depth: number,
    open: number,
    random: Random,
  ): boolean {
    const { candidates, sample } = this;
    for (let varying = open; varying > 0;) {
      const pick = random.int(varying);
      const feature = candidates[pick];
      sample.spread(start, end, feature);
      if (sample.high > sample.low) {
        this.branch(node, feature, start, end, depth, varying, random);
        return true;
      }
      varying--;
      candidates[pick] = candidates[varying];
      candidates[varying] = feature;
    }
    return false;
  }

  /** The most splits on a path, for so many rows. */
  protected highest(rows: number): number {
    return ceilLog2(rows);
  }

  protected leafValue(depth: number, rows: number): number {
    return this.sample.count > 1 ? (depth + averagePathLength(rows)) * this.scale : this.scale;
  }

  /**
   * Told before one side of a split is grown.
   *
   * @param rows share of the rows of the node that was split
   * @param range share of its range
   */
  protected enter?(node: number, depth: number, rows: number, range: number): void;

  private branch(
    node: number,
    feature: number,
    start: number,
    end: number,
    depth: number,
    open: number,
    random: Random,
  ): void {
    const { sample, block } = this;
    const { low, high } = sample;
    const threshold = drawBetween(low, high, random);
    const { links, floats, words } = block;
    links[2 * (words * node + 1) + 1] = feature;
    floats[words * node] = threshold;
    const middle = sample.part(sample.columns, feature * sample.size, start, end, threshold, random);
    const rows = end - start;
    const left = this.bear(node);
    this.enter?.(left, depth + 1, (middle - start) / rows, (threshold - low) / (high - low));
    this.node(left, start, middle, depth + 1, open, random);
    this.enter?.(left + 1, depth + 1, (end - middle) / rows, (high - threshold) / (high - low));
    this.node(left + 1, middle, end, depth + 1, open, random);
  }
}

/** A 32-bit float from `low` on, below `high`. */
function drawBetween(low: number, high: number, random: Random): number {
  const drawn = Math.fround(low + random.next() * (high - low));
  // Rounding to 32 bits may reach the greatest value, which would leave the right side empty.
  return drawn < high && drawn >= low ? drawn : low;
}
