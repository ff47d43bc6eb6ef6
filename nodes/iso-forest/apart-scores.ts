import { exp2 } from './exact-math';
import type { Forest } from './forest';
import type { RowWindow } from './row-window';
import type { TreeGrower } from './tree-grower';

/** Scores a reference's rows by the trees that did not see them, as if they had come later. */
export class ApartScores {
  private row = new Float32Array(0);
  private sums: Float32Array;
  private trees: Uint16Array;

  constructor(length: number) {
    this.sums = new Float32Array(length);
    this.trees = new Uint16Array(length);
  }

  get bytes(): number {
    return this.sums.byteLength + this.trees.byteLength;
  }

  /** Adds a tree that was just grown, and its place in the forest. */
  judge(rows: RowWindow, forest: Forest, slot: number, { order, sampled }: TreeGrower): void {
    if (this.row.length !== rows.width) {
      this.row = new Float32Array(rows.width);
    }
    const { row } = this;
    for (let i = sampled; i < rows.count; i++) {
      rows.read(order[i], row);
      this.sums[order[i]] += forest.path(slot, row);
      this.trees[order[i]]++;
    }
  }

  /** A score for each row that some tree did not see. */
  scores(): number[] {
    const scores: number[] = [];
    this.sums.forEach((sum, index) => {
      if (this.trees[index] > 0) {
        scores.push(exp2(-sum / this.trees[index]));
      }
    });
    return scores;
  }

  clear(): void {
    this.sums = new Float32Array(0);
    this.trees = new Uint16Array(0);
  }
}
