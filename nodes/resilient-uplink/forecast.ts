import type { Rates } from './activity';

/** When what is under way will have come about; null = not at the rates of now, or nobody can tell yet. */
export interface Forecast {
  /** Seconds until the outbox has reached its limit; 0 when it has. */
  fullSeconds: number | null;
  /** Seconds until nothing waits any more; 0 when there is no backlog. */
  drainSeconds: number | null;
}

/** From this share of its limit on an outbox is full: the next message may not fit. */
const FULL_SHARE = 0.99;
/** A surplus that is smaller than this share of the traffic is chance. */
const LEAST_SURPLUS = 0.02;
/** Beyond a year a forecast is no help. */
const LONGEST_SECONDS = 366 * 86_400;

/**
 * Reckons with the smoothed rates going on as they are.
 *
 * @param held `limit` and what counts against it in bytes; whether what waits does so for longer than it should
 * @param rates undefined while they are not known
 */
export function forecastOf(
  held: { messages: number; isBacklog: boolean; occupied: number; limit: number },
  rates: Rates | undefined,
): Forecast {
  const { messages, isBacklog, occupied, limit } = held;
  return {
    fullSeconds:
      occupied >= FULL_SHARE * limit
        ? 0
        : rates
          ? until(limit - occupied, rates.growthBytes, rates.arrivalBytes)
          : null,
    drainSeconds: !isBacklog
      ? 0
      : rates
        ? until(messages, rates.endings - rates.arrivals, rates.endings)
        : null,
  };
}

function until(amount: number, surplus: number, traffic: number): number | null {
  const seconds = amount / surplus;
  return surplus > traffic * LEAST_SURPLUS && seconds <= LONGEST_SECONDS ? seconds : null;
}

/** A time for a status, in the largest unit of which there are two: symbols that are the same in every language. */
export function shortTime(seconds: number): string {
  for (const [symbol, size] of UNITS) {
    if (seconds >= 2 * size || size === 1) {
      return `${Math.round(seconds / size)} ${symbol}`;
    }
  }
  return '';
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;
