import type { Clock, Timer } from '../shared/clock';
import type { Acceptance } from './acceptance';
import type { IngestConfig } from './config';
import type { IngestPipeline } from './pipeline';
import type { SourceEvent, Sources, SourceState } from './sources';

/** How long the reduction may hold back what a quiet source sent last when there is no heartbeat, ms. */
const LONGEST_HELD_MS = 600_000;

/** Soonest that sources are looked through again, ms. */
const MIN_SWEEP_MS = 50;

/** Does something about each source that has been quiet for longer than `quietMs`. One timer serves all. */
export class QuietWatch {
  private timer: Timer | undefined;

  /** @param concerns whether there is something to be done about a source; no longer once `act` has done it */
  constructor(
    private readonly sources: Sources,
    private readonly quietMs: number,
    private readonly clock: Clock,
    private readonly concerns: (state: SourceState) => boolean,
    private readonly act: (state: SourceState) => void,
  ) {}

  start(): void {
    this.schedule(this.quietMs);
  }

  stop(): void {
    this.timer?.cancel();
  }

  private schedule(delayMs: number): void {
    this.timer = this.clock.after(Math.max(MIN_SWEEP_MS, delayMs), () => this.sweep());
  }

  private sweep(): void {
    const now = this.clock.monotonic();
    let next = this.quietMs;
    for (const state of this.sources.values()) {
      if (!this.concerns(state)) {
        continue;
      }
      const left = state.heardAt + this.quietMs - now;
      if (left <= 0) {
        this.act(state);
      } else {
        next = Math.min(next, left);
      }
    }
    this.schedule(next);
  }
}

/** What is to be done about quiet sources: report them, and let out what the reduction holds back of them. */
export function quietWatches(
  { silenceMs, reduce }: IngestConfig,
  pipeline: IngestPipeline,
  clock: Clock,
  actions: {
    silent: (event: SourceEvent) => void;
    released: (state: SourceState, points: Acceptance) => void;
  },
): QuietWatch[] {
  const { sources } = pipeline;
  const watches: QuietWatch[] = [];
  if (silenceMs > 0) {
    watches.push(
      new QuietWatch(
        sources,
        silenceMs,
        clock,
        (state) => !state.silent,
        (state) => actions.silent(sources.quiet(state)),
      ),
    );
  }
  if (reduce) {
    watches.push(
      new QuietWatch(
        sources,
        reduce.heartbeatMs || LONGEST_HELD_MS,
        clock,
        (state) => state.reducer?.holding === true,
        (state) => actions.released(state, pipeline.release(state)),
      ),
    );
  }
  return watches;
}
