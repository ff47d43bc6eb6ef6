import type { Growers, Variant } from './forest/variant';
import type { ThresholdOptions } from './threshold';

export interface ModelOptions {
  variant: Variant;
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
  growers: Growers;
  /** Milliseconds that never go backwards. */
  monotonic(): number;
  /** A whole forest has been grown, in so many seconds of work. */
  grown(seconds: number): void;
}
