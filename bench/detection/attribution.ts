import { SeededRandom } from '../../nodes/shared/random';
import { parseIsoForestConfig } from '../../nodes/iso-forest/config';
import { contributions } from '../../nodes/iso-forest/explain';
import type { ForestModel } from '../../nodes/iso-forest/forest-model';
import { modelOf } from '../forest-model';
import type { MachineRow } from './sets';

const LEARNED = 2000;
const REFERENCE = 1000;

/** Sensors that a failure mode of AI4I 2020 is defined by, as its authors say. */
const CAUSES: Record<string, string[]> = {
  TWF: ['Tool wear'],
  HDF: ['Air temperature', 'Process temperature', 'Rotational speed'],
  PWF: ['Rotational speed', 'Torque'],
  OSF: ['Torque', 'Tool wear'],
};

function commissioned(channels: readonly string[], variant: string, seed: number): ForestModel {
  return modelOf(channels, parseIsoForestConfig({ variant, seed, reference: REFERENCE }));
}

function ranked(model: ForestModel, row: Float32Array): string[] {
  const explained = {
    channels: model.channels,
    row,
    values: Float64Array.from(row),
    typical: model.typicalRow(),
    score: (trial: Float32Array) => model.scoreByFeature(trial),
    terms: model.terms(row),
  };
  return contributions(explained).map(({ channel }) => channel);
}

/**
 * How often the channels in which an outlier was planted come first, all of them. Twenty channels, of which every second one
 * moves with the load; an outlier lies 5 to 8 standard deviations of its channel's noise away.
 */
export function plantedFirst(variant: string, planted: number, seed: number, trials = 50): number {
  const channels = Array.from({ length: 20 }, (_, channel) => `c${channel}`);
  const model = commissioned(channels, variant, seed);
  const random = new SeededRandom(seed, 20);
  let load = 0;
  const next = (): Float32Array => {
    load = 0.9 * load + 0.4 * random.normal();
    return Float32Array.from(channels, (_, channel) => 10 + (channel % 2) * load + 0.5 * random.normal());
  };
  for (let reading = 0; reading < LEARNED; reading++) {
    const row = next();
    model.take(row, model.score(row));
  }
  let right = 0;
  for (let trial = 0; trial < trials; trial++) {
    const row = next();
    const chosen = new Set<number>();
    while (chosen.size < planted) {
      chosen.add(random.int(channels.length));
    }
    for (const channel of chosen) {
      const spread = channel % 2 === 1 ? Math.hypot(0.5, 0.4 / Math.sqrt(1 - 0.81)) : 0.5;
      row[channel] = 10 + (random.next() < 0.5 ? -1 : 1) * (5 + 3 * random.next()) * spread;
    }
    const first = ranked(model, row).slice(0, planted);
    right += [...chosen].every((channel) => first.includes(channels[channel])) ? 1 : 0;
  }
  return right / trials;
}

export interface CauseFindings {
  mode: string;
  rows: number;
  /** Share of the mode's rows in which the first channel is one of its causes. */
  forest: number;
  /** The same for the channel that is the most standard deviations from the reference's mean. */
  zScore: number;
}

/** Failure modes of AI4I 2020: is the first channel one that the failure is defined by? Learned from healthy rows. */
export function causesFirst(rows: readonly MachineRow[], variant: string, seed: number): CauseFindings[] {
  const channels = Object.keys(rows[0].values);
  const valuesOf = (row: MachineRow): Float32Array =>
    Float32Array.from(channels, (channel) => row.values[channel]);
  const healthy = rows.filter(({ modes }) => modes.length === 0).map(valuesOf);
  const random = new SeededRandom(seed, 4);
  for (let last = healthy.length - 1; last > 0; last--) {
    const other = random.int(last + 1);
    [healthy[last], healthy[other]] = [healthy[other], healthy[last]];
  }
  const model = commissioned(channels, variant, seed);
  for (const row of healthy.slice(0, LEARNED)) {
    model.take(row, model.score(row));
  }
  const reference = healthy.slice(0, REFERENCE);
  const centers = channels.map((_, at) => reference.reduce((sum, row) => sum + row[at], 0) / REFERENCE);
  const spreads = channels.map((_, at) =>
    Math.sqrt(reference.reduce((sum, row) => sum + (row[at] - centers[at]) ** 2, 0) / REFERENCE),
  );
  const furthest = (row: Float32Array): string => {
    const away = [...row].map((value, at) => Math.abs(value - centers[at]) / spreads[at]);
    return channels[away.indexOf(Math.max(...away))];
  };
  return Object.entries(CAUSES).map(([mode, causes]) => {
    const failed = rows.filter(({ modes }) => modes.includes(mode)).map(valuesOf);
    const share = (first: (row: Float32Array) => string): number =>
      failed.filter((row) => causes.includes(first(row))).length / failed.length;
    return {
      mode,
      rows: failed.length,
      forest: share((row) => ranked(model, row)[0]),
      zScore: share(furthest),
    };
  });
}
