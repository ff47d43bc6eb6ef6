import type { ChannelSpec } from '../rows/channels';
import { hasChannelUnit, type Feature } from '../features/features';

/** How far a value that was left out may lie from what stands for it. */
export interface Tolerance {
  type: 'absolute' | 'percent';
  limit: number;
  /** The error in the unit of `limit`, never NaN. */
  error(name: string, value: number, standsFor: number): number;
  /** The lowest and the highest number that may stand for a value. */
  lowest(name: string, value: number): number;
  highest(name: string, value: number): number;
}

/** The error is in the channel's own unit. */
export function absoluteTolerance(limit: number): Tolerance {
  return {
    type: 'absolute',
    limit,
    error: (_name, value, standsFor) => Math.abs(value - standsFor),
    lowest: (_name, value) => value - limit,
    highest: (_name, value) => value + limit,
  };
}

/**
 * The error is in percent of the channel's span, max − min. Features without the channel's unit (crest, kurtosis,
 * frequencies, bands …) have no span: theirs is in percent of the value that stands for them.
 *
 * @param channels each with `min` below `max`
 */
export function percentTolerance(
  limit: number,
  channels: readonly ChannelSpec[],
  features: readonly Feature[],
): Tolerance {
  const spans = new Map<string, number>();
  for (const { name, min = 0, max = 0 } of channels) {
    spans.set(name, max - min);
    for (const feature of features) {
      if (hasChannelUnit(feature.name)) {
        spans.set(`${name}.${feature.name}`, max - min);
      }
    }
  }
  const share = limit / 100;
  const highest = (name: string, value: number): number => {
    const span = spans.get(name);
    if (span !== undefined) {
      return value + share * span;
    }
    // Where |value − x| ≤ share · |x| on the value's own side of 0: only that is one interval, from 100 % on as well.
    return value > 0 ? (share < 1 ? value / (1 - share) : Infinity) : value / (1 + share);
  };
  return {
    type: 'percent',
    limit,
    error(name, value, standsFor) {
      const difference = Math.abs(value - standsFor);
      return difference === 0 ? 0 : (100 * difference) / (spans.get(name) ?? Math.abs(standsFor));
    },
    lowest: (name, value) => -highest(name, -value),
    highest,
  };
}
