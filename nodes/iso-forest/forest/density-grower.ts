import type { Random } from '../../shared/random';
import { log } from './exact-math';
import { drawBetween, TreeGrower } from './tree-grower';

const LOG2_E = 1 / log(2);
/** Half the spacing that the rows of a sub-sample would have if they were spread evenly. */
const LEAST_SHARE = 1 / 512;

/**
 * Isolation trees whose leaves hold how dense they are: at every split, a side gets log2(share of the rows) − log2(share
 * of the range between the node's least and greatest value), and a leaf the sum over its path (the density criterion of
 * isotree, Cortes 2021). 0 is as dense as rows that are spread evenly; a sum of terms of one feature each, it explains
 * itself. Each node keeps its own term.
 */
export class DensityGrower extends TreeGrower {
  /** The sum over the path to the node that is grown now. */
  private sum = 0;

  constructor(size: number) {
    super(size, 'density');
  }

  protected override leafValue(): number {
    return this.sum;
  }

  protected override branch(
    node: number,
    feature: number,
    start: number,
    end: number,
    depth: number,
    open: number,
    random: Random,
  ): void {
    const { sum, sample, block } = this;
    const { low, high } = sample;
    const threshold = drawBetween(low, high, random);
    const { links, floats, words } = block;
    links[2 * (words * node + 1) + 1] = feature;
    floats[words * node] = threshold;
    const middle = sample.part(start, end, feature, threshold, random);
    const grow = (from: number, to: number, range: number): void => {
      const term = (log((to - from) / (end - start)) - log(range / (high - low))) * LOG2_E;
      floats[words * this.size + 2] = term;
      this.sum = sum + term;
      this.node(from, to, depth + 1, open, random);
    };
    // A threshold at the least value cuts off that value alone, which has no range of its own.
    const left = Math.max(threshold - low, (high - low) * LEAST_SHARE);
    grow(start, middle, left);
    links[2 * (words * node + 1)] = this.size;
    grow(middle, end, Math.max(high - threshold, (high - low) * LEAST_SHARE));
    this.sum = sum;
  }
}
