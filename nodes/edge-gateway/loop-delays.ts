import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../shared/clock';

/** How late the event loop came to its timers, ms. */
export interface Delays {
  p99: number;
  max: number;
}

type IntervalHistogram = ReturnType<typeof monitorEventLoopDelay>;

interface Measurement {
  histogram: IntervalHistogram;
  /** When the stretch under way began, in ms of the monotonic clock. */
  began: number;
  /** Until there is something to tell of. */
  settled: Promise<void>;
  last?: Delays;
}

const RESOLUTION_MS = 10;
/** What is told is the last complete stretch of this length. */
const STRETCH_MS = 10_000;
const SETTLING_MS = 10 * RESOLUTION_MS;

/** Measures the delays of the event loop. That wakes the process a hundred times a second, so it is done only for somebody. */
export class LoopDelays {
  private measurement: Measurement | undefined;

  constructor(private readonly clock: Clock) {}

  begin(): Measurement {
    if (!this.measurement) {
      const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      histogram.enable();
      this.measurement = {
        histogram,
        began: this.clock.monotonic(),
        settled: new Promise((resolve) => this.clock.after(SETTLING_MS, resolve)),
      };
    }
    return this.measurement;
  }

  /** Begins where nothing is measured yet, which takes the first look a moment. */
  async look(): Promise<Delays> {
    const measurement = this.begin();
    await measurement.settled;
    const now = this.clock.monotonic();
    if (now - measurement.began >= STRETCH_MS) {
      measurement.last = read(measurement.histogram);
      measurement.histogram.reset();
      measurement.began = now;
    }
    return measurement.last ?? read(measurement.histogram);
  }

  /** Measures no more until the next look. */
  rest(): void {
    this.measurement?.histogram.disable();
    this.measurement = undefined;
  }
}

/** The histogram counts a timer of so many ms; what is above that is delay. */
function read(histogram: IntervalHistogram): Delays {
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return histogram.count === 0
    ? { p99: 0, max: 0 }
    : { p99: late(histogram.percentile(99)), max: late(histogram.max) };
}
