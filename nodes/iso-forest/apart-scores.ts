import type { RowWindow } from './forest/row-window';
import type { TreeGrower } from './forest/tree-grower';
import type { Ensemble } from './forest/variant';

/** Of the rows that a tree did not see, it judges so many: each gets a few dozen trees' say all the same. */
const JUDGED_ONE_IN = 3;

/** Scores a reference's rows by the trees that did not see them, as if they had come later. */
export class ApartScores {
  private row = new Float32Array(0);
  private sums: Float32Array;
  private weights: Uint16Array;

  constructor(length: number) {
    this.sums = new Float32Array(length);
    this.weights = new Uint16Array(length);
  }

  get bytes(): number {
    return this.sums.byteLength + this.weights.byteLength;
  }

  /** Adds a tree that was just grown, and its place in the forest. */
  judge(rows: RowWindow, forest: Ensemble, place: number, { sample }: TreeGrower): void {
    if (this.row.length !== rows.width) {
      this.row = new Float32Array(rows.width);
    }
    const { row } = this;
    const { order, count } = sample;
    const weight = forest.weight(place);
    for (let i = count; i < rows.count; i += JUDGED_ONE_IN) {
      rows.read(order[i], row);
      this.sums[order[i]] += weight * forest.path(place, row);
      this.weights[order[i]] += weight;
    }
  }

  /** A score for each row that some tree did not see. */
  scores(forest: Ensemble): number[] {
    const scores: number[] = [];
    this.sums.forEach((sum, index) => {
      if (this.weights[index] > 0) {
        scores.push(forest.scoreOf(sum / this.weights[index]));
      }
    });
    return scores;
  }

  clear(): void {
    this.sums = new Float32Array(0);
    this.weights = new Uint16Array(0);
  }
}
