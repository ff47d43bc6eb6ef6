import type { Lockstep } from './lockstep';
import { NODE_WORDS, NodeBlock, type TreeKind } from './node-block';
import type { TreeGrower } from './tree-grower';
import { TreeStore, type StoreOptions } from './tree-store';

const NODES_PER_TREE = 64;
/** Room beside the trees, so that few replacements move the block. */
const SLACK = 1.06;

/**
 * Trees of splits on one feature, in one flat block of nodes. They replace each other in turn, the oldest first, so the
 * block is a ring and replacing one moves no other.
 */
export class TreeRing extends TreeStore {
  block: NodeBlock;
  /** Rows of the sub-sample in each node; empty unless asked for. */
  counts: Uint16Array;
  /** Number of a tree's root in the block, by place. */
  readonly offsets: Uint32Array;
  /** The most splits on a path. */
  levels = 0;
  private readonly sizes: Uint16Array;
  private head = 0;

  constructor(kind: Exclude<TreeKind, 'pair'>, options: StoreOptions) {
    super(options);
    const { trees, gaps } = options;
    this.block = new NodeBlock(trees * NODES_PER_TREE, NODE_WORDS[kind]);
    this.counts = new Uint16Array(gaps ? this.block.capacity : 0);
    this.offsets = new Uint32Array(trees);
    this.sizes = new Uint16Array(trees);
  }

  get bytes(): number {
    return this.block.bytes + this.counts.byteLength + this.offsets.byteLength + this.sizes.byteLength;
  }

  place(tree: TreeGrower): number {
    const slot = this.slotOf(this.placed);
    const at = this.allocate(tree.size);
    this.block.copy(tree.block, 0, tree.size, at);
    if (this.gaps) {
      this.counts.set(tree.counts.subarray(0, tree.size), at);
    }
    this.offsets[slot] = at;
    this.sizes[slot] = tree.size;
    this.levels = Math.max(this.levels, tree.deepest);
    this.head = at + tree.size;
    this.placed++;
    return slot;
  }

  trim(): void {
    this.move(this.slotOf(this.placed - this.standing), this.standing, 0);
  }

  walk(row: Float32Array, lockstep: Lockstep): void {
    lockstep.plain(this, row);
  }

  leaf(slot: number, row: Float32Array): number {
    const { block } = this;
    const { floats, links, words } = block;
    const root = this.offsets[slot];
    let node = root;
    for (let right = block.right(root, node); right !== node; right = block.right(root, node)) {
      node = row[links[2 * words * node + 3]] <= floats[words * node] ? right - 1 : right;
    }
    return floats[words * node];
  }

  weightedLeaf(slot: number, row: Float32Array): number {
    const root = this.offsets[slot];
    return this.weighted(root, root, row);
  }

  private weighted(root: number, from: number, row: Float32Array): number {
    const { block, counts } = this;
    const { floats, links, words } = block;
    let node = from;
    for (let right = block.right(root, node); right !== node; right = block.right(root, node)) {
      const value = row[links[2 * words * node + 3]];
      if (value !== value) {
        const share = counts[right - 1] / counts[node];
        const onLeft = this.weighted(root, right - 1, row);
        return share * onLeft + (1 - share) * this.weighted(root, right, row);
      }
      node = value <= floats[words * node] ? right - 1 : right;
    }
    return floats[words * node];
  }

  private allocate(size: number): number {
    const { trees } = this;
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
    const { trees, gaps } = this;
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
