import type { Random } from '../shared/random';

/** Bounds of the time between two tries, in ms. */
export interface RetryBounds {
  minMs: number;
  maxMs: number;
}

/**
 * Exponential backoff with full jitter: uniform between 0 and min(max, min·2^failures), so that many gateways that
 * lost one server do not come back at once (Brooker, "Exponential Backoff and Jitter", AWS 2015).
 *
 * @param failures in a row, at least 1
 */
export function backoffMs(bounds: RetryBounds, failures: number, random: Random): number {
  const ceiling = Math.min(bounds.maxMs, bounds.minMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(ceiling * random.next());
}

/** Time until the next try where only a person can help: long, so that nobody is locked out for trying. In ms. */
export function slowRetryMs({ maxMs }: RetryBounds, random: Random): number {
  return Math.round(maxMs * (0.5 + 0.5 * random.next()));
}
