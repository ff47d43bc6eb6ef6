/** A straight line through what was measured, robust against a quarter of it being anything (Theil and Sen). */
export interface Trend {
  n: number;
  median: number;
  /** Units an hour. */
  perHour: number;
  minutes: number;
}

/** @param samples at (s) and value; the slope is the median of those of all pairs, of at most 600 samples */
export function trendOf(samples: readonly { at: number; value: number }[]): Trend {
  const step = Math.max(1, Math.ceil(samples.length / 600));
  const some = samples.filter((_, index) => index % step === 0);
  const slopes: number[] = [];
  some.forEach((a, index) => {
    for (const b of some.slice(index + 1)) {
      if (b.at > a.at) {
        slopes.push((b.value - a.value) / (b.at - a.at));
      }
    }
  });
  return {
    n: samples.length,
    median: median(samples.map(({ value }) => value)),
    perHour: median(slopes) * 3600,
    minutes: samples.length === 0 ? 0 : (samples[samples.length - 1].at - samples[0].at) / 60,
  };
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) {
    return 0;
  }
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
