import type { Clock } from '../shared/clock';
import { EdgeError } from '../shared/errors';
import type { Quality, Reading, Window } from '../shared/messages';
import { newAcceptance, type Acceptance, type Outcome } from './acceptance';
import { Digest, hexOf } from './rows/digest';
import { excerpt } from '../shared/text';
import type { Point, Reducer } from './reduce/reducer';
import { jsonBytes, type RowReading } from './rows/row-reader';
import type { Sources, SourceState } from './sources';

export interface IntakeOptions {
  latenessMs: number;
  futureLimitMs: number;
  /** Whether windows are of event time: one reading can then complete several. */
  timeWindows: boolean;
  /** Hz; 0 when unknown. */
  sampleRate: number;
}

/** Enters checked readings into what is remembered of their sources, and says what is to be sent. */
export class Intake {
  private readonly digest = new Digest();

  constructor(
    private readonly options: IntakeOptions,
    private readonly sources: Sources,
    private readonly clock: Clock,
  ) {}

  /** @throws EdgeError `DUPLICATE`, `TOO_LARGE`, with nothing changed */
  enter(row: RowReading, acceptance: Acceptance): void {
    const state = this.sources.get(row.source);
    const { fingerprint, timed, historical, ts } = row;
    const { sampleRate } = this.options;
    if (fingerprint && state.recent.has(fingerprint.high, fingerprint.low)) {
      throw duplicateOf(row);
    }
    if (state.newest > this.clock.now() + this.options.futureLimitMs) {
      // It was taken while the gateway's clock ran ahead; measured against it, everything from now on would be late.
      state.newest = -Infinity;
    }
    const tooLate = timed && ts < state.newest - this.options.latenessMs;
    const quality: Quality = tooLate && row.quality === 'good' ? 'uncertain' : row.quality;
    const late = timed && (historical || ts < state.newest);
    const newest = historical ? state.newest : timed ? Math.max(state.newest, ts) : ts;
    if (row.window || !state.window || quality !== 'good') {
      const reading: Reading = { id: row.id, source: row.source, ts, seq: state.seq++, quality };
      if (row.window) {
        reading.window = row.window;
      }
      this.add({ payload: row.payload, reading }, late, state, acceptance, row.jsonBytes);
    } else {
      for (const { payload, window } of state.window.push(
        ts,
        row.payload,
        newest - this.options.latenessMs,
      )) {
        const id = this.options.timeWindows ? this.windowId(state.name, window) : row.id;
        const reading: Reading = {
          id,
          source: state.name,
          ts: window.end,
          seq: state.seq++,
          quality: 'good',
          window: sampleRate > 0 ? { ...window, sampleRate } : window,
        };
        this.add({ payload, reading }, false, state, acceptance);
      }
    }
    if (quality === 'good') {
      state.newest = newest;
    }
    if (fingerprint) {
      state.recent.add(fingerprint.high, fingerprint.low);
      acceptance.known.push(row);
    }
    this.heard(state, acceptance);
  }

  /** Lets readings come again that were lost behind this node. */
  forget(known: readonly RowReading[]): void {
    for (const { source, fingerprint } of known) {
      if (fingerprint) {
        this.sources.find(source)?.recent.remove(fingerprint.high, fingerprint.low);
      }
    }
  }

  /** One row can complete several windows of time, so each has an id of its own. */
  private windowId(source: string, { start, end }: Window): string {
    return hexOf(this.digest.reset().text(source).number(start).number(end).finish());
  }

  /** Lets out what the reduction of a source holds back, as when the source has fallen quiet. */
  release(state: SourceState): Acceptance {
    const acceptance = newAcceptance();
    if (state.reducer) {
      this.addPoints(state.reducer.flush(), state.reducer, state, acceptance);
    }
    return acceptance;
  }

  private add(
    outcome: Outcome,
    late: boolean,
    state: SourceState,
    acceptance: Acceptance,
    bytes = jsonBytes(outcome.payload),
  ): void {
    acceptance.outcomes.push(outcome);
    if (state.reducer && state.reduction !== this.sources.reduction) {
      this.addPoints(state.reducer.flush(), state.reducer, state, acceptance);
      this.sources.renewReducer(state);
    }
    const { reducer } = state;
    if (!reducer) {
      acceptance.bytesOut += bytes;
      return;
    }
    state.pointsIn++;
    state.bytesIn += bytes;
    this.addPoints(reducer.push({ ...outcome, late }), reducer, state, acceptance);
  }

  private addPoints(
    points: readonly Point[],
    reducer: Reducer,
    state: SourceState,
    acceptance: Acceptance,
  ): void {
    for (const { payload, reading } of points) {
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

function duplicateOf({ id, source }: RowReading): EdgeError {
  return new EdgeError(
    'DUPLICATE',
    `The reading "${excerpt(id)}" of source "${excerpt(source)}" has come before and is not sent again. Nothing needs to be done unless it goes on.`,
    { id, source },
  );
}
