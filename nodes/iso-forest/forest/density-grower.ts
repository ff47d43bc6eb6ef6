import { log } from './exact-math';
import { TreeGrower } from './tree-grower';

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
  /** The sum over the path to the node that is grown now, by depth. */
  private readonly sums: number[] = [0];

  constructor(size: number) {
    super(size, 'density');
  }

  protected override leafValue(depth: number): number {
    return this.sums[depth];
  }

  protected override enter(node: number, depth: number, rows: number, range: number): void {
    const { floats, words } = this.block;
    // A threshold at the least value cuts off that value alone, which has no range of its own.
    const term = (log(rows) - log(Math.max(range, LEAST_SHARE))) * LOG2_E;
    floats[words * node + 2] = term;
    this.sums[depth] = this.sums[depth - 1] + term;
  }
}
