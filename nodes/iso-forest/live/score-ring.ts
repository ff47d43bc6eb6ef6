/** What became of a scored reading. */
export type Outcome = 'clear' | 'flagged' | 'suppressed';

/** A scored reading as it is remembered. */
export interface ScoredPoint {
  /** Event time, ms since the epoch. */
  ts: number;
  score: number;
  /** The threshold at that time; null while there was none. */
  threshold: number | null;
  outcome: Outcome;
}

const OUTCOMES: readonly Outcome[] = ['clear', 'flagged', 'suppressed'];

/** The latest scored readings of one source, up to a number that can be changed; 21 bytes each. */
export class ScoreRing {
  private times: Float64Array;
  /** Not rounded, so that a threshold that is tried holds against them what it would have held. */
  private scores: Float64Array;
  private thresholds: Float32Array;
  private outcomes: Uint8Array;
  /** Readings ever taken since the size was last set. */
  private taken = 0;

  constructor(readonly capacity: number) {
    this.times = new Float64Array(capacity);
    this.scores = new Float64Array(capacity);
    this.thresholds = new Float32Array(capacity);
    this.outcomes = new Uint8Array(capacity);
  }

  get count(): number {
    return Math.min(this.taken, this.capacity);
  }

  get bytes(): number {
    return (
      this.times.byteLength + this.scores.byteLength + this.thresholds.byteLength + this.outcomes.byteLength
    );
  }

  push(ts: number, score: number, threshold: number | null, outcome: Outcome): void {
    this.write(ts, score, threshold ?? NaN, OUTCOMES.indexOf(outcome));
  }

  /** All that is remembered, oldest first. */
  points(): ScoredPoint[] {
    return Array.from({ length: this.count }, (_, i) => {
      const place = this.place(i);
      const threshold = this.thresholds[place];
      return {
        ts: this.times[place],
        score: this.scores[place],
        threshold: Number.isNaN(threshold) ? null : threshold,
        outcome: OUTCOMES[this.outcomes[place]],
      };
    });
  }

  /** A ring of another size with the latest of these readings. */
  resized(capacity: number): ScoreRing {
    const ring = new ScoreRing(capacity);
    for (let i = Math.max(0, this.count - capacity); i < this.count; i++) {
      const place = this.place(i);
      ring.write(this.times[place], this.scores[place], this.thresholds[place], this.outcomes[place]);
    }
    return ring;
  }

  private place(index: number): number {
    return (this.taken - this.count + index) % this.capacity;
  }

  private write(ts: number, score: number, threshold: number, outcome: number): void {
    const place = this.taken % this.capacity;
    this.times[place] = ts;
    this.scores[place] = score;
    this.thresholds[place] = threshold;
    this.outcomes[place] = outcome;
    this.taken++;
  }
}
