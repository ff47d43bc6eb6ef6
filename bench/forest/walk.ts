/**
 * What a row's score costs where no tree is in the processor's caches: one row for each of many forests, in turn.
 *
 *   npm run bench:forest:walk -- [--sources 3000] [--rounds 20]
 *
 * The last column of the table is a checksum of the scores: it is the same as long as no score changes.
 */
import { parseArgs } from 'node:util';
import { RowWindow } from '../../nodes/iso-forest/forest/row-window';
import { Growers, VARIANTS, type Ensemble, type Variant } from '../../nodes/iso-forest/forest/variant';
import { hashString, SeededRandom } from '../../nodes/shared/random';
import { median, table } from '../table';
import { machineRows, WIDTH } from './contest';

const { values } = parseArgs({
  options: { sources: { type: 'string', default: '3000' }, rounds: { type: 'string', default: '20' } },
});
const TREES = 100;
const SAMPLE = 256;
/** Forests that are grown; the others are copies elsewhere in memory, which takes seconds instead of minutes. */
const GROWN = 20;

/** How often all rows are given to the same forest in a round: the clock has ticks of milliseconds. */
const WARM_PASSES = 10;

/** CPU time of this thread, which other processes on the machine lengthen least. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

interface Walked {
  variant: Variant;
  /** ns a row, by round. */
  cold: number[];
  /** ns a row when the same forest is asked again and again. */
  warm: number[];
  bytes: number;
  checksum: number;
}

function fleet(variant: Variant, sources: number, rows: readonly Float32Array[]): Ensemble[] {
  const growers = new Growers(variant, SAMPLE);
  const window = new RowWindow(WIDTH, rows.length);
  rows.forEach((row) => window.push(row));
  const forests = Array.from({ length: sources }, () =>
    growers.forest({ width: WIDTH, trees: TREES, gaps: false, beyond: true }),
  );
  for (let first = 0; first < GROWN; first++) {
    for (let tree = 1; tree <= TREES; tree++) {
      const grower = growers.of(tree, TREES);
      grower.grow(window, 0, rows.length, new SeededRandom(1, hashString(variant), first, tree));
      for (let at = first; at < sources; at += GROWN) {
        forests[at].place(grower);
      }
    }
  }
  return forests;
}

function walk(variant: Variant, sources: number, rounds: number): Walked {
  const rows = machineRows().map((row) => Float32Array.from(row));
  const forests = fleet(variant, sources, rows);
  let checksum = 0;
  const cold: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = cpuMs();
    for (let at = 0; at < sources; at++) {
      checksum += forests[at].score(rows[(round * 7 + at * 131) % rows.length]);
    }
    cold.push((1e6 * (cpuMs() - began)) / sources);
  }
  const warm: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = cpuMs();
    for (let pass = 0; pass < WARM_PASSES; pass++) {
      for (const row of rows) {
        forests[0].score(row);
      }
    }
    warm.push((1e6 * (cpuMs() - began)) / (WARM_PASSES * rows.length));
  }
  return { variant, cold, warm, bytes: forests.reduce((sum, { bytes }) => sum + bytes, 0), checksum };
}

const sources = Number(values.sources);
const walked = VARIANTS.map((variant) => walk(variant, sources, Number(values.rounds)));
console.log(
  `${sources} forests of ${TREES} trees of ${SAMPLE} rows of ${WIDTH}; CPU time, medians of ${values.rounds} rounds\n`,
);
console.log(
  table(
    ['variant', 'each row another forest, ns a row', 'always the same forest, ns', 'MB', 'checksum'],
    walked.map(({ variant, cold, warm, bytes, checksum }) => [
      variant,
      median(cold).toFixed(0),
      median(warm).toFixed(0),
      (bytes / 1e6).toFixed(0),
      String(checksum),
    ]),
  ),
);
