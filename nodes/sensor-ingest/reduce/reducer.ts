import type { Reading } from '../../shared/messages';
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
  /** Largest error, in the unit of the tolerance, of any reading that was left out, as measured. */
  readonly maxError: number;
  /** Whether readings have come that no point sent so far stands for. */
  readonly holding: boolean;
  /** Takes a reading in; returns the points to send, oldest first. */
  push(point: Point): Point[];
  /** Ends with what has come so far; returns the points that stand for what was held back. */
  flush(): Point[];
}

/** What {@link Reducer}s are set to; `heartbeatMs` 0 = none. */
export interface ReduceOptions {
  kind: 'deadband' | 'swinging-door';
  tolerance: Tolerance;
  heartbeatMs: number;
}

export function sameChannels(a: Record<string, number>, b: Record<string, number>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name));
}
