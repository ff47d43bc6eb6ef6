import type { Lockstep } from './lockstep';
import type { TreeGrower } from './tree-grower';

export interface StoreOptions {
  /** The most trees. */
  trees: number;
  /** Keep the number of rows in each node, for rows with missing values. */
  gaps: boolean;
  /** How many trees came before: a forest that is grown again has every tree in the place where it was. */
  turn: number;
}

/** Trees that replace each other in turn, the oldest first. */
export abstract class TreeStore {
  protected readonly trees: number;
  protected readonly gaps: boolean;
  protected placed = 0;
  private readonly turn: number;

  constructor({ trees, gaps, turn }: StoreOptions) {
    this.trees = trees;
    this.gaps = gaps;
    this.turn = turn;
  }

  abstract readonly bytes: number;

  /** Trees that stand now. */
  get standing(): number {
    return Math.min(this.placed, this.trees);
  }

  /**
   * Takes over the tree that was grown last, in place of the oldest one when all places are taken.
   *
   * @returns its place
   */
  abstract place(tree: TreeGrower): number;

  /** Gives back the room that was kept for other trees, once no more will come. */
  abstract trim(): void;

  /** Fills the workspace's leaves for the trees that stand; a missing value goes right. */
  abstract walk(row: Float32Array, lockstep: Lockstep): void;

  /** Value of the leaf that a row comes to in one tree; a missing value goes right. */
  abstract leaf(slot: number, row: Float32Array): number;

  /** The same, where a missing value goes both ways, by the share of the rows that did. Asks for `gaps`. */
  abstract weightedLeaf(slot: number, row: Float32Array): number;

  protected slotOf(tree: number): number {
    return (this.turn + tree) % this.trees;
  }
}
