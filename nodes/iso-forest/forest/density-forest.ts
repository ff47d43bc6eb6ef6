import { exp2, log } from './exact-math';
import { Forest } from './forest';

const LOG2_E = 1 / log(2);

/**
 * A forest of density trees. The mean over the trees is the logarithm (base 2) of how dense the rows are at a place; the
 * score is 1 / (1 + 2^mean), so 0.5 where they are as dense as if they were spread evenly.
 */
export class DensityForest extends Forest {
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
      this.addPath(this.trees.offsets[slot], this.trees.offsets[slot], row, 1 - apart, terms);
    }
  }

  private addPath(root: number, from: number, row: Float32Array, weight: number, terms: Float64Array): void {
    const { floats, links, words } = this.trees.block;
    let node = from;
    for (let right = links[2 * words * node + 2]; right !== 0; right = links[2 * words * node + 2]) {
      const at = words * node;
      const feature = links[2 * at + 3];
      const value = row[feature];
      if (value !== value) {
        const share = this.trees.counts[node + 1] / this.trees.counts[node];
        terms[feature] += weight * share * floats[words * (node + 1) + 2];
        terms[feature] += weight * (1 - share) * floats[words * (root + right) + 2];
        this.addPath(root, node + 1, row, weight * share, terms);
        this.addPath(root, root + right, row, weight * (1 - share), terms);
        return;
      }
      node = value <= floats[at] ? node + 1 : root + right;
      terms[feature] += weight * floats[words * node + 2];
    }
  }
}
