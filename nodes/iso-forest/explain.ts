import type { Contribution } from '../shared/messages';
import type { TypicalValues } from './typical';

/** A forest's view of one row, to be explained. */
export interface Explained {
  channels: readonly string[];
  /** The row as it was scored: the newest values first, then those of the readings before it. */
  row: Float32Array;
  /** The newest values as they were received. */
  values: Float64Array;
  typical: TypicalValues;
  score: (row: Float32Array) => number;
  /** What each feature adds to the logarithm of the density; undefined where a forest cannot say. */
  terms?: Float64Array;
}

/** Scoring a row for each channel stays below half a millisecond. */
const MOST_CHANNELS = 32;

/**
 * Why a row was flagged. Of a density, how much each channel takes from its logarithm; else, for each channel, how much lower the score would be with the channel at its median in the rows
 * that the forest learned, all else as it was. Shares sum to 1, largest first. Where no single channel lowers the score,
 * the distance from the median in spreads decides.
 */
export function contributions(explained: Explained): Contribution[] {
  const { channels, row, values, typical, terms } = explained;
  const ranked = mostDistant(channels.length, row, typical);
  const drop = terms ? ownTerms(channels.length, terms) : byReplacement(explained);
  let weights = ranked.map(({ channel }) => Math.max(0, drop(channel)));
  if (!weights.some((weight) => weight > 0)) {
    weights = ranked.map(({ distance }) => distance);
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return ranked
    .map(({ channel }, i) => ({
      channel: channels[channel],
      value: values[channel],
      expected: typical.median[channel],
      share: total > 0 ? weights[i] / total : 1 / ranked.length,
    }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share);
}

/** How much lower the score is with a channel at its median. */
function byReplacement({ channels, row, typical, score }: Explained): (channel: number) => number {
  const trial = row.slice();
  const whole = score(row);
  return (channel) => {
    for (let feature = channel; feature < row.length; feature += channels.length) {
      trial[feature] = typical.median[feature];
    }
    const drop = whole - score(trial);
    for (let feature = channel; feature < row.length; feature += channels.length) {
      trial[feature] = row[feature];
    }
    return drop;
  };
}

function ownTerms(count: number, terms: Float64Array): (channel: number) => number {
  return (channel) => {
    let sum = 0;
    for (let feature = channel; feature < terms.length; feature += count) {
      sum -= terms[feature];
    }
    return sum;
  };
}

function mostDistant(
  count: number,
  row: Float32Array,
  { median, spread }: TypicalValues,
): { channel: number; distance: number }[] {
  const ranked: { channel: number; distance: number }[] = [];
  for (let channel = 0; channel < count; channel++) {
    const away = Math.abs(row[channel] - median[channel]);
    if (Number.isFinite(away)) {
      const least = Math.abs(median[channel]) * 1e-6 + 1e-30;
      ranked.push({ channel, distance: Math.min(away / Math.max(spread[channel], least), 1e30) });
    }
  }
  return ranked.sort((a, b) => b.distance - a.distance).slice(0, MOST_CHANNELS);
}
