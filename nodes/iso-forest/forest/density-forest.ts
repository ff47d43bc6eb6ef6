import { exp2, log } from './exact-math';
import { Forest, type ForestOptions } from './forest';
import { TreeRing } from './tree-ring';

const LOG2_E = 1 / log(2);

/**
 * A forest of density trees. The mean over the trees is the logarithm (base 2) of how dense the rows are at a place; the
 * score is 1 / (1 + 2^mean), so 0.5 where they are as dense as if they were spread evenly.
 */
export class DensityForest extends Forest {
  private readonly ring: TreeRing;

  constructor(options: Omit<ForestOptions, 'kind'>) {
    const { trees, gaps, turn = 0 } = options;
    const ring = new TreeRing('density', { trees, gaps, turn });
    super(options, ring);
    this.ring = ring;
  }

  /** One row more than the tree saw lies alone in that share of the range. */
  protected override readonly pathApart = (slot: number, apart: number): number =>
    -log(apart * (this.counted[slot] + 1)) * LOG2_E;

  override scoreOf(mean: number): number {
    return 1 / (1 + exp2(mean));
  }

  /**
   * What each feature adds to {@link sum}, exactly: the terms of the splits on it. A value beyond what a
   * tree saw takes its share of being set apart.
   *
   * @param terms by feature; is added to
   */
  addTerms(row: Float32Array, terms: Float64Array): void {
    for (let slot = 0; slot < this.standing; slot++) {
      const apart = this.seen?.chanceApart(slot, row) ?? 0;
      if (apart > 0) {
        this.seen?.share(slot, row, apart * this.pathApart(slot, apart), terms);
      }
      this.addPath(this.ring.offsets[slot], this.ring.offsets[slot], row, 1 - apart, terms);
    }
  }

  private addPath(root: number, from: number, row: Float32Array, weight: number, terms: Float64Array): void {
    const { block, counts } = this.ring;
    const { floats, links, words } = block;
    let node = from;
    for (let right = block.right(root, node); right !== node; right = block.right(root, node)) {
      const feature = links[2 * words * node + 3];
      const value = row[feature];
      if (value !== value) {
        const share = counts[right - 1] / counts[node];
        terms[feature] += weight * share * floats[words * (right - 1) + 2];
        terms[feature] += weight * (1 - share) * floats[words * right + 2];
        this.addPath(root, right - 1, row, weight * share, terms);
        this.addPath(root, right, row, weight * (1 - share), terms);
        return;
      }
      node = value <= floats[words * node] ? right - 1 : right;
      terms[feature] += weight * floats[words * node + 2];
    }
  }
}
