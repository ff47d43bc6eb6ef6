import type { Clock } from '../shared/clock';
import { EdgeError, toEdgeError } from '../shared/errors';
import type { Random } from '../shared/random';
import { newAcceptance, type Acceptance } from './acceptance';
import type { IngestConfig } from './config';
import { sparkplugBytes } from './decode/sparkplug/bytes';
import { Intake } from './intake';
import { IngestMemory } from './memory';
import { MessageReader, type IncomingMessage, type ReadMessage } from './message-reader';
import { jsonBytes, type RowReading } from './rows/row-reader';
import type { Sources, SourceState } from './sources';

/** The node without Node-RED: messages in, readings out, with what has to be remembered of each source. */
export class IngestPipeline {
  private readonly reader: MessageReader;
  private readonly intake: Intake;

  /** @param memory made for this configuration; that of an instance which this one replaces, or a new one */
  constructor(
    private readonly config: IngestConfig,
    clock: Clock,
    random: Random,
    readonly memory = new IngestMemory(config),
  ) {
    this.reader = new MessageReader(config, clock, random, this.memory.extractor);
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
  accept(msg: IncomingMessage): Acceptance {
    const read = this.reader.read(msg);
    return read ? this.enter(read) : this.acceptSparkplug(msg);
  }

  /**
   * Takes in a message that was read elsewhere.
   *
   * @throws EdgeError `DUPLICATE`, `SOURCE_LIMIT`, `TOO_LARGE`
   */
  enter({ readings, batch, bytes }: ReadMessage): Acceptance {
    const acceptance = newAcceptance();
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

  private acceptSparkplug(msg: IncomingMessage): Acceptance {
    const acceptance = newAcceptance();
    const bytes = sparkplugBytes(msg.topic, msg.payload, this.config.maxBytes);
    acceptance.bytesIn = bytes.length;
    const message = this.memory.sparkplug.decode(String(msg.topic), bytes);
    if (!message) {
      return acceptance;
    }
    acceptance.rebirthTopic = message.rebirthTopic;
    for (const name of message.dead) {
      const state = this.sources.find(name);
      if (state && !state.silent) {
        acceptance.events.push(this.sources.quiet(state));
      }
    }
    this.enterAll(this.reader.readMetrics(msg, message), message.rows.length > 1, acceptance);
    return acceptance;
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
