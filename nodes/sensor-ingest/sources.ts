import type { Clock } from '../shared/clock';
import { EdgeError } from '../shared/errors';
import { excerpt } from '../shared/text';
import { RecentIds } from './rows/recent-ids';
import type { Reducer } from './reduce/reducer';
import type { RowWindow } from './features/window';

/** What is remembered of one source. */
export interface SourceState {
  name: string;
  /** Number of the next reading that is sent. */
  seq: number;
  /** Newest event time, ms since the epoch. */
  newest: number;
  recent: RecentIds;
  window: RowWindow | undefined;
  reducer: Reducer | undefined;
  /** Which {@link Sources.reduction} the reducer is of. */
  reduction: number;
  pointsIn: number;
  pointsOut: number;
  bytesIn: number;
  bytesOut: number;
  /** When a reading was last accepted: by the clock that never jumps, and as a time of day. */
  heardAt: number;
  heardAtTime: number;
  silent: boolean;
}

/** A source that fell silent or came back; `since` is when it was last heard before, ms since the epoch. */
export interface SourceEvent {
  type: 'SILENT' | 'RETURNED';
  source: string;
  since: number;
}

export interface SourcesOptions {
  maxSources: number;
  dedupe: number;
  makeWindow: () => RowWindow | undefined;
  makeReducer: () => Reducer | undefined;
}

/** All sources of a node, at most `maxSources`. */
export class Sources {
  /** How many of them are silent. */
  silentCount = 0;
  /** Counts how often the reduction was set anew. */
  reduction = 0;
  private readonly states = new Map<string, SourceState>();

  constructor(private options: SourcesOptions) {}

  get size(): number {
    return this.states.size;
  }

  values(): Iterable<SourceState> {
    return this.states.values();
  }

  /** @throws EdgeError `SOURCE_LIMIT` when the sources of the rows and what is known exceed the limit */
  admit(rows: readonly { source: string }[]): void {
    if (rows.length === 1 && this.states.has(rows[0].source)) {
      return;
    }
    const added = new Set<string>();
    for (const { source: name } of rows) {
      if (this.states.has(name)) {
        continue;
      }
      added.add(name);
      if (this.states.size + added.size > this.options.maxSources) {
        throw new EdgeError(
          'SOURCE_LIMIT',
          `Source "${excerpt(name)}" is new and the node already has ${this.states.size}, with "maxSources" at ${this.options.maxSources}. Raise it, or find out who sends under so many names.`,
          { source: name },
        );
      }
    }
  }

  find(name: string): SourceState | undefined {
    return this.states.get(name);
  }

  /** The state of an admitted source, made on first use. */
  get(name: string): SourceState {
    let state = this.states.get(name);
    if (!state) {
      state = {
        name,
        seq: 0,
        newest: -Infinity,
        recent: new RecentIds(this.options.dedupe),
        window: this.options.makeWindow(),
        reducer: this.options.makeReducer(),
        reduction: this.reduction,
        pointsIn: 0,
        pointsOut: 0,
        bytesIn: 0,
        bytesOut: 0,
        heardAt: Infinity,
        heardAtTime: 0,
        silent: false,
      };
      this.states.set(name, state);
    }
    return state;
  }

  /**
   * Lets go of what identifies single readings; windows and runs of the reduction stay. Numbers, ids and times begin anew
   * with the next reading of each source.
   */
  forgetReadings(): void {
    for (const state of this.states.values()) {
      if (!state.window && !state.reducer) {
        this.states.delete(state.name);
        continue;
      }
      state.seq = 0;
      state.newest = -Infinity;
      state.recent = new RecentIds(this.options.dedupe);
      state.heardAt = Infinity;
      state.silent = false;
    }
    this.silentCount = 0;
  }

  /** Reduces in another way from the next reading of each source on; what a run stands for until then is sent first. */
  reduceBy(makeReducer: () => Reducer | undefined): void {
    this.options = { ...this.options, makeReducer };
    this.reduction++;
  }

  /** Gives a source the reducer of now, once what the earlier one held back has been sent. */
  renewReducer(state: SourceState): void {
    state.reducer = this.options.makeReducer();
    state.reduction = this.reduction;
  }

  /** Notes that a source was heard; returns the event of its return when it had been silent. */
  heard(state: SourceState, clock: Clock): SourceEvent | undefined {
    const since = state.heardAtTime;
    state.heardAt = clock.monotonic();
    state.heardAtTime = clock.now();
    if (!state.silent) {
      return undefined;
    }
    state.silent = false;
    this.silentCount--;
    return { type: 'RETURNED', source: state.name, since };
  }

  /** Notes that a source has fallen silent. */
  quiet(state: SourceState): SourceEvent {
    state.silent = true;
    this.silentCount++;
    return { type: 'SILENT', source: state.name, since: state.heardAtTime };
  }
}
