import type { TreeRing } from './tree-ring';

/**
 * Walks all trees of a forest level by level. In a fleet the nodes of a source are in no cache: a walk tree by tree waits
 * for main memory at every node, while the reads of one level do not depend on each other and are waited for together.
 * A workspace that any number of forests can share; a walk allocates nothing.
 */
export class Lockstep {
  /** Value of the leaf that the row came to, by tree. */
  readonly leaves: Float32Array;
  /** The row's chance to be set apart from what the tree saw, by tree; for `SeenRanges`. */
  readonly chances: Float64Array;
  /** Where the walk stands, by tree. */
  private readonly nodes: Uint32Array;
  /** Trees in which the row is not at a leaf yet, in the first places. */
  private readonly open: Uint16Array;
  /** Kept so that the compiler does not leave out the reads. */
  protected touched = 0;

  /** @param trees the most trees of a forest */
  constructor(trees: number) {
    this.leaves = new Float32Array(trees);
    this.chances = new Float64Array(trees);
    this.nodes = new Uint32Array(trees);
    this.open = new Uint16Array(trees);
  }

  /** Fills {@link leaves} for the trees that stand, with splits on one feature; a missing value goes right. */
  plain(trees: TreeRing, row: Float32Array): void {
    const { leaves, nodes, open } = this;
    const { floats, links, words } = trees.block;
    const { offsets } = trees;
    for (let left = this.begin(trees); left > 0;) {
      this.fetch(links, words, left);
      let still = 0;
      for (let i = 0; i < left; i++) {
        const tree = open[i];
        const node = nodes[tree];
        const at = words * node;
        const right = links[2 * at + 2];
        if (right === 0) {
          leaves[tree] = floats[at];
        } else {
          nodes[tree] = row[links[2 * at + 3]] <= floats[at] ? node + 1 : offsets[tree] + right;
          open[still++] = tree;
        }
      }
      left = still;
    }
  }

  /** The same with splits on two features. */
  pairs(trees: TreeRing, row: Float32Array): void {
    const { leaves, nodes, open } = this;
    const { floats, links } = trees.block;
    const { offsets } = trees;
    for (let left = this.begin(trees); left > 0;) {
      this.fetch(links, 4, left);
      let still = 0;
      for (let i = 0; i < left; i++) {
        const tree = open[i];
        const node = nodes[tree];
        const at = 4 * node;
        const right = links[2 * at + 2];
        if (right === 0) {
          leaves[tree] = floats[at];
        } else {
          nodes[tree] = pairValue(row, links, floats, at) <= floats[at] ? node + 1 : offsets[tree] + right;
          open[still++] = tree;
        }
      }
      left = still;
    }
  }

  /** Reads the nodes of a level with no branch in between: the processor asks for all of them at once. */
  private fetch(links: Uint16Array, words: number, left: number): void {
    const { nodes, open } = this;
    let touched = 0;
    for (let i = 0; i < left; i++) {
      touched ^= links[2 * words * nodes[open[i]] + 2];
    }
    this.touched = touched;
  }

  private begin({ standing, offsets }: TreeRing): number {
    const { nodes, open } = this;
    for (let tree = 0; tree < standing; tree++) {
      nodes[tree] = offsets[tree];
      open[tree] = tree;
    }
    return standing;
  }
}

/** What a split on two features compares. */
export function pairValue(row: Float32Array, links: Uint16Array, floats: Float32Array, at: number): number {
  const weight = floats[at + 2];
  const first = row[links[2 * at + 3]];
  // A second value that has no weight may be missing, or too large to be multiplied.
  return weight === 0 ? first : first + weight * row[links[2 * at + 6]];
}
