import { hashString, SeededRandom } from '../shared/random';
import { withoutScores, type ModelState } from './model-state';
import { RowWindow } from './forest/row-window';
import type { RowSpan } from './forest/sub-sample';
import type { Ensemble } from './forest/variant';
import type { ModelOptions, ModelTools } from './model-options';
import { NOTHING_PROVEN } from './proven-rows';
import { Reference, type ReferenceState } from './reference';
import { GrowthSchedule } from './schedule';
import { FEWEST_SCORES, ScoreThreshold, type ThresholdOptions, type ThresholdState } from './threshold';
import { typicalValues, type TypicalValues } from './typical';

/**
 * So many readings flagged, less one for every reading that is not, and the source is taken to be in a new regime: the
 * model starts over from there. With a longer history, as many as that. A finished reference under `learn` = `reference`
 * never gives way.
 */
export const REGIME_READINGS = 500;

/** While the reference is taken, so many flagged readings (counted in the same way) are strays; more are a state of the machine. */
export const STRAY_READINGS = 20;

const SLIDING_STREAM = 0;
const REFERENCE_STREAM = 1;
/** The share of the first forest from which rows of the warm-up are scored to calibrate the threshold. */
const ENOUGH_TO_CALIBRATE = 0.25;
/**
 * One forest that learns from a stream of rows. Its trees are grown from a sliding window, the oldest replaced in turn;
 * with `learn` `reference` or `both`, once the reference's rows are complete, each tree is replaced by one of the reference.
 * From then on the forest stands: with `reference` as it is, with `both` its trees are renewed slowly, from the reference
 * and what has proven itself since. Everything is counted in rows: nothing depends on time, and the trees are a function
 * of the rows, their numbers and the seed, so they are not stored but grown again.
 */
export class ForestModel {
  private schedule: GrowthSchedule;
  private readonly threshold: ScoreThreshold;
  private stream: number;
  private seed: number;
  private window: RowWindow;
  private forest: Ensemble;
  /** Trees of the window grown so far, those that were replaced since included. */
  private grown = 0;
  private reference: Reference | undefined;
  private stands = false;
  private flagged = 0;
  private epoch = 0;
  private growth = { trees: 0, spentMs: 0 };
  private typical: { key: string; values: TypicalValues } | undefined;
  private identity = { generation: -1, digest: '' };

  constructor(
    name: string,
    readonly channels: readonly string[],
    /** Features a row: channels times rows that are joined. */
    readonly width: number,
    private readonly options: ModelOptions,
    private readonly tools: ModelTools,
  ) {
    this.stream = hashString(name);
    this.schedule = scheduleOf(this.stream, options);
    this.threshold = new ScoreThreshold(options.threshold);
    this.seed = options.seed;
    this.window = new RowWindow(width, this.capacity());
    this.forest = this.emptyForest(0);
  }

  /** Rows learned since the model started. */
  get learned(): number {
    return this.window.count;
  }

  /** Trees grown since the model started. */
  get trees(): number {
    return this.grown + (this.reference?.grown ?? 0);
  }

  get learning(): boolean {
    return !this.stands && (this.window.count < this.schedule.ready || this.limit === null);
  }

  get limit(): number | null {
    return this.threshold.value;
  }

  /** Learned rows from which the first forest stands. */
  get warmup(): number {
    return this.schedule.ready;
  }

  /** Whether the reference's forest gives the score. */
  get onReference(): boolean {
    return this.stands;
  }

  /** Flags by other options of the same mode from now on. */
  retune(options: ThresholdOptions): void {
    this.threshold.retune(options);
  }

  /** The past scores that the threshold is set from. */
  pastScores(): ThresholdState {
    return this.threshold.state();
  }

  /** Short name of what decides now: options, seed and how many forests there have been. */
  get digest(): string {
    const generation = this.epoch * 1e6 + Math.floor(this.trees / this.options.trees);
    if (generation !== this.identity.generation) {
      const { variant, trees, sample, learn } = this.options;
      const text = [variant, this.seed, this.stream, trees, sample, learn, this.width, generation].join(' ');
      this.identity = { generation, digest: hashString(text).toString(16).padStart(8, '0') };
    }
    return this.identity.digest;
  }

  /** Bytes of rows, trees and scores. */
  get bytes(): number {
    const { reference } = this;
    return this.window.bytes + (reference?.bytes ?? 0) + this.forest.bytes + this.threshold.bytes;
  }

  /** The score of a row; null until the first forest stands. */
  score(row: Float32Array): number | null {
    return this.learning ? null : this.forest.score(row);
  }

  /** The score by which a row is explained: how much lower is it with another value of a feature? */
  scoreByFeature(row: Float32Array): number {
    return this.forest.scoreByFeature?.(row) ?? this.forest.score(row);
  }

  /** How much each feature makes a row stand out, where the forest can say; see {@link Ensemble}. */
  terms(row: Float32Array): Float64Array | undefined {
    if (!this.forest.addTerms) {
      return undefined;
    }
    const terms = new Float64Array(this.width);
    this.forest.addTerms(row, terms);
    return terms;
  }

  exceeds(score: number): boolean {
    const { limit } = this;
    return limit !== null && score >= limit;
  }

  /**
   * Takes a row in after it was scored. A flagged one is not learned, unless the threshold is a share of the history, or
   * it belongs to a state that lasts while the reference is taken: whoever commissions a machine vouches for it, and a
   * reference without the states that the warm-up did not see would flag each of them for good.
   *
   * @returns whether this row was the one that made it a new regime
   */
  take(row: Float32Array, score: number | null): boolean {
    const flagged = score !== null && this.exceeds(score) && !this.threshold.countsFlagged;
    if (flagged) {
      this.flagged++;
      if (
        this.flagged >= Math.max(REGIME_READINGS, this.options.history) &&
        !(this.options.learn === 'reference' && this.stands)
      ) {
        this.restart();
        return true;
      }
      if (this.commissioning && this.flagged > STRAY_READINGS) {
        this.learn(row);
      }
      return false;
    }
    this.flagged = Math.max(0, this.flagged - 1);
    if (score !== null) {
      this.calibrate(row, score);
    } else if (this.forest.standing >= Math.max(1, this.options.trees * ENOUGH_TO_CALIBRATE)) {
      this.threshold.add(this.forest.score(row));
    }
    this.learn(row);
    return false;
  }

  /** Forgets what was learned and learns from the next row on. */
  restart(): void {
    this.reference = undefined;
    this.stands = false;
    this.window = new RowWindow(this.width, this.capacity());
    this.forest = this.emptyForest(0);
    this.grown = this.flagged = 0;
    this.typical = undefined;
    this.threshold.restart([]);
    this.epoch++;
  }

  /** Median and spread of every feature in the rows that the forest learned. */
  typicalRow(): TypicalValues {
    const { reference, stands, window } = this;
    const age = stands ? 'reference' : Math.floor(window.count / this.schedule.replacing.span);
    const key = `${this.epoch} ${age}`;
    if (this.typical?.key !== key) {
      const rows = reference && stands ? reference.commissioned : window;
      this.typical = { key, values: typicalValues(rows, rows.count - this.options.history) };
    }
    return this.typical.values;
  }

  /** Grows one tree that is due; false when none is. After {@link ForestModel.resume} it catches up tree by tree. */
  growNext(): boolean {
    const { reference } = this;
    if (!this.stands && this.grown < this.schedule.dueBy(reference?.at ?? this.window.count)) {
      const born = this.schedule.dueAt(++this.grown);
      this.grow([this.windowSpan(born)], SLIDING_STREAM, this.grown);
      return true;
    }
    if (!reference || reference.grown >= this.referenceTreesDue(reference)) {
      return false;
    }
    const { trees } = this.options;
    const number = ++reference.grown;
    const place = this.grow(reference.spans(number, trees), REFERENCE_STREAM, number);
    if (!this.stands) {
      reference.apart.judge(reference.commissioned, this.forest, place, this.tools.growers.of(number, trees));
    }
    if (number === trees && !this.stands) {
      this.takeOver(reference);
    }
    if (number === trees && this.options.learn === 'reference') {
      this.forest.trim();
    }
    return true;
  }

  state(): ModelState {
    return {
      variant: this.options.variant,
      channels: [...this.channels],
      width: this.width,
      seed: this.seed,
      stream: this.stream,
      first: this.window.first,
      rows: this.window.copy(this.window.first, this.window.count),
      reference: this.reference?.state() ?? null,
      stands: this.stands,
      flagged: this.flagged,
      epoch: this.epoch,
      threshold: this.threshold.state(),
    };
  }

  /** Carries on from a stored state of the same width; call {@link ForestModel.growNext} until it returns false. */
  resume(stored: ModelState): void {
    const { learn, trees, variant } = this.options;
    const state = stored.variant === variant ? stored : withoutScores(stored);
    this.seed = state.seed;
    this.stream = state.stream;
    this.schedule = scheduleOf(this.stream, this.options);
    this.stands = state.stands && state.reference !== null && learn !== 'sliding';
    this.window = RowWindow.from(this.width, this.capacity(), state.rows, state.first);
    this.flagged = state.flagged;
    this.epoch = state.epoch;
    this.threshold.resume(state.threshold);
    if (state.reference && learn !== 'sliding') {
      this.startReference(state.reference);
    }
    if (!this.stands && this.window.first > 0 && this.window.first === this.window.count) {
      // A finished reference needs no window; without the reference nothing is left to learn from.
      this.restart();
      return;
    }
    const { reference } = this;
    const due = this.schedule.dueBy(reference?.at ?? this.window.count);
    this.grown = this.stands ? due : Math.max(0, due - trees);
    if (reference && this.stands) {
      reference.grown = this.referenceTreesDue(reference) - trees;
    }
    this.forest = this.emptyForest(this.grown, reference?.grown ?? 0);
  }

  /** Whether the reference's rows are still to come. */
  private get commissioning(): boolean {
    return this.options.learn !== 'sliding' && !this.reference;
  }

  /** Scores beyond the reference's reach would raise the threshold for a fault that creeps in. */
  private calibrate(row: Float32Array, score: number): void {
    if (!this.stands || this.threshold.countsFlagged || this.reference?.reaches(row) !== false) {
      this.threshold.add(score);
    }
  }

  private learn(row: Float32Array): void {
    const { learn, reference: length } = this.options;
    if (learn === 'reference' && this.stands) {
      return;
    }
    this.window.push(row);
    this.reference?.learned(this.window);
    const { count, first } = this.window;
    if (learn !== 'sliding' && !this.reference && count >= length) {
      const rows = this.window.copy(Math.max(first, count - length), count);
      this.startReference({ at: count, rows, proven: null });
    }
    const began = this.tools.monotonic();
    let grown = 0;
    while (this.growNext()) {
      grown++;
    }
    if (grown > 0) {
      this.report(grown, this.tools.monotonic() - began);
    }
  }

  private report(trees: number, spentMs: number): void {
    this.growth.trees += trees;
    this.growth.spentMs += spentMs;
    if (this.growth.trees >= this.options.trees) {
      this.tools.grown(this.growth.spentMs / 1000);
      this.growth = { trees: 0, spentMs: 0 };
    }
  }

  /** The history before the moment when a tree is grown. */
  private windowSpan(born: number): RowSpan {
    const { window } = this;
    // A changed option may ask for rows that are gone; there is always one.
    const from = Math.max(window.first, Math.min(born - this.options.history, window.count - 1));
    return { window, from, to: Math.max(from + 1, Math.min(born, window.count)) };
  }

  /** @returns the tree's place in the forest */
  private grow(spans: RowSpan[], series: number, tree: number): number {
    const grower = this.tools.growers.of(tree, this.options.trees);
    grower.growFrom(spans, new SeededRandom(this.seed, this.stream, series, tree));
    return this.forest.place(grower);
  }

  private startReference(state: ReferenceState): void {
    const { learn, history } = this.options;
    const proven = learn === 'both' ? (state.proven ?? NOTHING_PROVEN) : null;
    this.reference = new Reference(this.width, history, this.schedule, { ...state, proven });
  }

  private referenceTreesDue(reference: Reference): number {
    const { trees } = this.options;
    const { count } = this.window;
    return this.stands ? trees + reference.renewedBy(count) : Math.min(trees, reference.settledBy(count));
  }

  private takeOver({ apart }: Reference): void {
    this.stands = true;
    const scores = apart.scores(this.forest);
    if (scores.length >= FEWEST_SCORES) {
      this.threshold.restart(scores);
    }
    apart.clear();
    this.trimWindow();
  }

  private trimWindow(): void {
    const { first, count } = this.window;
    const from = this.options.learn === 'reference' ? count : Math.max(first, count - this.capacity());
    this.window = RowWindow.from(this.width, this.capacity(), this.window.copy(from, count), from);
  }

  /** @param turns trees that came before: of the window, and of the reference */
  private emptyForest(...turns: number[]): Ensemble {
    const { trees, gaps, learn } = this.options;
    return this.tools.growers.forest(
      { width: this.width, trees, gaps, beyond: learn !== 'sliding' },
      ...turns,
    );
  }

  /** Rows from which every tree that stands can be grown again, and a reference taken; later, those that have not proven themselves. */
  private capacity(): number {
    const { history, learn, reference } = this.options;
    const { span } = this.schedule.replacing;
    if (this.stands) {
      return learn === 'reference' ? 1 : history + 1;
    }
    return learn === 'sliding' ? history + span : Math.max(history + 2 * span, reference);
  }
}

function scheduleOf(stream: number, options: ModelOptions): GrowthSchedule {
  return new GrowthSchedule({ ...options, phase: new SeededRandom(stream).next() });
}
