import { fitTail, tailQuantile } from './pareto';

export type ThresholdOptions =
  | { mode: 'auto'; alarmRate: number }
  | { mode: 'contamination'; contamination: number }
  | { mode: 'score'; scoreThreshold: number };

/** The latest scores that a threshold is set from. */
export const SCORES_KEPT = 2000;
/** How many new scores move the threshold. */
export const RECALIBRATE_EVERY = 100;
/** With fewer scores than this the threshold keeps well clear of all of them. */
export const SCORES_FOR_TAIL = 200;
/** No threshold before this; a very short warm-up lasts until then. */
export const FEWEST_SCORES = 5;
const TAIL_SHARE = 0.02;
const FEWEST_PEAKS = 20;
const CLEARANCE_DEVIATIONS = 6;
/** Scores above this are far out by any standard: only higher scores of normal readings put the threshold above it. */
const CLEARLY_FAR = 0.8;
const CLEAR_OF_HIGHEST = 1.02;
/**
 * A row whose path is as long as the average of random trees scores 0.5, so nothing sets it apart (Liu, Ting and Zhou
 * 2008). Readings that hardly ever change all score just below, and creep up to it as rare ones leave the window.
 */
const NEVER_FAR = 0.501;
/** Widens the tail by so many standard errors: a threshold from few peaks errs toward silence. */
const CAUTION = 2;

/** What a threshold carries over a restart; scores oldest first. */
export interface ThresholdState {
  scores: Float32Array;
  count: number;
  /** How many of the count a restart gave. */
  given: number;
  sum: number;
  squares: number;
  highest: number;
  limit: number | null;
  /** The options that the limit was set with. */
  setting: string;
}

/**
 * The score from which a reading is flagged, set from past scores of readings that the forest had not learned.
 *
 * `auto` is peaks over threshold (SPOT, Siffer et al. 2017): scores above their 98 % quantile (with few scores, above
 * the 20th largest) are taken for a generalized Pareto tail, and the threshold lies where that tail is passed with the
 * chance `alarmRate`. Scores that were flagged are not added. The first scores of a source come from a forest that knows
 * little yet, so the earlier half of all scores is left out. `contamination` is the quantile that flags that share
 * of the past scores, flagged ones included. Both move every {@link RECALIBRATE_EVERY} scores, so the same scores give
 * the same thresholds.
 */
export class ScoreThreshold {
  private scores = new Float32Array(0);
  private count = 0;
  private given = 0;
  private sum = 0;
  private squares = 0;
  private highest = 0;
  private limit: number | null;

  constructor(private options: ThresholdOptions) {
    this.limit = options.mode === 'score' ? options.scoreThreshold : null;
  }

  /** Null while there are too few scores. */
  get value(): number | null {
    return this.limit;
  }

  /** Whether flagged scores count too. */
  get countsFlagged(): boolean {
    return this.options.mode === 'contamination';
  }

  add(score: number): void {
    if (this.options.mode === 'score') {
      return;
    }
    this.keep(score);
    if (this.count < SCORES_FOR_TAIL || this.count % RECALIBRATE_EVERY === 0) {
      this.calibrate();
    }
  }

  /** Starts again from the given scores, oldest first. */
  restart(scores: ArrayLike<number>): void {
    this.count = this.sum = this.squares = this.highest = this.given = 0;
    if (this.options.mode === 'score') {
      return;
    }
    this.limit = null;
    for (let i = 0; i < scores.length; i++) {
      this.keep(scores[i]);
    }
    this.given = this.count;
    this.calibrate();
  }

  get bytes(): number {
    return this.scores.byteLength;
  }

  state(): ThresholdState {
    const { count, given, sum, squares, highest, limit } = this;
    const setting = JSON.stringify(this.options);
    return { scores: this.latest(count), count, given, sum, squares, highest, limit, setting };
  }

  /** Goes on with other options of the same mode. */
  retune(options: ThresholdOptions): void {
    this.options = options;
    if (options.mode === 'score') {
      this.limit = options.scoreThreshold;
    } else {
      this.calibrate();
    }
  }

  /** Carries on where another threshold was. A fixed score stays what it is set to. */
  resume(state: ThresholdState): void {
    if (this.options.mode === 'score') {
      return;
    }
    const kept = state.scores.length;
    this.scores = new Float32Array(state.count > kept ? SCORES_KEPT : kept);
    for (let i = 0; i < kept; i++) {
      this.scores[(state.count - kept + i) % SCORES_KEPT] = state.scores[i];
    }
    this.count = state.count;
    this.given = state.given;
    this.sum = state.sum;
    this.squares = state.squares;
    this.highest = state.highest;
    this.limit = state.limit;
    if (state.setting !== JSON.stringify(this.options)) {
      this.limit = null;
      this.calibrate();
    }
  }

  private keep(score: number): void {
    if (this.count === this.scores.length && this.count < SCORES_KEPT) {
      const larger = new Float32Array(Math.min(Math.max(64, this.count * 2), SCORES_KEPT));
      larger.set(this.scores);
      this.scores = larger;
    }
    this.scores[this.count % SCORES_KEPT] = score;
    this.count++;
    this.sum += score;
    this.squares += score * score;
    this.highest = Math.max(this.highest, score);
  }

  /** The latest scores that are kept, oldest first. */
  private latest(wanted: number): Float32Array {
    const kept = Math.min(wanted, this.count, SCORES_KEPT);
    const scores = new Float32Array(kept);
    for (let i = 0; i < kept; i++) {
      scores[i] = this.scores[(this.count - kept + i) % SCORES_KEPT];
    }
    return scores;
  }

  private calibrate(): void {
    if (this.count < FEWEST_SCORES) {
      return;
    }
    if (this.options.mode === 'auto' && this.count < SCORES_FOR_TAIL) {
      this.limit = this.clearOfAll();
      return;
    }
    switch (this.options.mode) {
      case 'auto': {
        const early = Math.floor((this.count - this.given) / 2);
        this.limit = overTail(this.latest(this.count - early).sort(), this.options.alarmRate);
        break;
      }
      case 'contamination':
        this.limit = aboveShare(this.latest(this.count).sort(), this.options.contamination);
        break;
      case 'score':
        break;
    }
  }

  private clearOfAll(): number {
    const mean = this.sum / this.count;
    const deviation = Math.sqrt(Math.max(0, this.squares / this.count - mean * mean));
    const clear = Math.max(this.highest + (this.highest - mean) / 2, mean + CLEARANCE_DEVIATIONS * deviation);
    return within(clear, this.highest);
  }
}

function overTail(sorted: Float32Array, alarmRate: number): number {
  const peaks = Math.max(Math.round(sorted.length * TAIL_SHARE), FEWEST_PEAKS);
  const level = sorted[sorted.length - peaks - 1];
  const excesses = sorted.subarray(sorted.length - peaks).map((score) => score - level);
  const chance = (alarmRate * sorted.length) / peaks;
  const excess = chance < 1 ? tailQuantile(fitTail(excesses), chance) : 0;
  return within(level + excess * (1 + CAUTION / Math.sqrt(peaks)), sorted[sorted.length - 1]);
}

function within(limit: number, highest: number): number {
  return Math.max(Math.min(limit, CLEARLY_FAR), Math.min(highest * CLEAR_OF_HIGHEST, 1), NEVER_FAR);
}

/** The least score that at most the given share reaches. Of many equal scores, as a machine at rest gives, none is flagged. */
function aboveShare(sorted: Float32Array, share: number): number {
  const place = Math.min(Math.ceil((1 - share) * sorted.length), sorted.length - 1);
  const score = sorted[place];
  if (place === 0 || sorted[place - 1] < score) {
    return score;
  }
  return sorted.find((other) => other > score) ?? Math.min(score * CLEAR_OF_HIGHEST, 1);
}
