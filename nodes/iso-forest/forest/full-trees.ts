import type { Lockstep } from './lockstep';
import type { TreeGrower } from './tree-grower';
import { TreeStore, type StoreOptions } from './tree-store';

/** Words of a split, 4 bytes each: threshold; weight of the second feature; both features, 16 bits each. */
export const PAIR_WORDS = 3;

/**
 * Trees of splits on two features. Even splits fill nearly every level, so each tree is kept as a full one of as many
 * levels as the deepest has: a child's place follows from its parent's, and nothing links them. What lies below a leaf
 * repeats its value.
 *
 * Level by level, in each the trees side by side: of level `l`, tree `t` has the places `2^l t` to `2^l (t + 1)`
 * (excluded), and the children of place `p` are `2 p` and `2 p + 1` of the next. A walk through all trees reads the first
 * levels from end to end, and one line of the processor's cache a tree in each of the others.
 */
export class FullTrees extends TreeStore {
  /** Levels of splits; the leaves are one more. */
  levels = 0;
  /** The splits of all levels, then the leaves. */
  floats: Float32Array;
  /** The same bytes, as 16-bit integers. */
  links: Uint16Array;
  /** Rows of the sub-sample by level and place; empty unless asked for. Below a leaf, all of them are on the left. */
  private counts: Uint16Array;

  constructor(options: StoreOptions) {
    super(options);
    this.floats = new Float32Array(this.trees);
    this.links = new Uint16Array(this.floats.buffer);
    this.counts = new Uint16Array(this.gaps ? this.trees : 0);
  }

  get bytes(): number {
    return this.floats.byteLength + this.counts.byteLength;
  }

  /** Nodes of all trees above a level. */
  above(level: number): number {
    return this.trees * ((1 << level) - 1);
  }

  place(tree: TreeGrower): number {
    if (tree.deepest > this.levels) {
      this.deepen(tree.deepest);
    }
    const slot = this.slotOf(this.placed++);
    this.write(tree, 0, tree.sample.count, 0, slot);
    return slot;
  }

  trim(): void {
    // There is no room beside the trees.
  }

  walk(row: Float32Array, lockstep: Lockstep): void {
    lockstep.pairs(this, row);
  }

  leaf(slot: number, row: Float32Array): number {
    let place = slot;
    for (let level = 0; level < this.levels; level++) {
      place = 2 * place + (this.goesLeft(level, place, row) === true ? 0 : 1);
    }
    return this.floats[PAIR_WORDS * this.above(this.levels) + place];
  }

  weightedLeaf(slot: number, row: Float32Array): number {
    return this.weighted(0, slot, row);
  }

  private weighted(from: number, start: number, row: Float32Array): number {
    let place = start;
    for (let level = from; level < this.levels; level++) {
      const rows = this.counts[this.above(level) + place];
      const left = this.counts[this.above(level + 1) + 2 * place];
      // Below a leaf nothing is compared.
      const side = left === rows ? true : this.goesLeft(level, place, row);
      if (side === undefined) {
        const share = left / rows;
        const onLeft = this.weighted(level + 1, 2 * place, row);
        return share * onLeft + (1 - share) * this.weighted(level + 1, 2 * place + 1, row);
      }
      place = 2 * place + (side ? 0 : 1);
    }
    return this.floats[PAIR_WORDS * this.above(this.levels) + place];
  }

  /** Undefined for a missing value. */
  private goesLeft(level: number, place: number, row: Float32Array): boolean | undefined {
    const at = PAIR_WORDS * (this.above(level) + place);
    const value = pairValue(row, this.links, this.floats, at);
    return value === value ? value <= this.floats[at] : undefined;
  }

  /** Copies a node of a grown tree, and what is below it; a leaf is repeated. */
  private write(tree: TreeGrower, node: number, rows: number, level: number, place: number): void {
    const { block, counts } = tree;
    if (this.gaps) {
      this.counts[this.above(level) + place] = rows;
    }
    if (level === this.levels) {
      this.floats[PAIR_WORDS * this.above(level) + place] = block.floats[block.words * node];
      return;
    }
    const right = block.right(0, node);
    if (right === node) {
      this.write(tree, node, rows, level + 1, 2 * place);
      this.write(tree, node, 0, level + 1, 2 * place + 1);
      return;
    }
    const from = block.words * node;
    const at = PAIR_WORDS * (this.above(level) + place);
    this.floats[at] = block.floats[from];
    this.floats[at + 1] = block.floats[from + 2];
    this.links[2 * at + 4] = block.links[2 * from + 3];
    this.links[2 * at + 5] = block.links[2 * from + 6];
    this.write(tree, right - 1, counts[right - 1], level + 1, 2 * place);
    this.write(tree, right, counts[right], level + 1, 2 * place + 1);
  }

  /** Repeats the leaves of all trees on a deeper level. */
  private deepen(levels: number): void {
    const { floats, counts, trees } = this;
    const leaves = PAIR_WORDS * this.above(this.levels);
    const deeper = PAIR_WORDS * this.above(levels);
    this.floats = new Float32Array(deeper + (trees << levels));
    this.floats.set(floats.subarray(0, leaves));
    this.links = new Uint16Array(this.floats.buffer);
    for (let place = 0; place < trees << levels; place++) {
      this.floats[deeper + place] = floats[leaves + (place >> (levels - this.levels))];
    }
    if (this.gaps) {
      this.counts = new Uint16Array(this.above(levels + 1));
      this.counts.set(counts);
      for (let level = this.levels; level < levels; level++) {
        for (let place = 0; place < trees << level; place++) {
          this.counts[this.above(level + 1) + 2 * place] = this.counts[this.above(level) + place];
        }
      }
    }
    this.levels = levels;
  }
}

/** What a split on two features compares, from its first word on. */
export function pairValue(row: Float32Array, links: Uint16Array, floats: Float32Array, at: number): number {
  const weight = floats[at + 1];
  const first = row[links[2 * at + 4]];
  // A second value that has no weight may be missing, or too large to be multiplied.
  return weight === 0 ? first : first + weight * row[links[2 * at + 5]];
}
