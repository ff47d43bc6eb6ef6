import { DensityForest } from './density-forest';
import { DensityGrower } from './density-grower';
import { exp2 } from './exact-math';
import { Forest, type ForestOptions } from './forest';
import { Lockstep } from './lockstep';
import { PairGrower } from './pair-grower';
import { TreeGrower } from './tree-grower';

/** How a forest's trees split, and what the score is made of. */
export const VARIANTS = ['standard', 'fair-cut', 'density', 'blend'] as const;
export type Variant = (typeof VARIANTS)[number];

/** What decides about a row: one forest, or several. Places are numbered from 0 without gaps. */
export interface Ensemble {
  readonly standing: number;
  readonly bytes: number;
  /** Takes over a tree, in place of the oldest of its kind when all places are taken; returns its place. */
  place(tree: TreeGrower): number;
  trim(): void;
  score(row: Float32Array): number;
  /** One tree's say about a row, of which {@link scoreOf} wants the mean over trees by {@link weight}. */
  path(place: number, row: Float32Array): number;
  weight(place: number): number;
  scoreOf(mean: number): number;
  /** A score that tells best which feature it comes from, where that is another one. */
  scoreByFeature?(row: Float32Array): number;
  /** What each feature adds to the sum over the trees, where that can be told apart. */
  addTerms?(row: Float32Array, terms: Float64Array): void;
}

/** The workspaces in which trees are grown and walked; shared by all models of a node. */
export class Growers {
  private readonly first: TreeGrower;
  private readonly second: TreeGrower | undefined;
  /** For as many trees, and as wide rows, as any forest had so far. */
  private lockstep = new Lockstep(0, 0);

  /** @param sample the largest sub-sample */
  constructor(variant: Variant, sample: number) {
    this.first =
      variant === 'density'
        ? new DensityGrower(sample)
        : variant === 'fair-cut'
          ? new PairGrower(sample)
          : new TreeGrower(sample);
    this.second = variant === 'blend' ? new PairGrower(sample) : undefined;
  }

  /** The one for a tree, counted from 1: of a forest of `trees`, every second is of the second kind. */
  of(tree: number, trees: number): TreeGrower {
    return this.second && ((tree - 1) % trees) % 2 === 1 ? this.second : this.first;
  }

  /**
   * An empty forest.
   *
   * @param turns how many trees of each series, counted from 1, came before: a forest that is grown again has every tree in
   * the place where it was
   */
  forest(shape: Omit<ForestOptions, 'kind' | 'turn' | 'lockstep'>, ...turns: number[]): Ensemble {
    this.lockstep = this.lockstep.fitting(shape.trees, shape.width);
    const options = { ...shape, lockstep: this.lockstep };
    if (this.second && options.trees > 1) {
      return new Blend(options, turns);
    }
    const { kind } = this.first;
    const turn = sum(turns);
    return kind === 'density'
      ? new DensityForest({ ...options, turn })
      : new Forest({ ...options, kind, turn });
  }
}

/** How much a fair-cut tree says in a blend; its path lengths differ less from row to row than those of a standard tree. */
const PAIR_WEIGHT = 2;

/** Standard and fair-cut trees in turn, joined by their weighted path lengths. */
class Blend implements Ensemble {
  private readonly plain: Forest;
  private readonly pairs: Forest;

  constructor(options: ForestOptions, turns: readonly number[]) {
    const { trees } = options;
    const half = Math.ceil(trees / 2);
    const plain = turns.map((turn) => Math.floor(turn / trees) * half + Math.ceil((turn % trees) / 2));
    const turn = sum(plain);
    this.plain = new Forest({ ...options, kind: 'path', trees: half, turn });
    this.pairs = new Forest({ ...options, kind: 'pair', trees: trees - half, turn: sum(turns) - turn });
  }

  get standing(): number {
    return this.plain.standing + this.pairs.standing;
  }

  get bytes(): number {
    return this.plain.bytes + this.pairs.bytes;
  }

  place(tree: TreeGrower): number {
    return tree.kind === 'pair' ? 2 * this.pairs.place(tree) + 1 : 2 * this.plain.place(tree);
  }

  trim(): void {
    this.plain.trim();
    this.pairs.trim();
  }

  score(row: Float32Array): number {
    const { plain, pairs } = this;
    const weight = PAIR_WEIGHT * pairs.standing;
    const sum = plain.sum(row) + PAIR_WEIGHT * pairs.sum(row);
    return this.scoreOf(sum / (plain.standing + weight));
  }

  /** A cut through two features blames both. */
  scoreByFeature(row: Float32Array): number {
    return this.plain.score(row);
  }

  path(place: number, row: Float32Array): number {
    return (place % 2 === 1 ? this.pairs : this.plain).path(place >> 1, row);
  }

  weight(place: number): number {
    return place % 2 === 1 ? PAIR_WEIGHT : 1;
  }

  scoreOf(mean: number): number {
    return exp2(-mean);
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
