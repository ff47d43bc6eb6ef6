import type { Quality } from '../../shared/messages';
import { isDue, type Point, type ReduceOptions, type Reducer } from './reduce';

/** Readings between two sent points; a longer run is cut, which bounds memory and the work at its end. */
const LONGEST_RUN = 256;

/**
 * Swinging-door compression (Bristol, US patent 4,669,097, 1987) in its strict form: a run of readings is replaced by the
 * straight line between two readings that were sent, and ends before the first reading whose line would leave any
 * channel of any reading in between further off than the tolerance. Every reading is checked against the line that
 * stands for it, so the bound holds for each, and `maxError` is what was measured.
 *
 * The newest reading is held back until it is known whether the run goes on; channels that come or go, a change of
 * quality and the heartbeat end the run. Late readings pass and change nothing.
 */
export class SwingingDoor implements Reducer {
  maxError = 0;
  /** The point sent last, where the line begins. */
  private anchor: Point | undefined;
  private held: Point | undefined;
  /** Readings after the anchor and before the held one. */
  private run: Point[] = [];
  private quality: Quality = 'good';

  constructor(private readonly options: ReduceOptions) {}

  push(point: Point): Point[] {
    const { ts, quality } = point.reading;
    if (quality !== 'good' || point.late) {
      if (quality !== 'good') {
        this.quality = quality;
      }
      return [point];
    }
    const own: Point = { ...point, payload: { ...point.payload } };
    const { anchor, held } = this;
    const newestAt = (held ?? anchor)?.reading.ts;
    if (
      !anchor ||
      newestAt === undefined ||
      quality !== this.quality ||
      !sameChannels(anchor.payload, point.payload) ||
      ts <= newestAt ||
      isDue(ts, anchor.reading.ts, this.options.heartbeatMs)
    ) {
      return this.restart(own);
    }
    if (!held) {
      this.held = own;
      return [];
    }
    if (this.run.length < LONGEST_RUN && this.fits(anchor, own, held)) {
      this.run.push(held);
      this.held = own;
      return [];
    }
    this.finishRun(anchor, held);
    this.anchor = held;
    this.held = own;
    return [copy(held)];
  }

  /** Sends what is held and begins anew at a point that is sent whatever it is. */
  private restart(point: Point): Point[] {
    const { anchor, held } = this;
    if (anchor && held) {
      this.finishRun(anchor, held);
    }
    this.anchor = point;
    this.held = undefined;
    this.run = [];
    this.quality = point.reading.quality;
    return held ? [copy(held), copy(point)] : [copy(point)];
  }

  private finishRun(anchor: Point, end: Point): void {
    for (const between of this.run) {
      this.maxError = Math.max(this.maxError, this.errorAt(anchor, end, between));
    }
    this.run = [];
  }

  private fits(anchor: Point, end: Point, held: Point): boolean {
    const { limit } = this.options.tolerance;
    // The held reading is the one most likely to stick out.
    if (this.errorAt(anchor, end, held) > limit) {
      return false;
    }
    return this.run.every((between) => this.errorAt(anchor, end, between) <= limit);
  }

  private errorAt(anchor: Point, end: Point, between: Point): number {
    const from = anchor.reading.ts;
    const share = (between.reading.ts - from) / (end.reading.ts - from);
    let largest = 0;
    for (const name of Object.keys(between.payload)) {
      const line = anchor.payload[name] + share * (end.payload[name] - anchor.payload[name]);
      largest = Math.max(largest, this.options.tolerance.error(name, between.payload[name], line));
    }
    return largest;
  }
}

function sameChannels(a: Record<string, number>, b: Record<string, number>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name));
}

function copy(point: Point): Point {
  return { ...point, payload: { ...point.payload } };
}
