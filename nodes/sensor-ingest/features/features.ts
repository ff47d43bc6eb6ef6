import { EdgeError } from '../../shared/errors';
import { setField } from '../rows/paths';
import { bandPower, dominantFrequency, spectralCentroid } from './spectral-features';
import { PlainPasses, type Samples, type WindowPasses } from './passes';
import type { PowerSpectrum } from './power-spectrum';
import type { SimdKernel } from './simd/kernel';
import { SpectrumAnalyzer } from './spectrum';
import { STATISTICS, WindowStatistics, type Statistic } from './statistics';

/** Beyond this magnitude the power of a long window leaves the range of a double. */
export const LARGEST_SAMPLE = 1e120;

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
 * Computes features of windows.
 *
 * What has no value is 0, so that nothing non-finite leaves: skewness and kurtosis of a window without any spread,
 * crest, shape and impulse of one that is zero throughout, frequencies of one without any oscillation. No other window
 * has a kurtosis, crest, shape or impulse below 1.
 */
export class FeatureExtractor {
  private readonly analyzer: SpectrumAnalyzer;
  private readonly statistics = new WindowStatistics();
  private readonly plain = new PlainPasses();
  private passes: WindowPasses = this.plain;
  private readonly spectral: boolean;
  private readonly moments: boolean;
  private readonly higherMoments: boolean;

  /**
   * @param sampleRate Hz, 0 when unknown
   * @param vectors false to do without WebAssembly where it could be used
   */
  constructor(
    readonly features: readonly Feature[],
    private readonly sampleRate: number,
    vectors = true,
  ) {
    this.analyzer = new SpectrumAnalyzer(vectors);
    this.spectral = features.some(isSpectral);
    this.higherMoments = features.some(({ name }) => name === 'kurtosis' || name === 'skewness');
    this.moments = this.higherMoments || features.some(({ name }) => name === 'std');
  }

  /**
   * Adds the features of `samples[0 … length)` to `into` under `keys`, which are those of {@link featureKeys}.
   *
   * @param length at least 1; every sample finite and within ±{@link LARGEST_SAMPLE}
   * @param even false when samples are missing in between: spectral features are then left out
   */
  compute(
    samples: Samples,
    length: number,
    keys: readonly string[],
    into: Record<string, number>,
    even = true,
  ): void {
    const kernel = this.kernelFor(length, even);
    kernel?.samples.set(samples.length === length ? samples : samples.subarray(0, length));
    this.passes = kernel ?? this.plain.over(samples);
    this.measure(length);
    this.complete(length, keys, into, even);
  }

  /** Where the samples of the next window go, from 0 on; {@link measure} and then {@link complete} take them from there. */
  room(length: number): Float64Array {
    const kernel = this.kernelFor(length, true);
    const room = kernel?.samples ?? this.plain.reserve(length);
    this.passes = kernel ?? this.plain;
    return room;
  }

  /**
   * The first pass over the samples, which may have yet to be checked.
   *
   * @returns their extent; `peak`, the largest magnitude, is NaN when one of them is
   */
  measure(length: number): { min: number; max: number; peak: number } {
    const peak = this.statistics.measure(this.passes, length);
    const { min, max } = this.statistics.values;
    return { min, max, peak };
  }

  /** Adds the features of the samples that were measured last, as {@link compute} does. */
  complete(length: number, keys: readonly string[], into: Record<string, number>, even = true): void {
    const { statistics, passes } = this;
    const { values, flat } = statistics;
    if (this.moments) {
      statistics.moments(passes, length, this.higherMoments);
    }
    const spectrum =
      this.spectral && even ? this.analyzer.analyze(passes.samples, length, values.mean) : undefined;
    for (let i = 0; i < keys.length; i++) {
      const feature = this.features[i];
      if (feature.kind === 'statistic') {
        setField(into, keys[i], values[feature.name]);
      } else if (spectrum) {
        setField(into, keys[i], flat ? 0 : spectralFeature(feature, spectrum, this.sampleRate));
      }
    }
  }

  private kernelFor(length: number, even: boolean): SimdKernel | undefined {
    return this.spectral && even ? this.analyzer.kernelFor(length) : undefined;
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
