import type { Histogram } from './result';

const BARS = 48;
/** Where all scores are equal. */
const LEAST_STEP = 1e-4;

/** Counts scores in bars from the least to the largest; undefined without scores. */
export function histogramOf(normal: ArrayLike<number>, flagged: ArrayLike<number>): Histogram | undefined {
  const all = [normal, flagged];
  let low = Infinity;
  let high = -Infinity;
  for (const scores of all) {
    for (let i = 0; i < scores.length; i++) {
      low = Math.min(low, scores[i]);
      high = Math.max(high, scores[i]);
    }
  }
  if (low > high) {
    return undefined;
  }
  const step = Math.max((high - low) / BARS, LEAST_STEP);
  const [counts, marked] = all.map((scores) => {
    const bars = new Array<number>(BARS).fill(0);
    for (let i = 0; i < scores.length; i++) {
      bars[Math.min(BARS - 1, Math.floor((scores[i] - low) / step))]++;
    }
    return bars;
  });
  return { low, step, normal: counts, flagged: marked };
}
