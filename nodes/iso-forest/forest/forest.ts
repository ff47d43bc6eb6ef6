import { exp2 } from './exact-math';
import { FullTrees } from './full-trees';
import { Lockstep } from './lockstep';
import { SeenRanges } from './seen-ranges';
import type { TreeGrower } from './tree-grower';
import { TreeRing } from './tree-ring';
import type { TreeStore } from './tree-store';

export interface ForestOptions {
  /** Features a row. */
  width: number;
  trees: number;
  /** `path` when left out. */
  kind?: 'path' | 'pair';
  /** Keep the number of rows in each node, for rows with missing values. */
  gaps: boolean;
  /** Shorten the paths of rows beyond the ranges that the trees saw; false = the plain isolation forest. */
  beyond: boolean;
  /** How many trees came before: a forest that is grown again has every tree in the place where it was. */
  turn?: number;
  /** The workspace of a walk through all trees; forests may share it. Its own when left out. */
  lockstep?: Lockstep;
}

/** Isolation trees that replace each other in turn. Scoring allocates nothing. */
export class Forest {
  private readonly trees: TreeStore;
  /** What a level of depth adds to the normalized path, by tree. */
  private readonly steps: Float64Array;
  /** Rows of the sub-sample, by tree. */
  protected readonly counted: Uint16Array;
  /** Undefined when what lies beyond does not count. */
  protected readonly seen: SeenRanges | undefined;
  private readonly gaps: boolean;
  private readonly lockstep: Lockstep;

  /** @param store where the trees are kept */
  constructor(options: ForestOptions, store: TreeStore = storeOf(options)) {
    const { width, trees, gaps, beyond, lockstep } = options;
    this.gaps = gaps;
    this.lockstep = lockstep ?? new Lockstep(trees, width);
    this.trees = store;
    this.steps = new Float64Array(trees);
    this.counted = new Uint16Array(trees);
    this.seen = beyond ? new SeenRanges(width, trees) : undefined;
  }

  /** What the path is in a tree whose first cut, with the given chance, sets the row apart. */
  protected readonly pathApart: (slot: number, apart: number) => number = (slot) => this.steps[slot];

  /** Trees that stand now. */
  get standing(): number {
    return this.trees.standing;
  }

  /** Bytes of the trees and the tables beside them. */
  get bytes(): number {
    const tables = this.steps.byteLength + this.counted.byteLength + (this.seen?.bytes ?? 0);
    return this.trees.bytes + tables;
  }

  /**
   * Takes over the tree that was grown last, in place of the oldest one when all places are taken.
   *
   * @returns its place
   */
  place(tree: TreeGrower): number {
    const slot = this.trees.place(tree);
    this.steps[slot] = tree.step;
    this.counted[slot] = tree.sample.count;
    this.seen?.set(slot, tree.sample, this.standing);
    return slot;
  }

  /** Gives back the room that was kept for other trees, once no more will come. */
  trim(): void {
    this.trees.trim();
  }

  /** The anomaly score 2^(-E[h]/c(ψ)) of a row of 32-bit floats, 0 to 1; NaN in it where values are missing. */
  score(row: Float32Array): number {
    return this.scoreOf(this.sum(row) / this.standing);
  }

  /** The sum over the trees of {@link path}. */
  sum(row: Float32Array): number {
    const { lockstep, standing, trees } = this;
    const { chances, leaves } = lockstep;
    const beyond = this.seen?.chancesApart(row, standing, chances) === true;
    let sum = 0;
    if (this.gaps && hasGap(row)) {
      for (let slot = 0; slot < standing; slot++) {
        sum += this.outside(slot, beyond ? chances[slot] : 0, trees.weightedLeaf(slot, row));
      }
      return sum;
    }
    trees.walk(row, lockstep);
    // In the order of the places: a sum in another order differs in its last bits.
    for (let slot = 0; slot < standing; slot++) {
      sum += beyond ? this.outside(slot, chances[slot], leaves[slot]) : leaves[slot];
    }
    return sum;
  }

  weight(): number {
    return 1;
  }

  scoreOf(mean: number): number {
    return exp2(-mean);
  }

  /** A row's path length in one tree, divided by c(ψ). */
  path(slot: number, row: Float32Array): number {
    const { trees } = this;
    const inside = this.gaps && hasGap(row) ? trees.weightedLeaf(slot, row) : trees.leaf(slot, row);
    return this.outside(slot, this.seen?.chanceApart(slot, row) ?? 0, inside);
  }

  /** The path of a row that has the chance `apart` to be set apart from what a tree saw, for the path within it. */
  private outside(slot: number, apart: number, inside: number): number {
    return apart === 0 ? inside : apart * this.pathApart(slot, apart) + (1 - apart) * inside;
  }
}

function storeOf({ trees, kind = 'path', gaps, turn = 0 }: ForestOptions): TreeStore {
  const options = { trees, gaps, turn };
  return kind === 'pair' ? new FullTrees(options) : new TreeRing(kind, options);
}

function hasGap(row: Float32Array): boolean {
  for (const value of row) {
    if (value !== value) {
      return true;
    }
  }
  return false;
}
