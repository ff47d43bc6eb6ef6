import { EdgeError } from '../shared/errors';
import { channelField } from '../shared/detection/payload';
import { exp2 } from './forest/exact-math';

export type MissingPolicy = 'reject' | 'nan' | 'zero' | 'last';

export interface RowOptions {
  missing: MissingPolicy;
  /** Readings that are joined to a row. */
  shingle: number;
  /** Half-life of the exponential average in readings; 0 = off. */
  smoothing: number;
}

/** What a builder carries over a restart; missing values are NaN. */
export interface RowBuilderState {
  last: Float64Array;
  average: Float64Array;
  lags: Float32Array;
  joined: number;
}

const LARGEST = 3.4e38;

/**
 * The values of a payload in the order of the channels. Changes nothing.
 *
 * @param last the source's values before this reading, for the policy `last`
 * @param values takes them; as many as there are channels
 * @throws EdgeError `PAYLOAD`, `CHANNEL_MISSING`, `NOT_FINITE`
 */
export function readValues(
  payload: unknown,
  channels: readonly string[],
  missing: MissingPolicy,
  last: Float64Array | undefined,
  values: Float64Array = new Float64Array(channels.length),
): Float64Array {
  const container = typeof payload === 'object' && payload !== null && !Buffer.isBuffer(payload);
  if (!container && typeof payload !== 'number') {
    throw nothingNumeric();
  }
  let present = 0;
  for (let i = 0; i < channels.length; i++) {
    const field = channelField(payload, channels[i]);
    const usable = typeof field === 'number' && Math.abs(field) <= LARGEST;
    present += usable ? 1 : 0;
    values[i] = usable ? field : substitute(field, channels[i], missing, last ? last[i] : NaN);
  }
  if (present === 0) {
    throw nothingNumeric();
  }
  return values;
}

export function nothingNumeric(): EdgeError {
  return new EdgeError(
    'PAYLOAD',
    'msg.payload holds no number for the forest. Send a number, an array of numbers or an object of channels.',
  );
}

function substitute(field: unknown, channel: string, missing: MissingPolicy, last: number): number {
  if (missing === 'nan') {
    return NaN;
  }
  if (missing === 'zero') {
    return 0;
  }
  if (missing === 'last' && !Number.isNaN(last)) {
    return last;
  }
  if (typeof field === 'number') {
    throw new EdgeError(
      'NOT_FINITE',
      `Channel "${channel}" is ${field}, which is no value to learn from. Correct it, or choose another "missing" policy.`,
      { channel },
    );
  }
  throw new EdgeError(
    'CHANNEL_MISSING',
    `Channel "${channel}" is missing in msg.payload. Send it, take it out of "channels", or choose another "missing" policy; the channels of a source are fixed by its first reading until it is reset.`,
    { channel },
  );
}

/** Turns the readings of one source into rows: smoothed, and joined with the readings before. */
export class RowBuilder {
  private readonly width: number;
  private readonly weight: number;
  private readonly row: Float32Array;
  private readonly average: Float64Array;
  private joined = 0;
  private previous: Float64Array | undefined;

  constructor(
    channels: number,
    private readonly options: RowOptions,
  ) {
    this.width = channels;
    this.weight = options.smoothing > 0 ? 1 - exp2(-1 / options.smoothing) : 1;
    this.row = new Float32Array(channels * options.shingle);
    this.average = new Float64Array(channels).fill(NaN);
  }

  /** The values of the reading before; valid until the next one. */
  get last(): Float64Array | undefined {
    return this.previous;
  }

  /**
   * The row of a reading, newest values first; valid until the next call. Undefined while there are fewer readings than
   * a row joins.
   */
  next(values: Float64Array): Float32Array | undefined {
    const { row, width } = this;
    if (row.length > width) {
      row.copyWithin(width, 0, row.length - width);
    }
    if (this.weight === 1) {
      for (let i = 0; i < width; i++) {
        row[i] = values[i];
      }
    } else {
      this.smooth(values);
    }
    // Copied, as what is kept of each reading by itself outlives the collection of short-lived objects.
    this.previous ??= new Float64Array(width);
    this.previous.set(values);
    this.joined = Math.min(this.joined + 1, this.options.shingle);
    return this.joined === this.options.shingle ? row : undefined;
  }

  state(): RowBuilderState {
    return {
      last: this.previous ?? new Float64Array(this.width).fill(NaN),
      average: this.average,
      lags: this.row,
      joined: this.joined,
    };
  }

  resume(state: RowBuilderState): void {
    this.previous = state.last.slice();
    this.average.set(state.average);
    this.row.set(state.lags);
    this.joined = state.joined;
  }

  private smooth(values: Float64Array): void {
    const { row, width, average, weight } = this;
    for (let i = 0; i < width; i++) {
      // A gap leaves the average where it was.
      if (Number.isNaN(average[i])) {
        average[i] = values[i];
      } else if (!Number.isNaN(values[i])) {
        average[i] += weight * (values[i] - average[i]);
      }
      row[i] = average[i];
    }
  }
}
