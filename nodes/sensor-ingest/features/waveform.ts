import { EdgeError } from '../../shared/errors';
import type { Window } from '../../shared/messages';
import { convert, type ChannelSpec } from '../rows/channels';
import { typeName } from '../rows/paths';
import { excerpt } from '../../shared/text';
import { featureKeys, LARGEST_SAMPLE, type FeatureExtractor } from './features';

/** Evenly sampled values of one channel: a window as it is. */
export interface Waveform {
  name: string;
  samples: ArrayLike<unknown>;
  /** How its samples are converted and checked. */
  channel: ChannelSpec | undefined;
}

/** Turns waveforms into their features. */
export class WaveformReader {
  private readonly keys = new Map<string, readonly string[]>();
  private scratch = new Float64Array(0);

  /**
   * @param channels the channels table; the names of its features are made once
   * @param sampleRate Hz, 0 when unknown
   */
  constructor(
    channels: readonly ChannelSpec[],
    private readonly sampleRate: number,
    private readonly extractor: FeatureExtractor,
  ) {
    for (const name of [...channels.map((channel) => channel.name), 'value']) {
      this.keys.set(name, featureKeys(name, extractor.features));
    }
  }

  /**
   * Adds the features of waveforms that were taken together to `into`.
   *
   * @param end time of the last sample, ms since the epoch
   * @returns the window that the longest of them covers
   * @throws EdgeError `NO_CHANNELS`, `NOT_FINITE`, `RANGE`
   */
  read(waveforms: readonly Waveform[], end: number, into: Record<string, number>): Window {
    let count = 0;
    for (const waveform of waveforms) {
      const { length } = waveform.samples;
      this.load(waveform);
      const keys = this.keys.get(waveform.name) ?? featureKeys(waveform.name, this.extractor.features);
      this.extractor.compute(this.scratch, length, keys, into);
      count = Math.max(count, length);
    }
    const window: Window = { start: end, end, count };
    if (this.sampleRate > 0) {
      window.start = end - Math.round(((count - 1) * 1000) / this.sampleRate);
      window.sampleRate = this.sampleRate;
    }
    return window;
  }

  /** Copies a waveform to where the extractor reads it, converted and checked. */
  private load({ name, samples, channel }: Waveform): void {
    const { length } = samples;
    if (length === 0) {
      throw new EdgeError(
        'NO_CHANNELS',
        `The waveform "${excerpt(name)}" has no samples. Send at least one.`,
      );
    }
    if (this.scratch.length < length) {
      this.scratch = new Float64Array(length);
    }
    const { scratch } = this;
    copyNumbers(samples, scratch);
    for (let i = 0; i < length; i++) {
      if (!(Math.abs(scratch[i]) <= LARGEST_SAMPLE)) {
        throw badSample(name, samples[i], i);
      }
    }
    if (channel) {
      for (let i = 0; i < length; i++) {
        scratch[i] = convert(scratch[i], channel);
        checkMagnitude(scratch[i], channel.name);
      }
    }
  }
}

/** @throws EdgeError `NOT_FINITE` for a value that no feature can be made of */
export function checkMagnitudes(row: Readonly<Record<string, number>>): void {
  for (const name of Object.keys(row)) {
    checkMagnitude(row[name], name);
  }
}

function checkMagnitude(value: number, name: string): void {
  if (Math.abs(value) > LARGEST_SAMPLE) {
    throw new EdgeError(
      'NOT_FINITE',
      `Channel "${excerpt(name)}" is ${value}, too large for features to be finite. Check the sensor and its conversion.`,
      { channel: name },
    );
  }
}

/** What is no number becomes NaN. */
function copyNumbers(samples: ArrayLike<unknown>, into: Float64Array): void {
  if (samples instanceof Float32Array || samples instanceof Float64Array || samples instanceof Int16Array) {
    into.set(samples);
    return;
  }
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i];
    into[i] = typeof sample === 'number' ? sample : NaN;
  }
}

function badSample(name: string, sample: unknown, index: number): EdgeError {
  const shown = typeof sample === 'number' ? String(sample) : typeName(sample);
  return new EdgeError(
    'NOT_FINITE',
    `Sample ${index} of the waveform "${excerpt(name)}" is ${shown}, not a finite number within ±${LARGEST_SAMPLE}. Check the sensor, or the property "format".`,
    { channel: name, index },
  );
}
