import { isNumberList } from '../../shared/detection/payload';
import { EdgeError } from '../../shared/errors';
import { MAX_DEPTH, nestedTooDeep } from './digest';
import type { Waveform } from '../features/waveform';
import { fieldAt, setField, typeName, type Path } from './paths';
import { excerpt } from '../../shared/text';

/** One entry of the channels table. `min` and `max` are in the converted unit. */
export interface ChannelSpec {
  name: string;
  path: Path;
  scale: number;
  offset: number;
  unit: string;
  min: number | undefined;
  max: number | undefined;
}

export interface ChannelOptions {
  /** Empty = every numeric field but those of `skip`. */
  channels: readonly ChannelSpec[];
  /** Paths that hold no measurement: event time, id, source. */
  skip: readonly string[];
  maxChannels: number;
}

interface Collected {
  found: Record<string, number>;
  waveforms: Waveform[] | undefined;
  left: number;
}

/** Reads the channels of one decoded row into a flat object. */
export class ChannelReader {
  private readonly skip: ReadonlySet<string>;

  constructor(private readonly options: ChannelOptions) {
    this.skip = new Set(options.skip);
  }

  /**
   * With a table: the channels that the row has, converted and range-checked; a field that is absent or null is left
   * out, true and false are 1 and 0. Without one: every numeric field, nested ones under dotted names.
   *
   * @param waveforms where given, takes the lists of an object, which are then no channels of their own
   * @throws EdgeError `NO_CHANNELS`, `NOT_FINITE`, `RANGE`, `TOO_LARGE`
   */
  read(row: unknown, waveforms?: Waveform[]): Record<string, number> {
    const found: Record<string, number> = {};
    if (this.options.channels.length > 0) {
      this.pick(row, found, waveforms);
    } else if (typeof row === 'number') {
      checkFinite(row, 'value');
      found.value = row;
    } else if (typeof row === 'object' && row !== null) {
      this.collect(row, '', 0, { found, waveforms, left: this.options.maxChannels });
    }
    if (waveforms && waveforms.length > 0) {
      return found;
    }
    for (const name in found) {
      if (Object.hasOwn(found, name)) {
        return found;
      }
    }
    throw this.nothingFound(row);
  }

  private pick(row: unknown, found: Record<string, number>, waveforms: Waveform[] | undefined): void {
    for (const channel of this.options.channels) {
      const field = typeof row === 'number' ? scalarAt(row, channel.path) : fieldAt(row, channel.path);
      if (field === undefined || field === null) {
        continue;
      }
      if (waveforms && isNumberList(field)) {
        waveforms.push({ name: channel.name, samples: field, channel });
      } else {
        setField(found, channel.name, convert(toNumber(field, channel), channel));
      }
    }
  }

  private collect(row: object, prefix: string, depth: number, into: Collected): void {
    if (depth > MAX_DEPTH) {
      throw nestedTooDeep();
    }
    if (isNumberList(row) && row.length > this.options.maxChannels) {
      throw this.tooMany();
    }
    for (const key of Object.keys(row)) {
      const field = (row as Record<string, unknown>)[key];
      const name = prefix + key;
      if (typeof field === 'number') {
        // A field named with dots wins over a nested one of the same path, wherever it stands.
        if (!this.skip.has(name) && (depth === 0 || !Object.hasOwn(into.found, name))) {
          checkFinite(field, name);
          if (into.left-- <= 0) {
            throw this.tooMany();
          }
          setField(into.found, name, field);
        }
      } else if (typeof field === 'object' && field !== null && !Buffer.isBuffer(field)) {
        if (into.waveforms && isNumberList(field) && field.length > 0 && typeof field[0] === 'number') {
          if (into.left-- <= 0) {
            throw this.tooMany();
          }
          into.waveforms.push({ name, samples: field, channel: undefined });
          continue;
        }
        this.collect(field, `${name}.`, depth + 1, into);
      }
    }
  }

  private tooMany(): EdgeError {
    return new EdgeError(
      'TOO_LARGE',
      `The payload has more than ${this.options.maxChannels} channels. List the ones you need in "channels", or raise "maxChannels".`,
    );
  }

  private nothingFound(row: unknown): EdgeError {
    const { channels } = this.options;
    if (channels.length === 0) {
      return new EdgeError(
        'NO_CHANNELS',
        `The payload is ${typeName(row)} with no number in it. Send named numbers such as {"temperature": 21.5}.`,
      );
    }
    const paths = channels.slice(0, 5).map((channel) => `"${channel.path.text}"`);
    return new EdgeError(
      'NO_CHANNELS',
      `The payload has none of the channels of the table (${paths.join(', ')}${channels.length > 5 ? ', …' : ''}). Correct the column "path".`,
    );
  }
}

/** Converts and range-checks one value. */
export function convert(value: number, channel: ChannelSpec): number {
  const converted = value * channel.scale + channel.offset;
  checkFinite(converted, channel.name);
  if (
    (channel.min !== undefined && converted < channel.min) ||
    (channel.max !== undefined && converted > channel.max)
  ) {
    const range = `${channel.min ?? '−∞'} to ${channel.max ?? '∞'}`;
    throw new EdgeError(
      'RANGE',
      `Channel "${channel.name}" is ${converted}${channel.unit && ` ${channel.unit}`}, outside its range of ${range}. Check the sensor, or correct min and max in the channels table.`,
      { channel: channel.name, value: converted },
    );
  }
  return converted;
}

export function checkFinite(value: number, name: string): void {
  if (!Number.isFinite(value)) {
    throw new EdgeError(
      'NOT_FINITE',
      `Channel "${excerpt(name)}" is ${value}, not a finite number. Check the sensor and its conversion.`,
      { channel: name },
    );
  }
}

function scalarAt(row: number, path: Path): unknown {
  return path.text === 'value' || path.text === '0' ? row : undefined;
}

function toNumber(field: unknown, channel: ChannelSpec): number {
  if (typeof field === 'number') {
    return field;
  }
  if (typeof field === 'boolean') {
    return field ? 1 : 0;
  }
  throw new EdgeError(
    'NOT_FINITE',
    `Channel "${channel.name}" at "${channel.path.text}" is ${typeName(field)}${typeof field === 'string' ? ` "${excerpt(field)}"` : ''}, not a number. Correct the path, or the sender.`,
    { channel: channel.name },
  );
}
