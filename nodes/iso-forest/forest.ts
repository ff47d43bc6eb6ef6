import { exp2 } from './exact-math';
import { NodeBlock } from './node-block';
import type { TreeGrower } from './tree-grower';

export interface ForestOptions {
  /** Features a row. */
  width: number;
  trees: number;
  /** Keep the number of rows in each node, for rows with missing values. */
  gaps: boolean;
  /** Shorten the paths of rows beyond the ranges that the trees saw; false = the plain isolation forest. */
  beyond: boolean;
  /** How many trees came before: a forest that is grown again has every tree in the place where it was. */
  turn?: number;
}

const NODES_PER_TREE = 64;
/** Room beside the trees, so that few replacements move the block. */
const SLACK = 1.06;
const LEAST_RANGE = 0.1;

/**
 * Isolation trees in one flat block of 8 bytes a node. Trees replace each other in turn, the oldest first, so the block
 * is a ring and replacing one moves no other. Scoring allocates nothing.
 */
export class Forest {
  private block: NodeBlock;
  private counts: Uint16Array;
  private readonly offsets: Uint32Array;
  private readonly sizes: Uint16Array;
  /** What a level of depth adds to the normalized path, by tree. */
  private readonly steps: Float64Array;
  /** Least and greatest values, by tree and feature. */
  private readonly lows: Float32Array;
  private readonly highs: Float32Array;
  private head = 0;
  private placed = 0;

  constructor(private readonly options: ForestOptions) {
    const { width, trees, gaps, beyond } = options;
    this.block = new NodeBlock(trees * NODES_PER_TREE);
    this.counts = new Uint16Array(gaps ? this.block.capacity : 0);
    this.offsets = new Uint32Array(trees);
    this.sizes = new Uint16Array(trees);
    this.steps = new Float64Array(trees);
    const ranges = beyond ? width : 0;
    this.lows = new Float32Array(ranges * trees);
    this.highs = new Float32Array(ranges * trees);
  }

  /** Trees that stand now. */
  get standing(): number {
    return Math.min(this.placed, this.options.trees);
  }

  /** Bytes of the block and the tables beside it. */
  get bytes(): number {
    return (
      this.block.capacity * 8 +
      this.counts.byteLength +
      this.lows.byteLength +
      this.highs.byteLength +
      this.options.trees * 14
    );
  }

  /**
   * Takes over the tree that was grown last, in place of the oldest one when all places are taken.
   *
   * @returns its place
   */
  place(tree: TreeGrower): number {
    const { width, beyond, gaps } = this.options;
    const slot = this.slotOf(this.placed);
    const at = this.allocate(tree.size);
    this.block.copy(tree.block, 0, tree.size, at);
    if (gaps) {
      this.counts.set(tree.counts.subarray(0, tree.size), at);
    }
    if (beyond) {
      this.lows.set(tree.lows.subarray(0, width), slot * width);
      this.highs.set(tree.highs.subarray(0, width), slot * width);
    }
    this.offsets[slot] = at;
    this.sizes[slot] = tree.size;
    this.steps[slot] = tree.step;
    this.head = at + tree.size;
    this.placed++;
    return slot;
  }

  /** Gives back the room that was kept for other trees, once no more will come. */
  trim(): void {
    this.move(this.slotOf(this.placed - this.standing), this.standing, 0);
  }

  /** The anomaly score 2^(-E[h]/c(ψ)) of a row of 32-bit floats, 0 to 1; NaN in it where values are missing. */
  score(row: Float32Array): number {
    const standing = this.standing;
    let sum = 0;
    for (let slot = 0; slot < standing; slot++) {
      sum += this.path(slot, row);
    }
    return exp2(-sum / standing);
  }

  /** A row's path length in one tree, divided by c(ψ). */
  path(slot: number, row: Float32Array): number {
    const { gaps, beyond } = this.options;
    const root = this.offsets[slot];
    const inside = gaps && hasGap(row) ? this.weightedPath(root, root, row) : this.plainPath(root, row);
    if (!beyond) {
      return inside;
    }
    const apart = this.chanceApart(slot, row);
    return apart === 0 ? inside : apart * this.steps[slot] + (1 - apart) * inside;
  }

  private plainPath(root: number, row: Float32Array): number {
    const { thresholds, links } = this.block;
    let node = root;
    for (let right = links[4 * node + 2]; right !== 0; right = links[4 * node + 2]) {
      node = row[links[4 * node + 3]] <= thresholds[2 * node] ? node + 1 : root + right;
    }
    return thresholds[2 * node];
  }

  private weightedPath(root: number, from: number, row: Float32Array): number {
    const { thresholds, links } = this.block;
    let node = from;
    for (let right = links[4 * node + 2]; right !== 0; right = links[4 * node + 2]) {
      const value = row[links[4 * node + 3]];
      if (value !== value) {
        const share = this.counts[node + 1] / this.counts[node];
        const left = this.weightedPath(root, node + 1, row);
        return share * left + (1 - share) * this.weightedPath(root, root + right, row);
      }
      node = value <= thresholds[2 * node] ? node + 1 : root + right;
    }
    return thresholds[2 * node];
  }

  /**
   * The chance that a row is set apart from everything a tree saw by one cut in any of its features, each drawn over the
   * seen range stretched to the row's value (after the insertion rule of random cut forests, Guha et al. 2016, where the
   * row's place in the tree decides; here every feature has its cut, so that one of many is enough). 0 within the ranges.
   */
  private chanceApart(slot: number, row: Float32Array): number {
    const { lows, highs } = this;
    const { width } = this.options;
    const base = slot * width;
    let together = 1;
    for (let feature = 0; feature < width; feature++) {
      const value = row[feature];
      const low = lows[base + feature];
      const high = highs[base + feature];
      if (value > high) {
        together *= 1 - stretch(value - high, high - low, value);
      } else if (value < low) {
        together *= 1 - stretch(low - value, high - low, value);
      }
    }
    return 1 - together;
  }

  private slotOf(tree: number): number {
    return ((this.options.turn ?? 0) + tree) % this.options.trees;
  }

  private allocate(size: number): number {
    const { trees } = this.options;
    const others = Math.min(this.placed, trees - 1);
    if (others === 0) {
      if (size > this.block.capacity) {
        this.move(0, 0, size);
      }
      return 0;
    }
    const oldest = this.slotOf(this.placed - others);
    const tail = this.offsets[oldest];
    if (tail < this.head) {
      if (this.head + size <= this.block.capacity) {
        return this.head;
      }
      if (size <= tail) {
        return 0;
      }
    } else if (this.head + size <= tail) {
      return this.head;
    }
    this.move(oldest, others, size);
    return this.head;
  }

  /** Moves `count` trees, beginning with the oldest, to a new block with room for `more` nodes beside them. */
  private move(oldest: number, count: number, more: number): void {
    const { trees, gaps } = this.options;
    let used = 0;
    for (let i = 0; i < count; i++) {
      used += this.sizes[(oldest + i) % trees];
    }
    const average = count > 0 ? (used + more) / (count + 1) : NODES_PER_TREE;
    const block = new NodeBlock(
      more === 0 ? used : Math.max(Math.ceil(average * trees * SLACK), used + more),
    );
    const counts = new Uint16Array(gaps ? block.capacity : 0);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const slot = (oldest + i) % trees;
      const from = this.offsets[slot];
      const size = this.sizes[slot];
      block.copy(this.block, from, size, at);
      if (gaps) {
        counts.set(this.counts.subarray(from, from + size), at);
      }
      this.offsets[slot] = at;
      at += size;
    }
    this.block = block;
    this.counts = counts;
    this.head = at;
  }
}

/** A range below a tenth of the value itself says little about what is far: a sensor that stood still may tick. */
function stretch(outside: number, range: number, value: number): number {
  return outside / (outside + Math.max(range, Math.abs(value) * LEAST_RANGE));
}

function hasGap(row: Float32Array): boolean {
  for (const value of row) {
    if (value !== value) {
      return true;
    }
  }
  return false;
}
