/** The most rows of sub-samples that are grown into trees at one reading: about half a millisecond of work. */
const ROWS_PER_READING = 4096;

/**
 * Trees are replaced so many times more slowly than `retrain` says while a reference is taken and grown, and later. With
 * 3,000 sources at 3 readings a second each, growing trees takes a tenth of a core then.
 */
const COMMISSIONING_PACE = 6;
const RENEWAL_PACE = 10;

export interface ScheduleOptions {
  trees: number;
  sample: number;
  warmup: number;
  retrain: number;
  /** `sliding` when left out. */
  learn?: 'sliding' | 'reference' | 'both';
  history?: number;
  /** Where between two trees this model's turns lie, in [0, 1). */
  phase?: number;
}

/** Trees at even distances, all of them once in `span` learned rows. */
export class Pace {
  /** Rows by which each of them is due earlier. */
  private readonly shift: number;

  /** @param phase where between two trees they lie, in [0, 1) */
  constructor(
    private readonly trees: number,
    readonly span: number,
    phase = 0,
  ) {
    this.shift = Math.floor((phase * span) / trees);
  }

  /** Learned rows since the beginning at which a tree is due, counted from 1. */
  dueAt(tree: number): number {
    return Math.ceil((tree * this.span) / this.trees) - this.shift;
  }

  /** How many trees are due so many learned rows after the beginning; below 0 before it. */
  dueBy(rows: number): number {
    return Math.floor(((rows + this.shift) * this.trees) / this.span);
  }
}

/**
 * When each tree is grown, counted in learned rows, so that nothing depends on how fast readings come. Trees are
 * numbered from 1. The first forest grows through the second half of the warm-up; from then on the oldest tree is
 * replaced at even distances, all of them once in `retrain` rows. A forest of one batch is as old as the rows since then:
 * between 0 and `retrain` rows, half of it on average. So are these trees, at every moment.
 *
 * Sources that begin together and are read together would all be due at the same reading: with 3,000 of them a fifth of
 * a second of work at once, and nothing until the next. A phase of its own for each source spreads that evenly.
 */
export class GrowthSchedule {
  /** Learned rows at which the first tree is due. */
  readonly start: number;
  /** Learned rows from which the first forest stands. */
  readonly ready: number;
  /** In `retrain` rows, or more where a reference is taken or that many trees would stall a message. */
  readonly replacing: Pace;
  /** The trees of a reference that stands. */
  readonly renewing: Pace;
  private readonly first: Pace;
  private readonly trees: number;

  constructor(options: ScheduleOptions) {
    const { trees, sample, warmup, retrain, learn = 'sliding', history = 0, phase = 0 } = options;
    const perReading = Math.max(1, Math.floor(ROWS_PER_READING / sample));
    const shortest = Math.ceil(trees / perReading);
    this.trees = trees;
    this.start = Math.max(1, Math.min(Math.floor(warmup / 2), warmup - shortest));
    this.ready = this.start + Math.max(warmup - this.start, shortest);
    const span = Math.max(learn === 'sliding' ? retrain : COMMISSIONING_PACE * retrain, shortest);
    this.first = new Pace(trees, this.ready - this.start);
    this.replacing = new Pace(trees, span, phase);
    this.renewing = new Pace(trees, Math.max(span, Math.min(RENEWAL_PACE * retrain, history)), phase);
  }

  /** Learned rows at which a tree is grown. */
  dueAt(tree: number): number {
    return tree <= this.trees
      ? this.start + this.first.dueAt(tree)
      : this.ready + this.replacing.dueAt(tree - this.trees);
  }

  /** How many trees have been due once `rows` are learned. */
  dueBy(rows: number): number {
    return rows < this.ready
      ? Math.max(0, this.first.dueBy(rows - this.start))
      : this.trees + this.replacing.dueBy(rows - this.ready);
  }
}
