import { exp, log } from './forest/exact-math';

/** A generalized Pareto distribution of excesses over a level. */
export interface ParetoTail {
  /** γ: above 0 heavy, 0 exponential, below 0 with an end. */
  shape: number;
  /** σ, in units of the excesses. */
  scale: number;
}

/**
 * Few peaks say little about the shape. A tail with an end would put the threshold on the largest score so far, and scores
 * are bounded, so a heavy one comes from a few odd readings.
 */
const SHAPE_LIMITS = { min: 0, max: 0.25 };
const EXPONENTIAL = 1e-6;

/**
 * Fits a tail by probability-weighted moments (Hosking and Wallis 1987), which stay sound with a dozen peaks where
 * maximum likelihood does not. With the shape at a limit, the scale keeps the mean.
 *
 * @param excesses ascending, positive; at least two
 */
export function fitTail(excesses: ArrayLike<number>): ParetoTail {
  const count = excesses.length;
  let mean = 0;
  let weighted = 0;
  for (let i = 0; i < count; i++) {
    mean += excesses[i] / count;
    weighted += (excesses[i] * (count - 1 - i)) / (count - 1) / count;
  }
  const spread = mean - 2 * weighted;
  const fitted = spread > 0 ? 2 - mean / spread : SHAPE_LIMITS.min;
  const shape = Math.min(Math.max(fitted, SHAPE_LIMITS.min), SHAPE_LIMITS.max);
  return { shape, scale: mean * (1 - shape) };
}

/**
 * The excess that is passed with the given chance, once the level itself has been passed.
 *
 * @param chance between 0 and 1
 */
export function tailQuantile(tail: ParetoTail, chance: number): number {
  return tail.shape < EXPONENTIAL
    ? -tail.scale * log(chance)
    : (tail.scale / tail.shape) * (exp(-tail.shape * log(chance)) - 1);
}
