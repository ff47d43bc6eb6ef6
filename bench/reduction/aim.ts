import assert from 'node:assert/strict';
import { quantile } from '../table';
import { bristol, fewestLines, largestError, swing, type Bounded, type Curve, type Knot } from './doors';
import { fewer, percent } from './figures';
import { METHODS, type Method } from './rebuild';
import { BY_READING, type Result } from './scalars';
import type { Series } from './series';

/** Percent fewer bytes that the suite aims at, within this tolerance in percent of span. */
const AIM = 94;
const TOLERANCE = 1;

export const AIM_HEADER = [
  'series',
  'decided',
  'median step',
  'deadband',
  'swinging door',
  'swing filter',
  "Bristol's doors (error)",
  'fewest lines',
  'best of the node, bytes',
  `${AIM} %`,
];

/**
 * What could be had, in percent fewer points: by the node's methods, by other doors with the same bound (Bristol's with
 * theirs), which know no heartbeat here, and by the fewest lines; and whether the aim is reached in payload bytes.
 */
export function aimRows(series: Series, results: readonly Result[]): string[][] {
  const all = [...series.ranges.keys()];
  const at = results.filter(({ tolerance }) => tolerance === TOLERANCE);
  const decisions = new Set(at.map(({ decided }) => decided));
  return [...decisions].map((decided) => {
    const channels = series.ranges.has(decided) ? [decided] : all;
    const together = decided === BY_READING && channels.length > 1;
    const doors = compareDoors(series, channels, together);
    const parts = decided === BY_READING ? [decided] : channels;
    const best = Math.max(
      ...at
        .filter((result) => result.decided === decided)
        .map(({ before, after }) => fewer(before.payload, after.payload)),
    );
    return [
      series.name,
      decided,
      channels.length === 1 ? percent(medianStep(series, channels[0]), 2) : '',
      ...METHODS.map((method) => percent(fewerPoints(at, method, parts))),
      together ? '' : percent(doors.swing),
      together ? '' : `${percent(doors.bristol)} (${doors.bristolError.toFixed(2)} ×)`,
      percent(doors.ceiling),
      percent(best),
      verdict(best, doors.ceiling),
    ];
  });
}

function fewerPoints(results: readonly Result[], method: Method, parts: readonly string[]): number {
  let before = 0;
  let after = 0;
  for (const result of results) {
    if (result.method === method && parts.includes(result.decided)) {
      before += result.before.messages;
      after += result.after.messages;
    }
  }
  return fewer(before, after);
}

function verdict(saved: number, ceiling: number): string {
  if (saved >= AIM) {
    return 'reached';
  }
  return ceiling < AIM ? 'impossible' : 'missed';
}

/** Percent fewer points of all recordings; swing filter and Bristol's doors know one channel only. */
function compareDoors(
  series: Series,
  channels: readonly string[],
  together: boolean,
): { swing: number; bristol: number; bristolError: number; ceiling: number } {
  const points = { samples: 0, swing: 0, bristol: 0, lines: 0 };
  let bristolError = 0;
  for (const run of series.runs) {
    const bounded = channels.map((channel): Bounded => ({
      curve: curveOf(run, channel),
      tolerance: toleranceOf(series, channel),
    }));
    for (const group of together ? [bounded] : bounded.map((channel) => [channel])) {
      points.lines += fewestLines(group) * group.length;
      points.samples += group.length * group[0].curve.x.length;
    }
    for (const channel of bounded) {
      const swung = swing(channel);
      points.swing += swung.length;
      within(channel, 1, swung);
      const hung = bristol(channel);
      points.bristol += hung.length;
      bristolError = Math.max(bristolError, within(channel, 2, hung));
    }
  }
  const saved = (kept: number): number => fewer(points.samples, kept);
  return {
    swing: saved(points.swing),
    bristol: saved(points.bristol),
    bristolError,
    ceiling: saved(points.lines),
  };
}

/** The largest error of the lines between the points sent, in tolerances, of which it must be at most `allowed`. */
function within(channel: Bounded, allowed: number, knots: readonly Knot[]): number {
  const error = largestError(channel.curve, knots) / channel.tolerance;
  assert.ok(error <= allowed * (1 + 1e-9), `the error is ${error} times the tolerance`);
  return error;
}

function toleranceOf({ ranges }: Series, channel: string): number {
  const range = ranges.get(channel);
  return range ? (TOLERANCE / 100) * (range.max - range.min) : NaN;
}

function curveOf(run: Series['runs'][number], channel: string): Curve {
  const curve: Curve = { ts: [], x: [] };
  let newest = -Infinity;
  for (const { ts, payload } of run) {
    if (ts > newest) {
      newest = ts;
      curve.ts.push(ts);
      curve.x.push(payload[channel]);
    }
  }
  return curve;
}

/** Median change from one sample to the next, in percent of span. */
function medianStep(series: Series, channel: string): number {
  const steps = series.runs.flatMap((run) => {
    const { x } = curveOf(run, channel);
    return x.slice(1).map((value, index) => Math.abs(value - x[index]));
  });
  const sorted = steps.sort((a, b) => a - b);
  return (TOLERANCE * quantile(sorted, 0.5)) / toleranceOf(series, channel);
}
