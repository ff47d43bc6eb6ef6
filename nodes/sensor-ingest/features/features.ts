import { EdgeError } from '../../shared/errors';
import { setField } from '../rows/paths';
import { bandPower, dominantFrequency, spectralCentroid } from './spectral-features';
import { SpectrumAnalyzer, type PowerSpectrum } from './spectrum';

/** Beyond this magnitude the power of a long window leaves the range of a double. */
export const LARGEST_SAMPLE = 1e120;
/** A spread below this is rounding, not signal. */
const SMALLEST_SPREAD = 1e-290;

const STATISTICS = [
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
type Statistic = (typeof STATISTICS)[number];

const IN_CHANNEL_UNIT = new Set(['mean', 'std', 'min', 'max', 'rms', 'peak', 'peakToPeak']);

/** A feature as the flow file names it. Frequencies in Hz. */
export type Feature =
  | { kind: 'statistic'; name: Statistic }
  | { kind: 'dominantFrequency' | 'spectralCentroid'; name: string }
  | { kind: 'band'; name: string; from: number; to: number };

/** @throws EdgeError `CONFIG` for a name that is no feature */
export function parseFeature(name: string): Feature {
  const statistic = STATISTICS.find((known) => known === name);
  if (statistic) {
    return { kind: 'statistic', name: statistic };
  }
  if (name === 'dominantFrequency' || name === 'spectralCentroid') {
    return { kind: name, name };
  }
  const band = /^band:(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(name);
  if (band && Number(band[1]) < Number(band[2])) {
    return { kind: 'band', name, from: Number(band[1]), to: Number(band[2]) };
  }
  throw new EdgeError(
    'CONFIG',
    `Property "features" has "${name}", which is no feature. Choose from ${STATISTICS.join(', ')}, dominantFrequency, spectralCentroid and band:<from>-<to> in Hz.`,
    { property: 'features' },
  );
}

/** Whether a feature needs samples at a known, even rate. */
export function isSpectral(feature: Feature): boolean {
  return feature.kind !== 'statistic';
}

/** Whether a feature has the unit of its channel, so that the channel's span measures it. */
export function hasChannelUnit(featureName: string): boolean {
  return IN_CHANNEL_UNIT.has(featureName);
}

/** The names under which a channel's features leave: `<channel>.<feature>`. */
export function featureKeys(channel: string, features: readonly Feature[]): string[] {
  return features.map((feature) => `${channel}.${feature.name}`);
}

/**
 * Computes features of windows. All moments are of the population, in two passes (Chan, Golub and LeVeque 1983, with
 * the correction for the rounding of the mean); kurtosis is Pearson's, 3 for a Gaussian.
 *
 * What has no value is 0, so that nothing non-finite leaves: skewness and kurtosis of a window without any spread,
 * crest, shape and impulse of one that is zero throughout, frequencies of one without any oscillation. No other window
 * has a kurtosis, crest, shape or impulse below 1.
 */
export class FeatureExtractor {
  private readonly analyzer = new SpectrumAnalyzer();
  private readonly spectral: boolean;
  private readonly higherMoments: boolean;
  private readonly values: Record<Statistic, number> = {
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

  constructor(
    readonly features: readonly Feature[],
    private readonly sampleRate: number,
  ) {
    this.spectral = features.some(isSpectral);
    this.higherMoments = features.some(({ name }) => name === 'kurtosis' || name === 'skewness');
  }

  /**
   * Adds the features of `samples[0 … length)` to `into` under `keys`, which are those of {@link featureKeys}.
   *
   * @param length at least 1; every sample finite and within ±{@link LARGEST_SAMPLE}
   * @param even false when samples are missing in between: spectral features are then left out
   */
  compute(
    samples: Float64Array | Float32Array,
    length: number,
    keys: readonly string[],
    into: Record<string, number>,
    even = true,
  ): void {
    this.statistics(samples, length);
    const spectrum =
      this.spectral && even ? this.analyzer.analyze(samples, length, this.values.mean) : undefined;
    const flat = this.values.peakToPeak < SMALLEST_SPREAD;
    for (let i = 0; i < keys.length; i++) {
      const feature = this.features[i];
      if (feature.kind === 'statistic') {
        setField(into, keys[i], this.values[feature.name]);
      } else if (spectrum) {
        setField(into, keys[i], flat ? 0 : spectralFeature(feature, spectrum, this.sampleRate));
      }
    }
  }

  private statistics(samples: Float64Array | Float32Array, length: number): void {
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
      if (value < min) {
        min = value;
      }
      if (value > max) {
        max = value;
      }
      if (other < min) {
        min = other;
      }
      if (other > max) {
        max = other;
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
    this.moments(samples, length, mean);
  }

  private moments(samples: Float64Array | Float32Array, length: number, mean: number): void {
    const { values } = this;
    // Deviations in units of the largest possible one keep fourth powers in range.
    const unit = values.peakToPeak;
    if (unit < SMALLEST_SPREAD) {
      values.std = values.skewness = values.kurtosis = 0;
      return;
    }
    const scale = 1 / unit;
    let first = 0;
    let second = 0;
    let third = 0;
    let fourth = 0;
    if (this.higherMoments) {
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
    if (this.higherMoments) {
      const m2 = second / length;
      const m3 = third / length;
      values.skewness = (m3 - 3 * shift * m2 + 2 * shift ** 3) / variance ** 1.5;
      values.kurtosis =
        (fourth / length - 4 * shift * m3 + 6 * shift * shift * m2 - 3 * shift ** 4) / (variance * variance);
    }
  }
}

function spectralFeature(feature: Feature, spectrum: PowerSpectrum, sampleRate: number): number {
  if (feature.kind === 'band') {
    return bandPower(spectrum, sampleRate, feature.from, feature.to);
  }
  return feature.kind === 'dominantFrequency'
    ? dominantFrequency(spectrum, sampleRate)
    : spectralCentroid(spectrum, sampleRate);
}

function ratio(over: number, under: number): number {
  return under > 0 ? over / under : 0;
}
