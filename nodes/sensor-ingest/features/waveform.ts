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
      this.extractor.complete(length, keys, into);
      count = Math.max(count, length);
    }
    const window: Window = { start: end, end, count };
    if (this.sampleRate > 0) {
      window.start = end - Math.round(((count - 1) * 1000) / this.sampleRate);
      window.sampleRate = this.sampleRate;
    }
    return window;
  }

  /** Copies a waveform to where the extractor reads it, converted, checked and measured. */
  private load(waveform: Waveform): void {
    const { name, samples, channel } = waveform;
    const { length } = samples;
    if (length === 0) {
      throw new EdgeError(
        'NO_CHANNELS',
        `The waveform "${excerpt(name)}" has no samples. Send at least one.`,
      );
    }
    const room = this.extractor.room(length);
    if (samples instanceof Float32Array || samples instanceof Int16Array) {
      room.set(samples);
    } else {
      copyChecked(waveform, room);
    }
    if (channel) {
      convertAll(room, length, channel);
    }
    const { min, max, peak } = this.extractor.measure(length);
    // Whether all is well shows in the extent; which sample is not, is looked for only then.
    if (!(
      peak <= LARGEST_SAMPLE &&
      min >= (channel?.min ?? -Infinity) &&
      max <= (channel?.max ?? Infinity)
    )) {
      checkEach(waveform);
    }
  }
}

/** As {@link convert} does, without its checks. */
function convertAll(samples: Float64Array, length: number, { scale, offset }: ChannelSpec): void {
  if (scale === 1 && offset === 0) {
    return;
  }
  for (let i = 0; i < length; i++) {
    samples[i] = samples[i] * scale + offset;
  }
}

/** @throws EdgeError for the first sample that is no number or too large; else for the first that is once converted, or out of range */
function checkEach(waveform: Waveform): void {
  const { samples, channel } = waveform;
  const numbers = new Float64Array(samples.length);
  copyChecked(waveform, numbers);
  if (channel) {
    for (const number of numbers) {
      checkMagnitude(convert(number, channel), channel.name);
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

/** @throws EdgeError `NOT_FINITE` for the first sample that is no number or too large */
function copyChecked({ name, samples }: Waveform, into: Float64Array): void {
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i];
    if (!(typeof sample === 'number' && Math.abs(sample) <= LARGEST_SAMPLE)) {
      throw badSample(name, sample, i);
    }
    into[i] = sample;
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
