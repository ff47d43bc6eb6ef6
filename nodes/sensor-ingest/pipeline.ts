import type { Clock } from '../shared/clock';
import { EdgeError, toEdgeError } from '../shared/errors';
import type { Quality, Reading, Window } from '../shared/messages';
import type { Random } from '../shared/random';
import type { IngestConfig } from './config';
import { decode } from './decode/decode';
import { Digest, hexOf } from './rows/digest';
import { excerpt } from './rows/paths';
import { FeatureExtractor } from './features/features';
import { Deadband } from './reduce/reduce';
import { RowReader, type RowReading } from './rows/row-reader';
import { Sources, type SourceEvent, type SourceState } from './sources';
import { SwingingDoor } from './reduce/swinging-door';
import { TimeWindow } from './features/time-window';
import { checkMagnitudes, WaveformReader } from './features/waveform';
import { CountWindow, WindowBudget, type RowWindow } from './features/window';

/**
 * What the reduction of one source came to since the node started. Bytes are those of the payloads as JSON; `maxError`
 * is in the unit of the tolerance, the largest that was measured on a reading left out.
 */
export interface Reduction {
  pointsIn: number;
  pointsOut: number;
  bytesIn: number;
  bytesOut: number;
  maxError: number;
}

/** A reading to send: on output 1, or with `reduction` on output 2. */
export interface Outcome {
  payload: Record<string, number>;
  reading: Reading;
  reduction?: Reduction;
}

/** What became of a message. */
export interface Acceptance {
  /** Readings that were accepted: rows, and waveforms. */
  readings: number;
  outcomes: Outcome[];
  /** Sources that this message brought back. */
  events: SourceEvent[];
  /** Set when some rows of a batch had come before, or found no room; `details.rows` are their places. */
  refused: EdgeError | undefined;
  /** Bytes of the payload as it came; of the readings as JSON when it came decoded. */
  bytesIn: number;
  /** Bytes of the readings that leave the gateway, as JSON: the reduced stream where there is one. */
  bytesOut: number;
}

/** The node without Node-RED: messages in, readings out, with what has to be remembered of each source. */
export class IngestPipeline {
  readonly sources: Sources;
  private readonly rows: RowReader;
  private readonly waveforms: WaveformReader;
  private readonly digest = new Digest();

  constructor(
    private readonly config: IngestConfig,
    private readonly clock: Clock,
    random: Random,
  ) {
    const extractor = new FeatureExtractor(config.features, config.sampleRate);
    const budget = new WindowBudget();
    this.rows = new RowReader(config, clock, random);
    this.waveforms = new WaveformReader(config.channels, config.sampleRate, extractor);
    this.sources = new Sources({
      maxSources: config.maxSources,
      dedupe: config.dedupe,
      makeWindow: () => makeWindow(config, extractor, budget),
      makeReducer: () => {
        if (!config.reduce) {
          return undefined;
        }
        return config.reduce.kind === 'deadband'
          ? new Deadband(config.reduce)
          : new SwingingDoor(config.reduce);
      },
    });
  }

  /**
   * Takes one message in. Every row is checked before any is remembered, so a bad message changes nothing.
   *
   * @throws EdgeError with a code of the contract; `details.row` is the place of the bad row of a batch
   */
  accept(msg: { payload?: unknown }): Acceptance {
    const decoded = decode(msg.payload, this.config);
    const acceptance: Acceptance = {
      readings: 0,
      outcomes: [],
      events: [],
      refused: undefined,
      bytesIn: decoded.bytes,
      bytesOut: 0,
    };
    if (decoded.kind === 'waveform') {
      this.acceptWaveform(msg, decoded.samples, acceptance);
      return acceptance;
    }
    const counted = decoded.bytes > 0;
    if (!decoded.batch) {
      const reading = this.read(msg, decoded.rows[0]);
      this.sources.admit([reading.source]);
      this.remember(reading, acceptance, counted);
      return acceptance;
    }
    // Not by map, which passes over the holes of a list.
    const readings = Array.from(decoded.rows, (row, index) => at(index, () => this.read(msg, row)));
    this.sources.admit(readings.map(({ source }) => source));
    acceptance.refused = this.rememberAll(readings, acceptance, counted);
    return acceptance;
  }

  /** Rows that are refused only now do not take the others with them. */
  private rememberAll(
    readings: readonly RowReading[],
    acceptance: Acceptance,
    counted: boolean,
  ): EdgeError | undefined {
    const rows: number[] = [];
    let first: EdgeError | undefined;
    readings.forEach((reading, index) => {
      try {
        this.remember(reading, acceptance, counted);
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

  private read(msg: object, row: unknown): RowReading {
    const reading = this.rows.read(msg, row);
    if (this.config.window) {
      checkMagnitudes(reading.payload);
    }
    return reading;
  }

  /**
   * Enters a row into its source's state and adds what is to be sent.
   *
   * @param counted whether the message's bytes are known already
   * @throws EdgeError `DUPLICATE`, `TOO_LARGE`, with nothing changed
   */
  private remember(row: RowReading, acceptance: Acceptance, counted: boolean): void {
    const state = this.sources.get(row.source);
    const { fingerprint, timed, ts } = row;
    if (fingerprint && state.recent.has(fingerprint.high, fingerprint.low)) {
      throw duplicateOf(row);
    }
    if (state.newest > this.clock.now() + this.config.futureLimitMs) {
      // It was taken while the gateway's clock ran ahead; measured against it, everything from now on would be late.
      state.newest = -Infinity;
    }
    const tooLate = timed && ts < state.newest - this.config.latenessMs;
    const quality: Quality = tooLate ? 'uncertain' : row.quality;
    const late = timed && ts < state.newest;
    if (quality !== 'good' || !state.window) {
      const reading = { id: row.id, source: row.source, ts, seq: state.seq++, quality };
      this.add({ payload: row.payload, reading }, late, state, acceptance);
    } else {
      const newest = timed ? Math.max(state.newest, ts) : ts;
      for (const { payload, window } of state.window.push(ts, row.payload, newest - this.config.latenessMs)) {
        const id = this.config.window?.kind === 'time' ? this.windowId(state.name, window) : row.id;
        this.addWindow(payload, window, state, acceptance, id);
      }
    }
    if (quality === 'good') {
      state.newest = timed ? Math.max(state.newest, ts) : ts;
    }
    if (fingerprint) {
      state.recent.add(fingerprint.high, fingerprint.low);
    }
    if (!counted) {
      acceptance.bytesIn += jsonBytes(row.payload);
    }
    this.heard(state, acceptance);
  }

  /** One row can complete several windows of time, so each has an id of its own. */
  private windowId(source: string, { start, end }: Window): string {
    return hexOf(this.digest.reset().text(source).number(start).number(end).finish());
  }

  private acceptWaveform(msg: object, samples: ArrayLike<unknown>, acceptance: Acceptance): void {
    const source = this.rows.sourceOf(msg, undefined);
    const { payload, window } = this.waveforms.read(samples, this.clock.now());
    this.sources.admit([source]);
    const state = this.sources.get(source);
    this.addWindow(payload, window, state, acceptance, this.rows.arrivalId());
    this.heard(state, acceptance);
  }

  private addWindow(
    payload: Record<string, number>,
    window: Window,
    state: SourceState,
    acceptance: Acceptance,
    id: string,
  ): void {
    const { sampleRate } = this.config;
    const described = sampleRate > 0 ? { ...window, sampleRate } : window;
    const reading: Reading = {
      id,
      source: state.name,
      ts: window.end,
      seq: state.seq++,
      quality: 'good',
      window: described,
    };
    this.add({ payload, reading }, false, state, acceptance);
  }

  private add(outcome: Outcome, late: boolean, state: SourceState, acceptance: Acceptance): void {
    acceptance.outcomes.push(outcome);
    const bytes = jsonBytes(outcome.payload);
    const { reducer } = state;
    if (!reducer) {
      acceptance.bytesOut += bytes;
      return;
    }
    state.pointsIn++;
    state.bytesIn += bytes;
    for (const { payload, reading } of reducer.push({ ...outcome, late })) {
      const bytesOut = jsonBytes(payload);
      state.pointsOut++;
      state.bytesOut += bytesOut;
      acceptance.bytesOut += bytesOut;
      const { pointsIn, pointsOut, bytesIn } = state;
      acceptance.outcomes.push({
        payload: { ...payload },
        reading: { ...reading },
        reduction: { pointsIn, pointsOut, bytesIn, bytesOut: state.bytesOut, maxError: reducer.maxError },
      });
    }
  }

  private heard(state: SourceState, acceptance: Acceptance): void {
    acceptance.readings++;
    const returned = this.sources.heard(state, this.clock);
    if (returned) {
      acceptance.events.push(returned);
    }
  }
}

function makeWindow(
  { window, maxChannels }: IngestConfig,
  extractor: FeatureExtractor,
  budget: WindowBudget,
): RowWindow | undefined {
  if (!window) {
    return undefined;
  }
  return window.kind === 'count'
    ? new CountWindow(window.size, window.step, extractor, budget, maxChannels)
    : new TimeWindow(window.size, window.step, extractor, budget);
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

function duplicateOf({ id, source }: RowReading): EdgeError {
  return new EdgeError(
    'DUPLICATE',
    `The reading "${excerpt(id)}" of source "${excerpt(source)}" has come before and is not sent again. Nothing needs to be done unless it goes on.`,
    { id, source },
  );
}

function jsonBytes(payload: Record<string, number>): number {
  return Buffer.byteLength(JSON.stringify(payload));
}
