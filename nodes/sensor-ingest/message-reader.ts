import type { Clock } from '../shared/clock';
import { EdgeError } from '../shared/errors';
import type { Random } from '../shared/random';
import type { IngestConfig } from './config';
import { decode, isEncoded } from './decode/decode';
import type { SparkplugMessage } from './decode/sparkplug/decoder';
import { isSparkplugTopic } from './decode/sparkplug/topic';
import type { FeatureExtractor } from './features/features';
import { RowReader, type RowReading } from './rows/row-reader';

/** A message as it comes: by wire, or from a broker. */
export interface IncomingMessage {
  payload?: unknown;
  topic?: unknown;
}

/** A message that was read and checked as a whole; nothing is remembered of it yet. */
export interface ReadMessage {
  readings: RowReading[];
  /** Whether it was a list of rows, which are refused one by one. */
  batch: boolean;
  /** Bytes of the payload; 0 for one that came decoded. */
  bytes: number;
}

/**
 * Reads messages: decoding, channels, event time, ids, features of waveforms. It knows nothing of the messages before, so
 * that any thread can do it; what depends on them is entered by the pipeline.
 */
export class MessageReader {
  private readonly rows: RowReader;

  constructor(
    private readonly config: Omit<IngestConfig, 'reduce'>,
    clock: Clock,
    random: Random,
    extractor: FeatureExtractor,
  ) {
    this.rows = new RowReader(config, clock, random, extractor);
  }

  /**
   * Reads a message; undefined for one of Sparkplug's, which takes the births before it, and so the pipeline.
   *
   * @throws EdgeError with a code of the contract; `details.row` is the place of the bad row of a batch
   */
  read(msg: IncomingMessage): ReadMessage | undefined {
    const { format, maxBytes } = this.config;
    if (
      format === 'sparkplug' ||
      (format === 'auto' && isSparkplugTopic(msg.topic) && isEncoded(msg.payload))
    ) {
      return undefined;
    }
    const { rows, batch, bytes } = decode(msg.payload, { format, maxBytes });
    const readings = batch
      ? // Not by map, which passes over the holes of a list.
        Array.from(rows, (row, index) => at(index, () => this.rows.read(msg, row)))
      : [this.rows.read(msg, rows[0])];
    return { readings, batch, bytes };
  }

  /** Rows of texts only are no fault where numbers came with them, or in a birth, which declares all there is. */
  readMetrics(msg: IncomingMessage, { rows, source, isBirth }: SparkplugMessage): RowReading[] {
    const readings: RowReading[] = [];
    let empty: EdgeError | undefined;
    for (const row of rows) {
      try {
        readings.push(this.rows.read(msg, row.values, { ...row, source }));
      } catch (error) {
        if (!(error instanceof EdgeError && error.code === 'NO_CHANNELS')) {
          throw error;
        }
        empty = error;
      }
    }
    if (empty && readings.length === 0 && !isBirth) {
      throw empty;
    }
    return readings;
  }
}

function at<T>(index: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof EdgeError) {
      throw new EdgeError(error.code, `Row ${index}: ${error.message}`, { ...error.details, row: index });
    }
    throw error;
  }
}
