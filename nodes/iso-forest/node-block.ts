/**
 * Tree nodes of 8 bytes side by side, so that a visit touches one line of the processor's cache: a 32-bit float (the
 * threshold; in a leaf its path length), the distance of the right child from the root (0 in a leaf; the left child
 * follows its parent) and the feature. The three views look at the same bytes.
 */
export class NodeBlock {
  /** Node n at `2 n`. */
  readonly thresholds: Float32Array;
  /** Node n at `4 n + 2` (right child) and `4 n + 3` (feature). */
  readonly links: Uint16Array;
  private readonly words: Uint32Array;

  constructor(readonly capacity: number) {
    const bytes = new ArrayBuffer(capacity * 8);
    this.thresholds = new Float32Array(bytes);
    this.links = new Uint16Array(bytes);
    this.words = new Uint32Array(bytes);
  }

  /** Copies `count` nodes from another block. */
  copy(source: NodeBlock, from: number, count: number, to: number): void {
    this.words.set(source.words.subarray(from * 2, (from + count) * 2), to * 2);
  }
}
