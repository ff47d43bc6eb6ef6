/** A spread below this is rounding, not signal. */
const SMALLEST_SPREAD = 1e-290;

export const STATISTICS = [
  'mean',
  'std',
  'min',
  'max',
  'rms',
  'peak',
  'peakToPeak',
  'crest',
  'kurtosis',
  'skewness',
  'shape',
  'impulse',
] as const;
export type Statistic = (typeof STATISTICS)[number];

/**
 * Statistics of windows, one after the other: {@link measure}, then {@link moments} where one of them is asked for. All
 * moments are of the population, in two passes (Chan, Golub and LeVeque 1983, with the correction for the rounding of
 * the mean); kurtosis is Pearson's, 3 for a Gaussian. What has no value is 0.
 */
export class WindowStatistics {
  /** Those of the last window. */
  readonly values: Record<Statistic, number> = {
    mean: 0,
    std: 0,
    min: 0,
    max: 0,
    rms: 0,
    peak: 0,
    peakToPeak: 0,
    crest: 0,
    kurtosis: 0,
    skewness: 0,
    shape: 0,
    impulse: 0,
  };

  /** Whether the last window has no more spread than rounding makes. */
  get flat(): boolean {
    return this.values.peakToPeak < SMALLEST_SPREAD;
  }

  /**
   * Everything but the moments of `samples[0 … length)`, `length` at least 1.
   *
   * @returns the largest magnitude; NaN when one of the samples is
   */
  measure(samples: Float64Array | Float32Array, length: number): number {
    // Two sums of each, so that an addition does not wait for the one before it.
    let sum = 0;
    let squares = 0;
    let magnitudes = 0;
    let otherSum = 0;
    let otherSquares = 0;
    let otherMagnitudes = 0;
    let min = Infinity;
    let max = -Infinity;
    const paired = length - (length % 2);
    for (let i = 0; i < paired; i += 2) {
      const value = samples[i];
      const other = samples[i + 1];
      sum += value;
      otherSum += other;
      squares += value * value;
      otherSquares += other * other;
      magnitudes += Math.abs(value);
      otherMagnitudes += Math.abs(other);
      // Which of the two is smaller is a coin's toss, but either is seldom a new extreme: one guess is always right.
      if (value < min || other < min) {
        min = Math.min(min, value, other);
      }
      if (value > max || other > max) {
        max = Math.max(max, value, other);
      }
    }
    if (paired < length) {
      const last = samples[paired];
      sum += last;
      squares += last * last;
      magnitudes += Math.abs(last);
      min = Math.min(min, last);
      max = Math.max(max, last);
    }
    sum += otherSum;
    squares += otherSquares;
    magnitudes += otherMagnitudes;
    const { values } = this;
    const peak = Math.max(-min, max);
    const mean = min === max ? min : sum / length;
    const rms = min === max ? peak : Math.sqrt(squares / length);
    const meanMagnitude = min === max ? peak : magnitudes / length;
    values.mean = mean;
    values.min = min;
    values.max = max;
    values.peak = peak;
    values.peakToPeak = max - min;
    values.rms = rms;
    values.crest = ratio(peak, rms);
    values.shape = ratio(rms, meanMagnitude);
    values.impulse = ratio(peak, meanMagnitude);
    return Number.isNaN(sum) ? NaN : peak;
  }

  /** `std`, and `skewness` and `kurtosis` where `higher`, of the window that {@link measure} saw last. */
  moments(samples: Float64Array | Float32Array, length: number, higher: boolean): void {
    const { values } = this;
    // Deviations in units of the largest possible one keep fourth powers in range.
    const unit = values.peakToPeak;
    if (this.flat) {
      values.std = values.skewness = values.kurtosis = 0;
      return;
    }
    const { mean } = values;
    const scale = 1 / unit;
    let first = 0;
    let second = 0;
    let third = 0;
    let fourth = 0;
    if (higher) {
      for (let i = 0; i < length; i++) {
        const deviation = (samples[i] - mean) * scale;
        const square = deviation * deviation;
        first += deviation;
        second += square;
        third += square * deviation;
        fourth += square * square;
      }
    } else {
      for (let i = 0; i < length; i++) {
        const deviation = (samples[i] - mean) * scale;
        first += deviation;
        second += deviation * deviation;
      }
    }
    const shift = first / length;
    const variance = second / length - shift * shift;
    values.std = Math.sqrt(variance) * unit;
    if (higher) {
      const m2 = second / length;
      const m3 = third / length;
      values.skewness = (m3 - 3 * shift * m2 + 2 * shift ** 3) / variance ** 1.5;
      values.kurtosis =
        (fourth / length - 4 * shift * m3 + 6 * shift * shift * m2 - 3 * shift ** 4) / (variance * variance);
    }
  }
}

function ratio(over: number, under: number): number {
  return under > 0 ? over / under : 0;
}
