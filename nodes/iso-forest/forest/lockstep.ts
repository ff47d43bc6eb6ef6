import { PAIR_WORDS, pairValue, type FullTrees } from './full-trees';
import type { TreeRing } from './tree-ring';

/**
 * Walks all trees of a forest level by level. In a fleet the nodes of a source are in no cache: a walk tree by tree waits
 * for main memory at every node, while the reads of one level do not depend on each other and are waited for together.
 * Which way a row goes is added and not branched on: half of the branches would be mispredicted, each as dear as a dozen
 * additions, and keep the next reads from going out. So all trees are walked to the deepest level; a row that came to a
 * leaf stays there.
 *
 * A workspace that any number of forests can share; a walk allocates nothing.
 */
export class Lockstep {
  /** Value of the leaf that the row came to, by tree. */
  readonly leaves: Float32Array;
  /** The row's chance to be set apart from what the tree saw, by tree; for `SeenRanges`. */
  readonly chances: Float64Array;
  /** Where the walk stands, by tree. */
  private readonly nodes: Uint32Array;
  /** The row, and behind it NaN, which leaves compare: it leads to the right. */
  private readonly values: Float32Array;
  /** Kept so that the compiler does not leave out the reads. */
  protected touched = 0;

  /**
   * @param trees the most trees of a forest
   * @param width the most features of a row
   */
  constructor(
    private readonly trees: number,
    private readonly width: number,
  ) {
    this.leaves = new Float32Array(trees);
    this.chances = new Float64Array(trees);
    this.nodes = new Uint32Array(trees);
    this.values = new Float32Array(width + 1);
  }

  /** This one, or a larger one where it is too small. */
  fitting(trees: number, width: number): Lockstep {
    const fits = trees <= this.trees && width <= this.width;
    return fits ? this : new Lockstep(Math.max(trees, this.trees), Math.max(width, this.width));
  }

  /** Fills {@link leaves} for the trees that stand, with splits on one feature; a missing value goes right. */
  plain({ block, offsets, standing, levels }: TreeRing, row: Float32Array): void {
    const { leaves, nodes, values } = this;
    const { floats, links, words } = block;
    values.set(row);
    values[row.length] = NaN;
    for (let tree = 0; tree < standing; tree++) {
      nodes[tree] = words * offsets[tree];
    }
    for (let level = 0; level < levels; level++) {
      this.fetch(links, 2, 2, standing);
      for (let tree = 0; tree < standing; tree++) {
        const at = nodes[tree];
        const left = Number(values[links[2 * at + 3]] <= floats[at]);
        nodes[tree] = words * (offsets[tree] + links[2 * at + 2] - left);
      }
    }
    for (let tree = 0; tree < standing; tree++) {
      leaves[tree] = floats[nodes[tree]];
    }
  }

  /** The same with splits on two features. */
  pairs(trees: FullTrees, row: Float32Array): void {
    const { leaves, nodes } = this;
    const { floats, links, levels, standing } = trees;
    for (let tree = 0; tree < standing; tree++) {
      nodes[tree] = tree;
    }
    for (let level = 0; level < levels; level++) {
      const start = PAIR_WORDS * trees.above(level);
      this.fetch(links, 2 * PAIR_WORDS, 2 * start + 4, standing);
      for (let tree = 0; tree < standing; tree++) {
        const place = nodes[tree];
        const at = start + PAIR_WORDS * place;
        nodes[tree] = 2 * place + 1 - Number(pairValue(row, links, floats, at) <= floats[at]);
      }
    }
    const start = PAIR_WORDS * trees.above(levels);
    for (let tree = 0; tree < standing; tree++) {
      leaves[tree] = floats[start + nodes[tree]];
    }
  }

  /** Reads the nodes of a level one after the other: the processor asks for all of them at once. */
  private fetch(links: Uint16Array, stride: number, offset: number, standing: number): void {
    const { nodes } = this;
    let touched = 0;
    for (let tree = 0; tree < standing; tree++) {
      touched ^= links[stride * nodes[tree] + offset];
    }
    this.touched = touched;
  }
}
