/**
 * What the features of one window cost, nothing else: µs of CPU by set of features, for this build and, in turn with it,
 * for others.
 *
 *   node dist/bench/ingest/features.js [--samples 1024] [--rounds 15] [<dist folder of another build> …]
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SeededRandom } from '../../nodes/shared/random';
import { runProgram } from '../program';
import { median, table } from '../table';

type Features = typeof import('../../nodes/sensor-ingest/features/features');

const { values, positionals } = parseArgs({
  options: { samples: { type: 'string', default: '1024' }, rounds: { type: 'string', default: '15' } },
  allowPositionals: true,
});
const SAMPLES = Number(values.samples);
const ROUNDS = Number(values.rounds);
/** Windows a round: some 20 ms at 1,024 samples. */
const WINDOWS = Math.max(8, Math.round(2_000_000 / SAMPLES));
/** Different windows, 512 KB at 1,024 samples. */
const DIFFERENT = 64;

const SETS: Record<string, string> = {
  'mean, rms': 'mean rms',
  'all statistics': 'mean std min max rms peak peakToPeak crest kurtosis skewness shape impulse',
  'one band': 'band:500-2000',
  'as in bench:ingest': 'mean std min max rms crest kurtosis dominantFrequency band:500-2000',
};

async function main(): Promise<void> {
  const builds = [join(__dirname, '..', '..'), ...positionals.map((folder) => resolve(folder))];
  const modules = await Promise.all(
    builds.map(
      async (folder) =>
        (await import(join(folder, 'nodes', 'sensor-ingest', 'features', 'features.js'))) as Features,
    ),
  );
  const random = new SeededRandom(1);
  const windows = Array.from({ length: DIFFERENT }, () =>
    Float64Array.from({ length: SAMPLES }, (_, i) => Math.sin(i / 7) + 0.3 * random.normal()),
  );
  const rows = Object.entries(SETS).map(([label, names]) => {
    const rounds = modules.map((module) => roundOf(module, names.split(' '), windows));
    const figures: number[][] = modules.map(() => []);
    for (let round = -3; round < ROUNDS; round++) {
      for (const [i, run] of rounds.entries()) {
        const microseconds = run();
        if (round >= 0) {
          figures[i].push(microseconds);
        }
      }
    }
    return [label, ...figures.map((all) => median(all).toFixed(2))];
  });
  console.log(`µs CPU a window of ${SAMPLES}, median of ${ROUNDS} rounds of ${WINDOWS}\n`);
  console.log(table(['features', 'this build', ...positionals], rows));
}

function roundOf(
  { FeatureExtractor, featureKeys, parseFeature }: Features,
  names: readonly string[],
  windows: readonly Float64Array[],
): () => number {
  const features = names.map(parseFeature);
  const extractor = new FeatureExtractor(features, 25_600);
  const keys = featureKeys('value', features);
  return () => {
    const before = process.cpuUsage();
    for (let i = 0; i < WINDOWS; i++) {
      extractor.compute(windows[i % DIFFERENT], SAMPLES, keys, {});
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / WINDOWS;
  };
}

runProgram(main);
