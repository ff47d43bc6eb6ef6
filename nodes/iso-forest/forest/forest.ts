import { exp2, log } from './exact-math';
import { NODE_WORDS, NodeBlock, type TreeKind } from './node-block';
import type { TreeGrower } from './tree-grower';

export interface ForestOptions {
  /** Features a row. */
  width: number;
  trees: number;
  /** `path` when left out. */
  kind?: TreeKind;
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
const LOG2_E = 1 / log(2);

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
  /** Rows of the sub-sample, by tree. */
  private readonly counted: Uint16Array;
  /** Least and greatest values, by tree and feature. */
  private readonly lows: Float32Array;
  private readonly highs: Float32Array;
  private readonly kind: TreeKind;
  private head = 0;
  private placed = 0;

  constructor(private readonly options: ForestOptions) {
    const { width, trees, gaps, beyond } = options;
    this.kind = options.kind ?? 'path';
    this.block = new NodeBlock(trees * NODES_PER_TREE, NODE_WORDS[this.kind]);
    this.counts = new Uint16Array(gaps ? this.block.capacity : 0);
    this.offsets = new Uint32Array(trees);
    this.sizes = new Uint16Array(trees);
    this.steps = new Float64Array(trees);
    this.counted = new Uint16Array(trees);
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
      this.block.bytes +
      this.counts.byteLength +
      this.lows.byteLength +
      this.highs.byteLength +
      this.options.trees * 16
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
      this.lows.set(tree.sample.lows.subarray(0, width), slot * width);
      this.highs.set(tree.sample.highs.subarray(0, width), slot * width);
    }
    this.offsets[slot] = at;
    this.sizes[slot] = tree.size;
    this.steps[slot] = tree.step;
    this.counted[slot] = tree.sample.count;
    this.head = at + tree.size;
    this.placed++;
    return slot;
  }

  /** Gives back the room that was kept for other trees, once no more will come. */
  trim(): void {
    this.move(this.slotOf(this.placed - this.standing), this.standing, 0);
  }

  /**
   * The anomaly score of a row of 32-bit floats, 0 to 1; NaN in it where values are missing. 2^(-E[h]/c(ψ)); for density
   * trees 1 / (1 + 2^E[log2 of the density]), 0.5 where rows are as dense as if they were spread evenly.
   */
  score(row: Float32Array): number {
    return this.scoreOf(this.sum(row) / this.standing);
  }

  /** The sum over the trees of {@link path}. */
  sum(row: Float32Array): number {
    const standing = this.standing;
    let sum = 0;
    for (let slot = 0; slot < standing; slot++) {
      sum += this.path(slot, row);
    }
    return sum;
  }

  weight(): number {
    return 1;
  }

  scoreOf(mean: number): number {
    return this.kind === 'density' ? 1 / (1 + exp2(mean)) : exp2(-mean);
  }

  /** A row's path length in one tree, divided by c(ψ); in a density tree the logarithm of the density. */
  path(slot: number, row: Float32Array): number {
    const { gaps, beyond } = this.options;
    const root = this.offsets[slot];
    const inside =
      gaps && hasGap(row)
        ? this.weightedPath(root, root, row)
        : this.kind === 'pair'
          ? this.pairPath(root, row)
          : this.plainPath(root, row);
    if (!beyond) {
      return inside;
    }
    const apart = this.chanceApart(slot, row);
    return apart === 0 ? inside : apart * this.pathApart(slot, apart) + (1 - apart) * inside;
  }

  private plainPath(root: number, row: Float32Array): number {
    const { floats, links, words } = this.block;
    let at = words * root;
    for (let right = links[2 * at + 2]; right !== 0; right = links[2 * at + 2]) {
      at = row[links[2 * at + 3]] <= floats[at] ? at + words : words * (root + right);
    }
    return floats[at];
  }

  private pairPath(root: number, row: Float32Array): number {
    const { floats, links } = this.block;
    let at = 4 * root;
    for (let right = links[2 * at + 2]; right !== 0; right = links[2 * at + 2]) {
      at = pairValue(row, links, floats, at) <= floats[at] ? at + 4 : 4 * (root + right);
    }
    return floats[at];
  }

  private weightedPath(root: number, from: number, row: Float32Array): number {
    const { floats, links, words } = this.block;
    let node = from;
    for (let right = links[2 * words * node + 2]; right !== 0; right = links[2 * words * node + 2]) {
      const at = words * node;
      const value = words === 4 ? pairValue(row, links, floats, at) : row[links[2 * at + 3]];
      if (value !== value) {
        const share = this.counts[node + 1] / this.counts[node];
        const left = this.weightedPath(root, node + 1, row);
        return share * left + (1 - share) * this.weightedPath(root, root + right, row);
      }
      node = value <= floats[at] ? node + 1 : root + right;
    }
    return floats[words * node];
  }

  /** What the path is in a tree whose first cut sets the row apart: one level, or the density of one row there. */
  private pathApart(slot: number, apart: number): number {
    return this.kind === 'density' ? -log(apart * (this.counted[slot] + 1)) * LOG2_E : this.steps[slot];
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
      this.block.words,
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

function pairValue(row: Float32Array, links: Uint16Array, floats: Float32Array, at: number): number {
  const weight = floats[at + 2];
  const first = row[links[2 * at + 3]];
  // A second value that has no weight may be missing, or too large to be multiplied.
  return weight === 0 ? first : first + weight * row[links[2 * at + 6]];
}

function hasGap(row: Float32Array): boolean {
  for (const value of row) {
    if (value !== value) {
      return true;
    }
  }
  return false;
}
