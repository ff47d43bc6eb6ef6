import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { EdgeError } from '../../../shared/errors';
import { excerpt } from '../../../shared/text';
import { MAX_DEPTH, nestedTooDeep } from '../../rows/digest';

/** Metrics of one payload, those inside templates included. */
const MAX_METRICS = 100_000;
/** The uuid that announces a compressed body. */
const COMPRESSED = 'SPBV1.0_COMPRESSED';

/** A value as the wire has it; `int` and `long` are unsigned there, whatever the data type. */
export type WireValue =
  | { kind: 'int'; value: number }
  | { kind: 'float' | 'double'; value: number }
  | { kind: 'long'; value: bigint }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'string'; value: string }
  | { kind: 'bytes'; value: Uint8Array }
  | { kind: 'template'; metrics: SparkplugMetric[] };

/** One metric (Sparkplug 3.0, 6.4). `alias` as decimal text, `ts` in ms since the epoch. */
export interface SparkplugMetric {
  name?: string;
  alias?: string;
  ts?: number;
  datatype?: number;
  historical: boolean;
  isNull: boolean;
  /** The property `Quality`: 192 good, 500 stale, 0 bad. */
  quality?: number;
  value?: WireValue;
}

/** `seq` counts the messages of an edge node from 0 to 255 and round again. */
export interface SparkplugPayload {
  ts?: number;
  seq?: number;
  metrics: SparkplugMetric[];
}

/** @throws EdgeError `DECODE`, `TOO_LARGE` */
export function readSparkplugPayload(bytes: Uint8Array): SparkplugPayload {
  try {
    return new PayloadReader(bytes).payload();
  } catch (error) {
    if (error instanceof EdgeError) {
      throw error;
    }
    throw new EdgeError(
      'DECODE',
      `The payload is not valid Sparkplug B: ${error instanceof Error ? excerpt(error.message, 80) : 'unreadable'}. Correct the sender, or the property "format".`,
    );
  }
}

/** Reads field by field, so that nothing is believed beyond the message's end and what is not needed costs nothing. */
class PayloadReader {
  private readonly reader: BinaryReader;
  private left = MAX_METRICS;

  constructor(bytes: Uint8Array) {
    this.reader = new BinaryReader(bytes);
  }

  payload(): SparkplugPayload {
    const { reader } = this;
    const payload: SparkplugPayload = { metrics: [] };
    this.fields(reader.len, (field, type) => {
      if (field === 1 && type === WireType.Varint) {
        payload.ts = Number(reader.uint64());
      } else if (field === 2 && type === WireType.LengthDelimited) {
        payload.metrics.push(this.metric(this.end(), 0));
      } else if (field === 3 && type === WireType.Varint) {
        payload.seq = Number(reader.uint64());
      } else if (field === 4 && type === WireType.LengthDelimited) {
        if (reader.string() === COMPRESSED) {
          throw new EdgeError(
            'DECODE',
            'The Sparkplug payload is compressed, which this node does not read. Turn compression off in the edge node.',
          );
        }
      } else {
        return false;
      }
      return true;
    });
    return payload;
  }

  private metric(end: number, depth: number): SparkplugMetric {
    if (this.left-- <= 0) {
      throw new EdgeError(
        'TOO_LARGE',
        `The payload has more than ${MAX_METRICS} metrics. Send fewer in one message.`,
      );
    }
    const { reader } = this;
    const metric: SparkplugMetric = { historical: false, isNull: false };
    this.fields(end, (field, type) => {
      switch (`${field}:${type}`) {
        case '1:2':
          metric.name = reader.string();
          break;
        case '2:0':
          metric.alias = String(reader.uint64());
          break;
        case '3:0':
          metric.ts = Number(reader.uint64());
          break;
        case '4:0':
          metric.datatype = reader.uint32();
          break;
        case '5:0':
          metric.historical = reader.bool();
          break;
        case '7:0':
          metric.isNull = reader.bool();
          break;
        case '9:2':
          metric.quality = this.qualityOf(this.end());
          break;
        default: {
          const value = this.value(field, type, depth);
          if (value) {
            metric.value = value;
          }
          return value !== undefined;
        }
      }
      return true;
    });
    return metric;
  }

  private value(field: number, type: WireType, depth: number): WireValue | undefined {
    const { reader } = this;
    switch (`${field}:${type}`) {
      case '10:0':
        return { kind: 'int', value: reader.uint32() };
      case '11:0':
        return { kind: 'long', value: BigInt(reader.uint64()) };
      case '12:5':
        return { kind: 'float', value: reader.float() };
      case '13:1':
        return { kind: 'double', value: reader.double() };
      case '14:0':
        return { kind: 'boolean', value: reader.bool() };
      case '15:2':
        return { kind: 'string', value: reader.string() };
      case '16:2':
        return { kind: 'bytes', value: reader.bytes() };
      case '18:2':
        return { kind: 'template', metrics: this.template(this.end(), depth + 1) };
      default:
        return undefined;
    }
  }

  /** The metrics of a template's instance; a definition measures nothing. */
  private template(end: number, depth: number): SparkplugMetric[] {
    if (depth > MAX_DEPTH) {
      throw nestedTooDeep();
    }
    const metrics: SparkplugMetric[] = [];
    let measured = metrics;
    this.fields(end, (field, type) => {
      if (field === 2 && type === WireType.LengthDelimited) {
        metrics.push(this.metric(this.end(), depth));
      } else if (field === 5 && type === WireType.Varint) {
        measured = this.reader.bool() ? [] : metrics;
      } else {
        return false;
      }
      return true;
    });
    return measured;
  }

  /** Keys and values of a property set are two lists of the same order. */
  private qualityOf(end: number): number | undefined {
    const { reader } = this;
    const keys: string[] = [];
    const values: (number | undefined)[] = [];
    this.fields(end, (field, type) => {
      if (field === 1 && type === WireType.LengthDelimited) {
        keys.push(reader.string());
      } else if (field === 2 && type === WireType.LengthDelimited) {
        values.push(this.wholeProperty(this.end()));
      } else {
        return false;
      }
      return true;
    });
    const at = keys.findIndex((key) => key.toLowerCase() === 'quality');
    return at < 0 ? undefined : values[at];
  }

  private wholeProperty(end: number): number | undefined {
    let number: number | undefined;
    this.fields(end, (field, type) => {
      const isWhole = (field === 3 || field === 4) && type === WireType.Varint;
      if (isWhole) {
        number = Number(this.reader.uint64());
      }
      return isWhole;
    });
    return number;
  }

  /** End of the message whose length comes next. */
  private end(): number {
    const length = this.reader.uint32();
    const end = this.reader.pos + length;
    if (end > this.reader.len) {
      throw new RangeError('it ends too early');
    }
    return end;
  }

  /** @param read reads one field's value, or returns false for one that is to be passed over */
  private fields(end: number, read: (field: number, type: WireType) => boolean): void {
    const { reader } = this;
    while (reader.pos < end) {
      const [field, type] = reader.tag();
      if (!read(field, type)) {
        reader.skip(type, field);
      }
    }
    if (reader.pos > end) {
      throw new RangeError('a field reaches beyond its message');
    }
  }
}
