import type { WindowPasses } from './passes';

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
   * Everything but the moments of the first `length` samples, at least 1.
   *
   * @returns the largest magnitude; NaN when one of the samples is
   */
  measure(passes: WindowPasses, length: number): number {
    const { sum, squares, magnitudes, min, max } = passes.sums(length);
    const { values } = this;
    const peak = Math.max(-min, max);
    const rms = min === max ? peak : Math.sqrt(squares / length);
    const meanMagnitude = min === max ? peak : magnitudes / length;
    values.mean = min === max ? min : sum / length;
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
  moments(passes: WindowPasses, length: number, higher: boolean): void {
    const { values } = this;
    if (this.flat) {
      values.std = values.skewness = values.kurtosis = 0;
      return;
    }
    // Deviations in units of the largest possible one keep fourth powers in range.
    const unit = values.peakToPeak;
    const { first, second, third, fourth } = passes.deviations(length, values.mean, 1 / unit, higher);
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
