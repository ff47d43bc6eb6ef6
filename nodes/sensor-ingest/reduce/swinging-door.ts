import type { Quality } from '../../shared/messages';
import { sameChannels, type Point, type ReduceOptions, type Reducer } from './reducer';

/** Readings between two sent points; a longer run is cut, which bounds memory and the work at its end. */
const LONGEST_RUN = 256;

/** Slopes from the anchor that pass within the tolerance of every reading of the run, for one channel. */
interface Door {
  low: number;
  high: number;
}

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
  private doors: Door[] = [];
  /** Readings since the anchor, and the places of those that the run can end at. */
  private run: Point[] = [];
  private ends: number[] = [];
  private quality: Quality = 'good';

  constructor(private readonly options: ReduceOptions) {}

  get holding(): boolean {
    return this.run.length > 0;
  }

  push(point: Point): Point[] {
    const { ts, quality } = point.reading;
    if (quality !== 'good' || point.late) {
      if (quality !== 'good') {
        this.quality = quality;
      }
      return [point];
    }
    const own: Point = { ...point, payload: { ...point.payload } };
    const newest = this.run.at(-1) ?? this.anchor;
    if (
      !newest ||
      quality !== this.quality ||
      ts <= newest.reading.ts ||
      !sameChannels(newest.payload, own.payload)
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
      sent.push(...this.extend(this.end(sent)));
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
      this.run.push(reading);
      const isDue = heartbeatMs > 0 && reading.reading.ts - this.anchor.reading.ts >= heartbeatMs;
      if (!fits || isDue || this.run.length >= LONGEST_RUN) {
        queue = [...this.end(sent), ...queue.slice(next)];
        next = 0;
      }
    }
    return sent;
  }

  /**
   * Narrows the doors by one reading and notes whether the run can end at it.
   *
   * @returns whether any line still fits
   */
  private narrow(anchor: Point, { payload, reading }: Point): boolean {
    const { tolerance } = this.options;
    const time = reading.ts - anchor.reading.ts;
    let isEnd = true;
    let fits = true;
    for (let i = 0; i < this.names.length; i++) {
      const name = this.names[i];
      const door = this.doors[i];
      const start = anchor.payload[name];
      const slope = (payload[name] - start) / time;
      isEnd &&= slope >= door.low && slope <= door.high;
      door.low = Math.max(door.low, (tolerance.lowest(name, payload[name]) - start) / time);
      door.high = Math.min(door.high, (tolerance.highest(name, payload[name]) - start) / time);
      fits &&= door.low <= door.high;
    }
    if (isEnd) {
      this.ends.push(this.run.length);
    }
    return fits;
  }

  /** Ends the run at the last reading that it can end at, which is sent; returns those after it. */
  private end(sent: Point[]): Point[] {
    const { anchor, run, ends } = this;
    if (!anchor) {
      return [];
    }
    let last = 0;
    for (let at = ends.pop(); at !== undefined && at > 0; at = ends.pop()) {
      // Slopes are rounded, so the line has the last word.
      const error = this.errorOf(anchor, run[at], at);
      if (error <= this.options.tolerance.limit) {
        this.maxError = Math.max(this.maxError, error);
        last = at;
        break;
      }
    }
    const after = run.slice(last + 1);
    this.begin(run[last]);
    sent.push(copy(run[last]));
    return after;
  }

  private begin(anchor: Point): void {
    this.anchor = anchor;
    this.names = Object.keys(anchor.payload);
    this.doors = this.names.map(() => ({ low: -Infinity, high: Infinity }));
    this.run = [];
    this.ends = [];
  }

  /** Largest error of the first `count` readings of the run against a line. */
  private errorOf(from: Point, to: Point, count: number): number {
    const time = to.reading.ts - from.reading.ts;
    let largest = 0;
    for (let i = 0; i < count; i++) {
      const { payload, reading } = this.run[i];
      const share = (reading.ts - from.reading.ts) / time;
      for (const name of this.names) {
        const line = from.payload[name] + share * (to.payload[name] - from.payload[name]);
        largest = Math.max(largest, this.options.tolerance.error(name, payload[name], line));
      }
    }
    return largest;
  }
}

function copy(point: Point): Point {
  return { ...point, payload: { ...point.payload } };
}
