import { compareJson, parseJson, type Json } from './json-values';
import { compareDots, type Sibling, type Siblings } from './sibling';

export const STRATEGIES = [
  'last_write_wins',
  'mean',
  'min',
  'max',
  'union',
  'counter',
  'set',
  'flag',
] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** What a key holds: absent when nothing was written or all of it was deleted. */
export interface Merged {
  exists: boolean;
  value: Json;
}

/** Strategies whose siblings are parts of one value, not rival values. */
const COMPOSED: ReadonlySet<Strategy> = new Set(['counter', 'set']);

/**
 * The value of a key: a pure function of its siblings in dot order, so that replicas with the same siblings read the
 * same. Values that do not suit the strategy (a replica with other rules wrote them) are passed over.
 */
export function readMerged(strategy: Strategy, siblings: Siblings): Merged {
  const live = siblings.filter(isLive);
  if (live.length === 0) {
    return { exists: false, value: null };
  }
  return { exists: true, value: READERS[strategy](live) };
}

/** The siblings that are rival values, when there are several. */
export function rivals(strategy: Strategy, siblings: Siblings): LiveSibling[] {
  const live = COMPOSED.has(strategy) ? [] : siblings.filter(isLive);
  return live.length > 1 ? live : [];
}

/** A sibling that is no delete. */
export interface LiveSibling extends Sibling {
  readonly text: string;
}

export function isLive(sibling: Sibling): sibling is LiveSibling {
  return sibling.text !== null;
}

const READERS: Record<Strategy, (live: readonly LiveSibling[]) => Json> = {
  last_write_wins: latest,
  mean: (live) => numeric(live, mean),
  min: (live) => numeric(live, (values) => values.reduce((a, b) => Math.min(a, b))),
  max: (live) => numeric(live, (values) => values.reduce((a, b) => Math.max(a, b))),
  union,
  counter: (live) => numeric(live, (values) => values.reduce((a, b) => a + b)),
  set: union,
  flag: (live) => live.some(({ text }) => text === 'true'),
};

function latest(live: readonly LiveSibling[]): Json {
  const winner = live.reduce((a, b) => ((b.stamp - a.stamp || compareDots(b, a)) > 0 ? b : a));
  return parseJson(winner.text);
}

function numeric(live: readonly LiveSibling[], combine: (values: number[]) => number): Json {
  const values = live.map(({ text }) => parseJson(text)).filter((value) => typeof value === 'number');
  const combined = values.length > 0 ? combine(values) : NaN;
  return Number.isFinite(combined) ? combined : latest(live);
}

function mean(values: number[]): number {
  const sum = values.reduce((a, b) => a + b);
  // The sum of huge values may overflow where their mean does not.
  return Number.isFinite(sum)
    ? sum / values.length
    : values.reduce((total, value) => total + value / values.length, 0);
}

function union(live: readonly LiveSibling[]): Json {
  const elements = live
    .flatMap(({ text }) => {
      const value = parseJson(text);
      return Array.isArray(value) ? value : [value];
    })
    .sort(compareJson);
  return elements.filter((element, i) => i === 0 || compareJson(elements[i - 1], element) !== 0);
}
