import type { Quality } from '../../shared/messages';
import type { ValueBudget } from '../value-budget';
import { HeldRun } from './held-run';
import { sameChannels, type Point, type ReduceOptions, type Reducer } from './reducer';

/** Readings between two sent points; a longer run is cut, which bounds memory and the work at its end. */
const LONGEST_RUN = 256;
/** What rounding adds to the error of a line, relative to the numbers involved. */
const ROUNDING = 16 * Number.EPSILON;
/** Beyond these magnitudes the arithmetic of lines over- or underflows; such a change is sent as it is. */
const LARGEST = 1e290;
const SMALLEST = 1e-290;

/**
 * Swinging-door compression (Bristol, US patent 4,669,097, 1987) with a bound that holds: a run of readings is replaced
 * by the straight line between two readings that were sent. For each channel two doors hinged at the first of them
 * narrow with every reading; a run goes on while every channel's doors leave a gap and ends at the last reading that
 * lies in all gaps. (Bristol's own doors send the last reading of all, whose line can miss those before by up to twice
 * the tolerance.) Every reading is measured against the line that stands for it when the run ends, which is what
 * `maxError` says.
 *
 * Points leave when the run ends: when no line fits any more, when channels come or go, with a change of quality, or
 * after the heartbeat. Late readings pass and change nothing.
 */
export class SwingingDoor implements Reducer {
  maxError = 0;
  /** The point sent last, where the line begins. */
  private anchor: Point | undefined;
  private names: string[] = [];
  /** Slopes from the anchor that pass within the tolerance of every reading of the run: from `lows` to `highs`, by channel. */
  private lows = new Float64Array(0);
  private highs = new Float64Array(0);
  private readonly run: HeldRun;
  /** The last reading that the run can end at, with its place in the run; those after it follow. */
  private end: Point | undefined;
  private endAt = 0;
  private after: Point[] = [];
  private quality: Quality = 'good';

  constructor(
    private readonly options: ReduceOptions,
    budget: ValueBudget,
  ) {
    this.run = new HeldRun(budget, LONGEST_RUN);
  }

  get holding(): boolean {
    return this.run.length > 0;
  }

  push(point: Point): Point[] {
    const { ts, quality } = point.reading;
    if (point.late) {
      return [point];
    }
    if (quality !== 'good') {
      this.quality = quality;
      // What was held is older, and the good readings may stay away for long.
      return [...this.flush(), point];
    }
    const own: Point = { ...point, payload: { ...point.payload } };
    const { anchor } = this;
    const newestTs = this.holding ? this.run.ts(this.run.length - 1) : anchor?.reading.ts;
    if (
      !anchor ||
      newestTs === undefined ||
      quality !== this.quality ||
      ts <= newestTs ||
      !sameChannels(anchor.payload, own.payload)
    ) {
      const held = this.flush();
      this.begin(own);
      this.quality = quality;
      return [...held, copy(own)];
    }
    return this.extend([own]);
  }

  flush(): Point[] {
    const sent: Point[] = [];
    while (this.holding) {
      const after = this.finish(sent);
      sent.push(...this.extend(after));
    }
    return sent;
  }

  /** Adds readings to the run, ending it as often as they need; returns the points that leave. */
  private extend(readings: Point[]): Point[] {
    const { heartbeatMs } = this.options;
    const sent: Point[] = [];
    // Readings after an end begin the next run, so they come back in front.
    let queue = readings;
    let next = 0;
    while (this.anchor && next < queue.length) {
      const reading = queue[next++];
      const fits = this.narrow(this.anchor, reading);
      const isDue = heartbeatMs > 0 && reading.reading.ts - this.anchor.reading.ts >= heartbeatMs;
      if (!fits || isDue || !this.run.hasRoom()) {
        queue = [...this.finish(sent), ...queue.slice(next)];
        next = 0;
      }
    }
    return sent;
  }

  /**
   * Takes one reading into the run: narrows the doors and notes whether the run can end at it.
   *
   * @returns whether any line still fits
   */
  private narrow(anchor: Point, point: Point): boolean {
    const { tolerance } = this.options;
    const { lows, highs } = this;
    const { payload, reading } = point;
    const time = reading.ts - anchor.reading.ts;
    let isEnd = true;
    let fits = true;
    for (let i = 0; i < this.names.length; i++) {
      const name = this.names[i];
      const value = payload[name];
      const start = anchor.payload[name];
      const slope = (value - start) / time;
      const isExact = value === start || isBetween(Math.abs(value - start), SMALLEST, LARGEST);
      isEnd &&= isExact ? slope >= lows[i] && slope <= highs[i] : this.run.length === 0;
      const lowest = tolerance.lowest(name, value);
      const highest = tolerance.highest(name, value);
      const slack = Number.isFinite(highest) ? highest - value : 0;
      const margin = value === start ? 0 : ROUNDING * (Math.abs(value) + Math.abs(start) + slack);
      lows[i] = Math.max(lows[i], (lowest + margin - start) / time);
      highs[i] = Math.min(highs[i], (highest - margin - start) / time);
      fits &&= isExact && lows[i] <= highs[i];
    }
    if (isEnd) {
      this.end = point;
      this.endAt = this.run.length;
      this.after = [];
    } else {
      this.after.push(point);
    }
    this.run.push(reading.ts, this.names, payload);
    return fits;
  }

  /** Ends the run at the last reading that it can end at, which is sent; returns those after it. */
  private finish(sent: Point[]): Point[] {
    const { anchor, end, after } = this;
    if (!anchor || !end) {
      return [];
    }
    this.measure(anchor, end);
    this.begin(end);
    sent.push(copy(end));
    return after;
  }

  private begin(anchor: Point): void {
    this.anchor = anchor;
    this.names = Object.keys(anchor.payload);
    if (this.lows.length !== this.names.length) {
      this.lows = new Float64Array(this.names.length);
      this.highs = new Float64Array(this.names.length);
    }
    this.lows.fill(-Infinity);
    this.highs.fill(Infinity);
    this.run.begin(this.names.length);
    this.end = undefined;
    this.after = [];
  }

  /** Measures the readings of the run before its end against the line. */
  private measure(from: Point, to: Point): void {
    const { run, names } = this;
    const time = to.reading.ts - from.reading.ts;
    for (let channel = 0; channel < names.length; channel++) {
      const name = names[channel];
      const start = from.payload[name];
      const rise = to.payload[name] - start;
      for (let row = 0; row < this.endAt; row++) {
        const line = start + ((run.ts(row) - from.reading.ts) / time) * rise;
        this.maxError = Math.max(
          this.maxError,
          this.options.tolerance.error(name, run.value(row, channel), line),
        );
      }
    }
  }
}

function isBetween(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

function copy(point: Point): Point {
  return { ...point, payload: { ...point.payload } };
}
