import { hashString, SeededRandom } from '../shared/random';
import { ApartScores } from './apart-scores';
import { Forest } from './forest';
import type { ModelState } from './model-state';
import { RowWindow } from './row-window';
import { GrowthSchedule } from './schedule';
import { FEWEST_SCORES, ScoreThreshold, type ThresholdOptions } from './threshold';
import type { TreeGrower } from './tree-grower';
import { typicalValues, type TypicalValues } from './typical';

export interface ModelOptions {
  seed: number;
  trees: number;
  sample: number;
  history: number;
  retrain: number;
  warmup: number;
  learn: 'sliding' | 'reference' | 'both';
  reference: number;
  threshold: ThresholdOptions;
  /** Rows may hold NaN for missing values. */
  gaps: boolean;
}

/** What a model is lent. */
export interface ModelTools {
  grower: TreeGrower;
  /** Milliseconds that never go backwards. */
  monotonic(): number;
  /** A whole forest has been grown, in so many seconds of work. */
  grown(seconds: number): void;
}

/**
 * So many readings flagged, less one for every reading that is not, and the source is taken to be in a new regime: the
 * model starts over from there. A finished reference under `learn` = `reference` never gives way.
 */
export const REGIME_READINGS = 500;

/** While the reference is taken, so many flagged readings (counted in the same way) are strays; more are a state of the machine. */
export const STRAY_READINGS = 20;

/** Rows that stay the measure. */
interface Reference {
  rows: RowWindow;
  /** Learned rows when it was complete. */
  at: number;
  /** Trees grown from it. */
  grown: number;
  apart: ApartScores;
}

const SLIDING_STREAM = 0;
const REFERENCE_STREAM = 1;
/** The share of the first forest from which rows of the warm-up are scored to calibrate the threshold. */
const ENOUGH_TO_CALIBRATE = 0.25;

/**
 * One forest that learns from a stream of rows. Its trees are grown from a sliding window, the oldest replaced in turn;
 * with `learn` `reference` or `both`, once the reference's rows are complete, each tree is replaced for the last time by
 * one of the reference. From then on the forest stands, and the window is only kept (`both`) or dropped. Everything is counted in rows: nothing depends on time, and the trees
 * are a function of the rows, their number and the seed, so they are not stored but grown again.
 */
export class ForestModel {
  private readonly schedule: GrowthSchedule;
  private readonly threshold: ScoreThreshold;
  private stream: number;
  private seed: number;
  private window: RowWindow;
  private forest: Forest;
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
    this.schedule = new GrowthSchedule(options);
    this.threshold = new ScoreThreshold(options.threshold);
    this.seed = options.seed;
    this.stream = hashString(name);
    this.window = new RowWindow(width, this.capacity());
    this.forest = this.emptyForest(0);
  }

  /** Rows learned since the model started. */
  get learned(): number {
    return this.window.count;
  }

  get learning(): boolean {
    return !this.stands && (this.window.count < this.schedule.ready || this.limit === null);
  }

  get limit(): number | null {
    return this.threshold.value;
  }

  /** Short name of what decides now: options, seed and how many forests there have been. */
  get digest(): string {
    const trees = this.grown + (this.reference?.grown ?? 0);
    const generation = this.epoch * 1e6 + Math.floor(trees / this.options.trees);
    if (generation !== this.identity.generation) {
      const { trees, sample, learn } = this.options;
      const text = [this.seed, this.stream, trees, sample, learn, this.width, generation].join(' ');
      this.identity = { generation, digest: hashString(text).toString(16).padStart(8, '0') };
    }
    return this.identity.digest;
  }

  /** Bytes of rows, trees and scores. */
  get bytes(): number {
    const { reference } = this;
    const kept = reference ? reference.rows.bytes + reference.apart.bytes : 0;
    return this.window.bytes + kept + this.forest.bytes + this.threshold.bytes;
  }

  /** The score of a row; null until the first forest stands. */
  score(row: Float32Array): number | null {
    return this.learning ? null : this.forest.score(row);
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
      if (this.flagged >= REGIME_READINGS && !(this.options.learn === 'reference' && this.stands)) {
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
      this.threshold.add(score);
    } else if (this.forest.standing >= Math.max(1, this.options.trees * ENOUGH_TO_CALIBRATE)) {
      this.threshold.add(this.forest.score(row));
    }
    this.learn(row);
    return false;
  }

  /** Forgets what was learned and learns from the next row on. */
  restart(): void {
    this.window = new RowWindow(this.width, this.capacity());
    this.forest = this.emptyForest(0);
    this.reference = undefined;
    this.stands = false;
    this.grown = this.flagged = 0;
    this.typical = undefined;
    this.threshold.restart([]);
    this.epoch++;
  }

  /** Median and spread of every feature in the rows that the forest learned. */
  typicalRow(): TypicalValues {
    const { reference, stands, window } = this;
    const age = stands ? 'reference' : Math.floor(window.count / this.schedule.span);
    const key = `${this.epoch} ${age}`;
    if (this.typical?.key !== key) {
      const rows = reference && stands ? reference.rows : window;
      this.typical = { key, values: typicalValues(rows, rows.count - this.options.history) };
    }
    return this.typical.values;
  }

  /** Grows one tree that is due; false when none is. After {@link ForestModel.resume} it catches up tree by tree. */
  growNext(): boolean {
    const { reference } = this;
    if (!this.stands && this.grown < this.schedule.dueBy(reference?.at ?? this.window.count)) {
      const born = this.schedule.dueAt(++this.grown);
      this.grow(this.window, born - this.options.history, born, SLIDING_STREAM, this.grown);
      return true;
    }
    if (!reference || reference.grown >= this.referenceTreesDue(reference)) {
      return false;
    }
    const { rows, apart } = reference;
    reference.grown++;
    const slot = this.grow(rows, 0, rows.count, REFERENCE_STREAM, reference.grown);
    if (!this.stands) {
      apart.judge(rows, this.forest, slot, this.tools.grower);
    }
    if (reference.grown === this.options.trees) {
      this.forest.trim();
      if (!this.stands) {
        this.takeOver(apart);
      }
    }
    return true;
  }

  state(): ModelState {
    return {
      channels: [...this.channels],
      width: this.width,
      seed: this.seed,
      stream: this.stream,
      first: this.window.first,
      rows: this.window.copy(this.window.first, this.window.count),
      reference: this.reference
        ? { at: this.reference.at, rows: this.reference.rows.copy(0, this.reference.rows.count) }
        : null,
      stands: this.stands,
      flagged: this.flagged,
      epoch: this.epoch,
      threshold: this.threshold.state(),
    };
  }

  /** Carries on from a stored state of the same width; call {@link ForestModel.growNext} until it returns false. */
  resume(state: ModelState): void {
    const { learn, trees } = this.options;
    this.seed = state.seed;
    this.stream = state.stream;
    this.window = RowWindow.from(this.width, this.capacity(), state.rows, state.first);
    this.flagged = state.flagged;
    this.epoch = state.epoch;
    this.threshold.resume(state.threshold);
    if (state.reference && learn !== 'sliding') {
      this.startReference(state.reference.rows, state.reference.at);
      this.stands = state.stands;
    }
    if (!this.stands && this.window.first > 0 && this.window.first === this.window.count) {
      // A finished reference needs no window; without the reference nothing is left to learn from.
      this.restart();
      return;
    }
    const due = this.schedule.dueBy(this.reference?.at ?? this.window.count);
    this.grown = this.stands ? due : Math.max(0, due - trees);
    this.forest = this.emptyForest(this.grown);
  }

  /** Whether the reference's rows are still to come. */
  private get commissioning(): boolean {
    return this.options.learn !== 'sliding' && !this.reference;
  }

  private learn(row: Float32Array): void {
    const { learn, reference: length } = this.options;
    if (learn === 'reference' && this.stands) {
      return;
    }
    this.window.push(row);
    if (this.stands) {
      return;
    }
    const { count, first } = this.window;
    if (learn !== 'sliding' && !this.reference && count >= length) {
      this.startReference(this.window.copy(Math.max(first, count - length), count), count);
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

  /** @returns the tree's place in the forest */
  private grow(rows: RowWindow, from: number, to: number, ...stream: number[]): number {
    // A changed option may ask for rows that are gone; there is always one.
    const start = Math.max(rows.first, Math.min(from, rows.count - 1));
    const end = Math.max(start + 1, Math.min(to, rows.count));
    this.tools.grower.grow(rows, start, end, new SeededRandom(this.seed, this.stream, ...stream));
    return this.forest.place(this.tools.grower);
  }

  private startReference(values: Float32Array, at: number): void {
    const length = values.length / this.width;
    const rows = RowWindow.from(this.width, length, values, 0);
    this.reference = { rows, at, grown: 0, apart: new ApartScores(length) };
  }

  private referenceTreesDue({ at }: Reference): number {
    const { trees } = this.options;
    return this.stands
      ? trees
      : Math.min(trees, Math.floor(((this.window.count - at) * trees) / this.referenceSpan));
  }

  private takeOver(apart: ApartScores): void {
    this.stands = true;
    const scores = apart.scores();
    if (scores.length >= FEWEST_SCORES) {
      this.threshold.restart(scores);
    }
    apart.clear();
    if (this.options.learn === 'reference') {
      this.window = RowWindow.from(this.width, 1, new Float32Array(0), this.window.count);
    }
  }

  private emptyForest(turn: number): Forest {
    const { trees, gaps, learn } = this.options;
    return new Forest({ width: this.width, trees, gaps, beyond: learn !== 'sliding', turn });
  }

  /** Learned rows in which the reference's forest grows: slower, for its rows are scored meanwhile. */
  private get referenceSpan(): number {
    return 2 * this.schedule.span;
  }

  /** Rows from which every tree that stands can be grown again, and a reference taken. */
  private capacity(): number {
    const { history, learn, reference } = this.options;
    const { span } = this.schedule;
    return learn === 'sliding' ? history + span : Math.max(history + span + this.referenceSpan, reference);
  }
}
