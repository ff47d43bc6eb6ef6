import type { Quality, Reading } from '../../shared/messages';
import type { Tolerance } from './tolerance';

/** A reading on its way to the reduced stream. */
export interface Point {
  payload: Record<string, number>;
  reading: Reading;
  /** Older by event time than one that has already come. */
  late: boolean;
}

/** Keeps the few points of one source's stream that stand for the rest. */
export interface Reducer {
  /** Takes a reading in; returns the points to send, oldest first. */
  push(point: Point): Point[];
  /** Largest error, in the unit of the tolerance, of any reading that was left out, as measured. */
  readonly maxError: number;
}

/** What {@link Reducer}s are set to; `heartbeatMs` 0 = none. */
export interface ReduceOptions {
  tolerance: Tolerance;
  heartbeatMs: number;
}

/**
 * Reports by exception: a reading passes whole when any of its channels is further than the tolerance from the value
 * last sent, when channels come or go, when the quality changes, and after `heartbeat` of event time. Whoever holds the
 * last value sent is therefore never further than the tolerance from any reading. Late readings pass and change nothing.
 */
export class Deadband implements Reducer {
  maxError = 0;
  private sent: Record<string, number> | undefined;
  private sentAt = -Infinity;
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
    const error = this.errorOf(point.payload);
    if (isDue(ts, this.sentAt, this.options.heartbeatMs) || quality !== this.quality || error === undefined) {
      this.sent = { ...point.payload };
      this.sentAt = ts;
      this.quality = quality;
      return [point];
    }
    this.maxError = Math.max(this.maxError, error);
    return [];
  }

  /** The largest error that leaving the reading out would make; undefined when it has to be sent. */
  private errorOf(payload: Record<string, number>): number | undefined {
    const { sent } = this;
    if (!sent) {
      return undefined;
    }
    let largest = 0;
    let channels = 0;
    for (const name of Object.keys(payload)) {
      if (!Object.hasOwn(sent, name)) {
        return undefined;
      }
      const error = this.options.tolerance.error(name, payload[name], sent[name]);
      if (error > this.options.tolerance.limit) {
        return undefined;
      }
      largest = Math.max(largest, error);
      channels++;
    }
    return channels === Object.keys(sent).length ? largest : undefined;
  }
}

/** Whether the heartbeat asks for a point; also when the clock that times the readings was set back. */
export function isDue(ts: number, sentAt: number, heartbeatMs: number): boolean {
  return heartbeatMs > 0 && (ts - sentAt >= heartbeatMs || ts < sentAt);
}
