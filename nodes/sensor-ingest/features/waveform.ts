import { EdgeError } from '../../shared/errors';
import type { Window } from '../../shared/messages';
import { convert, type ChannelSpec } from '../rows/channels';
import { featureKeys, LARGEST_SAMPLE, type FeatureExtractor } from './features';
import { excerpt, typeName } from '../rows/paths';
import type { ClosedWindow } from './window';

/** Turns a waveform, which is one window of one channel, into its features. */
export class WaveformReader {
  private readonly keys: readonly string[];
  private scratch = new Float64Array(0);

  constructor(
    private readonly channels: readonly ChannelSpec[],
    private readonly sampleRate: number,
    private readonly extractor: FeatureExtractor,
  ) {
    this.keys = featureKeys(channels.length === 1 ? channels[0].name : 'value', extractor.features);
  }

  /**
   * @param end time of the last sample, ms since the epoch
   * @throws EdgeError `NO_CHANNELS`, `NOT_FINITE`, `RANGE`
   */
  read(samples: ArrayLike<unknown>, end: number): ClosedWindow {
    const { length } = samples;
    if (length === 0) {
      throw new EdgeError('NO_CHANNELS', 'The waveform has no samples. Send at least one.');
    }
    if (this.channels.length > 1) {
      throw new EdgeError(
        'NO_CHANNELS',
        `The payload is a waveform, which is one channel, but the channels table has ${this.channels.length} rows. Use one node for waveforms and another for the rest.`,
      );
    }
    if (this.scratch.length < length) {
      this.scratch = new Float64Array(length);
    }
    const { scratch } = this;
    copyNumbers(samples, scratch);
    const [channel] = this.channels as readonly (ChannelSpec | undefined)[];
    for (let i = 0; i < length; i++) {
      if (!(Math.abs(scratch[i]) <= LARGEST_SAMPLE)) {
        throw badSample(samples[i], i);
      }
    }
    if (channel) {
      for (let i = 0; i < length; i++) {
        scratch[i] = convert(scratch[i], channel);
        checkMagnitude(scratch[i], channel.name);
      }
    }
    const payload: Record<string, number> = {};
    this.extractor.compute(scratch, length, this.keys, payload);
    const window: Window = { start: end, end, count: length };
    if (this.sampleRate > 0) {
      window.start = end - Math.round(((length - 1) * 1000) / this.sampleRate);
      window.sampleRate = this.sampleRate;
    }
    return { payload, window };
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
  if (samples instanceof Float32Array || samples instanceof Float64Array) {
    into.set(samples);
    return;
  }
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i];
    into[i] = typeof sample === 'number' ? sample : NaN;
  }
}

function badSample(sample: unknown, index: number): EdgeError {
  const shown = typeof sample === 'number' ? String(sample) : typeName(sample);
  return new EdgeError(
    'NOT_FINITE',
    `Sample ${index} of the waveform is ${shown}, not a finite number within ±${LARGEST_SAMPLE}. Check the sensor, or the property "format".`,
    { index },
  );
}
