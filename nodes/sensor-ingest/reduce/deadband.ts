import type { Quality } from '../../shared/messages';
import { sameChannels, type Point, type ReduceOptions, type Reducer } from './reducer';

/**
 * Reports by exception: a reading passes whole when any of its channels is further than the tolerance from the value
 * last sent, when channels come or go, when the quality changes, and after `heartbeat` of event time. Whoever holds the
 * last value sent is therefore never further than the tolerance from any reading. Late readings pass and change nothing.
 */
export class Deadband implements Reducer {
  readonly holding = false;
  maxError = 0;
  private sent: Record<string, number> | undefined;
  private sentAt = -Infinity;
  private quality: Quality = 'good';

  constructor(private readonly options: ReduceOptions) {}

  push(point: Point): Point[] {
    const { ts, quality } = point.reading;
    if (point.late) {
      return [point];
    }
    if (quality !== 'good') {
      this.quality = quality;
      return [point];
    }
    const error = this.errorOf(point.payload);
    if (this.isDue(ts) || quality !== this.quality || error === undefined) {
      this.sent = { ...point.payload };
      this.sentAt = ts;
      this.quality = quality;
      return [point];
    }
    this.maxError = Math.max(this.maxError, error);
    return [];
  }

  flush(): Point[] {
    return [];
  }

  /** Whether the heartbeat asks for a point; also when the clock that times the readings was set back. */
  private isDue(ts: number): boolean {
    const { heartbeatMs } = this.options;
    return heartbeatMs > 0 && (ts - this.sentAt >= heartbeatMs || ts < this.sentAt);
  }

  /** The largest error that leaving the reading out would make; undefined when it has to be sent. */
  private errorOf(payload: Record<string, number>): number | undefined {
    const { sent } = this;
    if (!sent || !sameChannels(sent, payload)) {
      return undefined;
    }
    const { tolerance } = this.options;
    let largest = 0;
    for (const name of Object.keys(payload)) {
      const error = tolerance.error(name, payload[name], sent[name]);
      if (error > tolerance.limit) {
        return undefined;
      }
      largest = Math.max(largest, error);
    }
    return largest;
  }
}
