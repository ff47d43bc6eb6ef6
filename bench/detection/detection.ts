/**
 * What `iso-forest` finds, and how rarely it alarms for nothing, on published data: `npm run bench:detection`.
 *
 *     --data <folder>    that holds adbench/, ai4i2020/, cmapss/, nab/ and skab/ (../shared/data)
 *     --seeds <number>   of each figure (10)
 *     --only tabular|streams|causes
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../test/support/runtime';
import { VARIANTS, type Variant } from '../../nodes/iso-forest/forest/variant';
import { saveResults } from '../program';
import { table } from '../table';
import { causesFirst, plantedFirst } from './attribution';
import type { Ranking } from './ranking';
import { dataFolder, machineRows, nabStream, skabStreams, tabularSets, type Stream } from './sets';
import { deviation, mean, signedRankP } from './statistics';
import { followStream, type StreamFindings } from './streams';
import { rankTabular } from './tabular';

/** What `scikit_learn.py` wrote: [ROC, average precision] by seed. */
interface PeerFindings {
  tabular: Record<string, [number, number][]>;
  streams: Record<string, Record<string, [number, number][]>>;
}

/** One configuration for all streams; what is not here has its default. */
const CONFIGURATION = { reference: 400, smoothing: 5, votes: 3, voteWindow: 5 };
const PHASES = [0, 25, 50, 75];
/** Readings before it are not ranked, as in the Numenta Anomaly Benchmark and in SKAB. */
const [NAB_FROM, SKAB_FROM] = [750, 400];

const fixed = (value: number): string => value.toFixed(3).replace(/^0/, '');
const spread = (values: readonly number[]): string =>
  values.length > 1 ? `${fixed(mean(values))} ± ${fixed(deviation(values))}` : fixed(values[0]);
const both = (rankings: readonly Ranking[]): string =>
  `${spread(rankings.map(({ roc }) => roc))} / ${spread(rankings.map(({ ap }) => ap))}`;

function compareTabular(folder: string, seeds: readonly number[], peer: PeerFindings | undefined): object {
  const found: Record<string, Record<string, Ranking[]>> = {};
  const rows = tabularSets(folder).map((set) => {
    const entry: Record<string, Ranking[]> = {};
    const theirs = peer?.tabular[set.name];
    if (theirs) {
      entry['scikit-learn'] = theirs.map(([roc, ap]) => ({ roc, ap }));
    }
    for (const variant of VARIANTS) {
      entry[variant] = seeds.map((seed) => rankTabular(set, variant, seed));
    }
    found[set.name] = entry;
    return [set.name, ...Object.values(entry).map(both)];
  });
  const methods = Object.keys(Object.values(found)[0]);
  const means = methods.map((method): Ranking => {
    const entries = Object.values(found).map((entry) => entry[method]);
    const over = (figure: keyof Ranking): number =>
      mean(entries.map((rankings) => mean(rankings.map((ranking) => ranking[figure]))));
    return { roc: over('roc'), ap: over('ap') };
  });
  rows.push(['mean', ...means.map(({ roc, ap }) => `${fixed(roc)} / ${fixed(ap)}`)]);
  console.log(
    `\nROC-AUC / average precision, mean ± deviation over ${seeds.length} seeds; 100 trees of 256 rows\n`,
  );
  console.log(table(['set', ...methods], rows));
  console.log(`\ndifference of the means to ${methods[0]}, over the sets\n`);
  console.log(
    table(['variant', 'ROC-AUC', 'p', 'average precision', 'p', 'better on'], differences(found, methods)),
  );
  return found;
}

function differences(
  found: Record<string, Record<string, Ranking[]>>,
  [first, ...others]: string[],
): string[][] {
  const bySet = (method: string, figure: keyof Ranking): number[] =>
    Object.values(found).map((entry) => {
      const of = (name: string): number => mean(entry[name].map((ranking) => ranking[figure]));
      return of(method) - of(first);
    });
  const signed = (value: number): string => `${value < 0 ? '−' : '+'}${fixed(Math.abs(value))}`;
  return others.map((method) => {
    const roc = bySet(method, 'roc');
    const ap = bySet(method, 'ap');
    const better = `${roc.filter((difference) => difference > 0).length} and ${ap.filter((difference) => difference > 0).length} of ${roc.length}`;
    return [
      method,
      signed(mean(roc)),
      fixed(signedRankP(roc)),
      signed(mean(ap)),
      fixed(signedRankP(ap)),
      better,
    ];
  });
}

interface StreamSets {
  machine: Stream;
  ambient: Stream;
  skab: Stream[];
}

function followAll(
  { machine, ambient, skab }: StreamSets,
  properties: Record<string, unknown>,
  seeds: readonly number[],
): Record<string, StreamFindings[]> {
  const runs = (stream: Stream): StreamFindings[] =>
    seeds.flatMap((seed) =>
      PHASES.map((phase) => followStream(stream, { ...properties, seed }, NAB_FROM + phase, phase)),
    );
  return {
    machine: runs(machine),
    ambient: runs(ambient),
    // One phase: all of a recording's first 400 readings are for learning. The mean over the recordings is one run.
    skab: seeds.map((seed) => {
      const each = skab.map((stream) => followStream(stream, { ...properties, seed }, SKAB_FROM, 0));
      const over = (figure: keyof StreamFindings): number => mean(each.map((findings) => findings[figure]));
      const total = (figure: keyof StreamFindings): number =>
        each.reduce((sum, findings) => sum + findings[figure], 0);
      return {
        ...{ roc: over('roc'), ap: over('ap'), falseEpisodes: over('falseEpisodes') },
        ...{ hit: total('hit'), windows: total('windows'), regimes: total('regimes') },
      };
    }),
  };
}

function compareStreams(folder: string, seeds: readonly number[], peer: PeerFindings | undefined): object {
  const sets = {
    machine: nabStream(folder, 'machine'),
    ambient: nabStream(folder, 'ambient'),
    skab: skabStreams(folder),
  };
  const names = Object.keys(sets) as (keyof StreamSets)[];
  const alone: [string, Record<string, unknown>][] = [
    ['iso-forest', CONFIGURATION],
    ...VARIANTS.map((variant): [string, Record<string, unknown>] => [
      `variant ${variant}`,
      { ...CONFIGURATION, variant },
    ]),
    ['smoothing 0', { ...CONFIGURATION, smoothing: 0 }],
    ['smoothing 15', { ...CONFIGURATION, smoothing: 15 }],
    ['reference 1000 (the default)', { ...CONFIGURATION, reference: 1000 }],
    ['learn reference', { ...CONFIGURATION, learn: 'reference' }],
    ['learn sliding', { ...CONFIGURATION, learn: 'sliding' }],
    ['all defaults', {}],
  ];
  const found = Object.fromEntries(
    alone.map(([name, properties]) => [name, followAll(sets, properties, seeds)]),
  );
  const theirs = ['sliding', 'once'].map((kind) => [
    `scikit-learn, ${kind}`,
    ...names.map((name) => {
      const rankings = peer?.streams[name]?.[kind]?.map(([roc, ap]) => ({ roc, ap }));
      return rankings ? both(rankings) : '';
    }),
  ]);
  console.log(
    `\nROC-AUC / average precision, ${seeds.length} seeds, ${PHASES.length} phases; ${JSON.stringify(CONFIGURATION)} unless said\n`,
  );
  console.log(
    table(
      ['', ...names],
      [
        ...theirs,
        ...Object.entries(found).map(([name, entry]) => [name, ...names.map((set) => both(entry[set]))]),
      ],
    ),
  );
  console.log('\nat the default threshold: windows hit, false episodes by 1,000 readings (new regimes)\n');
  const alerts = (runs: readonly StreamFindings[]): string => {
    const over = (figure: keyof StreamFindings): number => mean(runs.map((findings) => findings[figure]));
    return `${over('hit').toFixed(1)} of ${runs[0].windows}, ${over('falseEpisodes').toFixed(2)} (${over('regimes').toFixed(1)})`;
  };
  console.log(
    table(
      ['', ...names],
      Object.entries(found).map(([name, entry]) => [name, ...names.map((set) => alerts(entry[set]))]),
    ),
  );
  return found;
}

function compareCauses(folder: string, seeds: readonly number[]): object {
  const variants: readonly Variant[] = ['blend', 'standard', 'density'];
  const planted = variants.map((variant) =>
    [1, 2].map((count) => seeds.map((seed) => plantedFirst(variant, count, seed))),
  );
  console.log('\nan outlier planted in one of 20 channels, in two: the right ones come first\n');
  console.log(
    table(
      ['variant', 'one', 'two'],
      variants.map((variant, at) => [
        variant,
        ...planted[at].map((shares) => `${(100 * mean(shares)).toFixed(1)} %`),
      ]),
    ),
  );
  const machines = machineRows(folder);
  const causes = variants.map((variant) => seeds.map((seed) => causesFirst(machines, variant, seed)));
  console.log("\nfailure modes of AI4I 2020: the first channel is one of the mode's causes\n");
  console.log(
    table(
      ['mode', 'rows', '|z|', ...variants],
      causes[0][0].map(({ mode, rows }, at) => [
        mode,
        `${rows}`,
        fixed(mean(causes[0].map((run) => run[at].zScore))),
        ...causes.map((runs) => fixed(mean(runs.map((run) => run[at].forest)))),
      ]),
    ),
  );
  return { planted, causes };
}

function main(): void {
  const { values } = parseArgs({
    options: { data: { type: 'string' }, seeds: { type: 'string', default: '10' }, only: { type: 'string' } },
  });
  const folder = dataFolder(values.data, packageRoot);
  const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => at + 1);
  const file = join(packageRoot, 'bench', 'detection', 'scikit-learn.json');
  const peer = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PeerFindings) : undefined;
  if (!peer) {
    console.log('Without scikit-learn: bench/detection/scikit_learn.py has not been run.');
  }
  const results: Record<string, object> = {};
  const parts: Record<string, () => object> = {
    tabular: () => compareTabular(folder, seeds, peer),
    streams: () => compareStreams(folder, seeds.slice(0, 5), peer),
    causes: () => compareCauses(folder, seeds),
  };
  for (const [name, part] of Object.entries(parts)) {
    if (values.only === undefined || values.only === name) {
      results[name] = part();
    }
  }
  saveResults('detection', results);
}

main();
