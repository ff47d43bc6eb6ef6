import type { Clock } from '../shared/clock';
import { EdgeError, toEdgeError } from '../shared/errors';
import type { Random } from '../shared/random';
import { newAcceptance, type Acceptance } from './acceptance';
import type { IngestConfig } from './config';
import { decode, isEncoded } from './decode/decode';
import { sparkplugBytes } from './decode/sparkplug/bytes';
import type { SparkplugMessage } from './decode/sparkplug/decoder';
import { isSparkplugTopic } from './decode/sparkplug/topic';
import { Intake, jsonBytes } from './intake';
import { IngestMemory } from './memory';
import { RowReader, type RowReading } from './rows/row-reader';
import type { Sources, SourceState } from './sources';

/** The node without Node-RED: messages in, readings out, with what has to be remembered of each source. */
export class IngestPipeline {
  private readonly rows: RowReader;
  private readonly intake: Intake;

  /** @param memory made for this configuration; that of an instance which this one replaces, or a new one */
  constructor(
    private readonly config: IngestConfig,
    clock: Clock,
    random: Random,
    readonly memory = new IngestMemory(config),
  ) {
    this.rows = new RowReader(config, clock, random, this.memory.extractor);
    this.intake = new Intake(
      {
        latenessMs: config.latenessMs,
        futureLimitMs: config.futureLimitMs,
        timeWindows: config.window?.kind === 'time',
        sampleRate: config.sampleRate,
      },
      this.memory.sources,
      clock,
    );
  }

  get sources(): Sources {
    return this.memory.sources;
  }

  /**
   * Takes one message in. Every row is checked before any is remembered, so a bad message changes nothing.
   *
   * @throws EdgeError with a code of the contract; `details.row` is the place of the bad row of a batch
   */
  accept(msg: { payload?: unknown; topic?: unknown }): Acceptance {
    const { format, maxBytes } = this.config;
    const acceptance = newAcceptance();
    if (
      format === 'sparkplug' ||
      (format === 'auto' && isSparkplugTopic(msg.topic) && isEncoded(msg.payload))
    ) {
      this.acceptSparkplug(msg, acceptance);
      return acceptance;
    }
    const { rows, batch, bytes } = decode(msg.payload, { format, maxBytes });
    const readings = batch
      ? // Not by map, which passes over the holes of a list.
        Array.from(rows, (row, index) => at(index, () => this.rows.read(msg, row)))
      : [this.rows.read(msg, rows[0])];
    this.enterAll(readings, batch, acceptance);
    acceptance.bytesIn = bytes > 0 ? bytes : decodedBytes(readings);
    return acceptance;
  }

  /** Lets out what the reduction of a quiet source holds back. */
  release(state: SourceState): Acceptance {
    return this.intake.release(state);
  }

  /** Lets the readings of a message come again, when it was lost behind this node. */
  forget({ known }: Acceptance): void {
    this.intake.forget(known);
  }

  private acceptSparkplug(msg: { payload?: unknown; topic?: unknown }, acceptance: Acceptance): void {
    const bytes = sparkplugBytes(msg.topic, msg.payload, this.config.maxBytes);
    acceptance.bytesIn = bytes.length;
    const message = this.memory.sparkplug.decode(String(msg.topic), bytes);
    if (!message) {
      return;
    }
    acceptance.rebirthTopic = message.rebirthTopic;
    for (const name of message.dead) {
      const state = this.sources.find(name);
      if (state && !state.silent) {
        acceptance.events.push(this.sources.quiet(state));
      }
    }
    this.enterAll(this.readMetrics(msg, message), message.rows.length > 1, acceptance);
  }

  /** Rows of texts only are no fault where numbers came with them, or in a birth, which declares all there is. */
  private readMetrics(msg: object, { rows, source, isBirth }: SparkplugMessage): RowReading[] {
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

  private enterAll(readings: readonly RowReading[], batch: boolean, acceptance: Acceptance): void {
    this.sources.admit(readings);
    if (!batch) {
      readings.forEach((reading) => this.intake.enter(reading, acceptance));
      return;
    }
    acceptance.refused = this.enterBatch(readings, acceptance);
  }

  /** Rows that are refused only now do not take the others with them. */
  private enterBatch(readings: readonly RowReading[], acceptance: Acceptance): EdgeError | undefined {
    const rows: number[] = [];
    let first: EdgeError | undefined;
    readings.forEach((reading, index) => {
      try {
        this.intake.enter(reading, acceptance);
      } catch (error) {
        first ??= toEdgeError(error);
        rows.push(index);
      }
    });
    if (!first) {
      return undefined;
    }
    const refused = new EdgeError(
      first.code,
      `${rows.length} of ${readings.length} rows are refused. The first: ${first.message}`,
      { ...first.details, rows },
    );
    if (rows.length === readings.length) {
      throw refused;
    }
    return refused;
  }
}

/** Bytes of readings that came decoded: as JSON, waveforms as the doubles that they are. */
function decodedBytes(readings: readonly RowReading[]): number {
  return readings.reduce(
    (sum, { payload, window }) =>
      sum + (window ? window.count * Float64Array.BYTES_PER_ELEMENT : jsonBytes(payload)),
    0,
  );
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
