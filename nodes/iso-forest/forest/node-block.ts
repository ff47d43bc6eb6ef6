/**
 * What the trees of a forest are made of: splits of one feature with path lengths in the leaves, the same with densities,
 * or splits of two features.
 */
export type TreeKind = 'path' | 'density' | 'pair';

/** Words of a node by kind. */
export const NODE_WORDS = { path: 2, density: 3, pair: 4 } as const;

/**
 * Tree nodes side by side, the root first, the two children of a node next to each other. The words of a node, 4 bytes
 * each:
 *
 * 0. threshold; in a leaf its value: the path length, or for a density tree the logarithm of the density
 * 1. distance of the right child from the root (16 bits; the left one is just before it), and feature. A leaf is its own
 *    right child, and its feature is the width of a row: with NaN in that place, a walk that goes on stays where it is
 * 2. weight of a second feature in a split on two; in a density tree what this node adds to the logarithm
 * 3. the second feature
 *
 * The three views look at the same bytes.
 */
export class NodeBlock {
  /** Word w of node n at `words n + w`, as a 32-bit float. */
  readonly floats: Float32Array;
  /** Word w of node n at `2 (words n + w)`, as two 16-bit integers. */
  readonly links: Uint16Array;
  private readonly raw: Uint32Array;

  /**
   * @param capacity nodes
   * @param words of a node: 2, 3 or 4
   */
  constructor(
    readonly capacity: number,
    readonly words: number,
  ) {
    const bytes = new ArrayBuffer(capacity * words * 4);
    this.floats = new Float32Array(bytes);
    this.links = new Uint16Array(bytes);
    this.raw = new Uint32Array(bytes);
  }

  get bytes(): number {
    return this.raw.byteLength;
  }

  /** The right child of a node of the tree whose root is given; the node itself for a leaf. */
  right(root: number, node: number): number {
    return root + this.links[2 * (this.words * node + 1)];
  }

  /** Copies `count` nodes from another block with as many words. */
  copy(source: NodeBlock, from: number, count: number, to: number): void {
    const { words } = this;
    this.raw.set(source.raw.subarray(from * words, (from + count) * words), to * words);
  }
}
