/**
 * The cost of `iso-forest`: beside scikit-learn and its peers on npm, and for a fleet in the real runtime.
 *
 *   npm run bench:forest -- [--python /tmp/venv/bin/python] [--peers <folder>] [--rival <checkout>] [--sources 3000] [--seconds 60] [--only core|fleet]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../test/support/runtime';
import { addResults } from '../program';
import { table } from '../table';
import { machineRows, ours, ROWS, time, WIDTH, type Timing } from './contest';
import { CHANNELS, measureFleet, RATE, type Phase } from './fleet';
import { installPeers, mlForest, objectForest, RIVAL, rivalMessage, scikitLearn } from './peers';
import { measureStages, type Stage } from './stages';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    peers: { type: 'string', default: join(tmpdir(), 'millwright-bench-peers') },
    rival: { type: 'string' },
    sources: { type: 'string', default: '3000' },
    seconds: { type: 'string', default: '60' },
    only: { type: 'string' },
  },
});
const REPEATS = 15;
/** Enough that their trees do not fit the processor's caches, as a fleet's do not. */
const STAGE_SOURCES = 300;

function contest(): Timing[] {
  const rows = machineRows();
  const timings = [
    time(ours(rows, 'standard', 'sliding'), REPEATS),
    time(ours(rows, 'standard', 'reference'), REPEATS),
    time(ours(rows, 'fair-cut', 'sliding'), REPEATS),
    time(ours(rows, 'density', 'sliding'), REPEATS),
    time(ours(rows, 'blend', 'sliding'), REPEATS),
    time(ours(rows, 'blend', 'reference'), REPEATS),
  ];
  const missing = installPeers(values.peers);
  if (missing === undefined) {
    timings.push(
      time(mlForest(values.peers, rows), REPEATS),
      time(objectForest(values.peers, rows), REPEATS),
    );
  } else {
    console.log(`Without the peers on npm: ${missing}`);
  }
  const script = join(packageRoot, 'bench', 'forest', 'scikit_learn.py');
  const theirs = scikitLearn(values.python, rows, script, values.peers);
  if (theirs) {
    timings.push(theirs);
  } else {
    console.log(`Without scikit-learn: ${values.python} has none; give one that has with --python.`);
  }
  console.log(`\n100 trees of 256 of ${ROWS} rows of ${WIDTH}; medians of ${REPEATS} runs, one core\n`);
  console.log(
    table(
      ['', 'fit, ms', 'score in one call, µs a row', 'score one row a call, µs'],
      timings.map(({ name, fit, batch, single }) => [
        name,
        fit.toFixed(1),
        batch.toFixed(1),
        single.toFixed(1),
      ]),
    ),
  );
  const [standard, , , , blend] = timings;
  const others = timings.slice(6);
  if (others.length > 0) {
    const times = (own: Timing, other: Timing): string =>
      (['fit', 'batch', 'single'] as const)
        .map((figure) => `${(other[figure] / own[figure]).toFixed(1)}×`)
        .join(', ');
    console.log('\nhow many times as long they take: fit, in one call, one row a call\n');
    console.log(
      table(
        ['', 'of standard, sliding', 'of blend, sliding'],
        others.map((other) => [other.name, times(standard, other), times(blend, other)]),
      ),
    );
  }
  return timings;
}

function rival(): Record<string, number | undefined> {
  const modes = {
    'as it comes (one forest, of ten values, for good)': {},
    'learningMode incremental': { learningMode: 'incremental' },
  };
  const found = Object.entries(modes).map(([mode, properties]): [string, number | undefined] => [
    mode,
    values.rival ? rivalMessage(values.rival, properties, 2000) : undefined,
  ]);
  if (found.some(([, micros]) => micros === undefined)) {
    console.log(`\nWithout ${RIVAL}: give a checkout that finds its dependency with --rival.`);
    return {};
  }
  console.log(`\nisolation-forest-anomaly of ${RIVAL} 0.3.1, its handler alone; one value a message\n`);
  console.log(
    table(
      ['', 'µs a message'],
      found.map(([mode, micros]) => [mode, (micros ?? NaN).toFixed(0)]),
    ),
  );
  return Object.fromEntries(found);
}

function showStages(stages: readonly Stage[], sources: number): void {
  console.log(`\nthe core alone, defaults (blend, both), ${sources} sources\n`);
  console.log(
    table(
      [
        'readings',
        'score, µs',
        'grow trees, µs',
        `of a core at ${3000 * RATE}/s`,
        'trees by 100 readings',
        'KB a source',
      ],
      stages.map(({ readings, score, grow, trees, bytes }) => [
        readings,
        score.toFixed(1),
        grow.toFixed(1),
        `${((grow * 3000 * RATE) / 1e4).toFixed(0)} %`,
        trees.toFixed(0),
        (bytes / 1000).toFixed(0),
      ]),
    ),
  );
}

function showFleet(phases: readonly Phase[], sources: number): void {
  console.log(
    `\n${sources} sources of ${CHANNELS} channels, ${RATE} readings a second each, in Node-RED, defaults\n`,
  );
  console.log(
    table(
      [
        '',
        'readings/s',
        'CPU µs/reading',
        'thread busy',
        'event loop late, ms: p50',
        'p99',
        'max',
        'behind, ms',
        'resident MB',
        'held MB',
      ],
      phases.map(({ name, findings }) => {
        const { readings, seconds, cpuMicros, busy, loopDelay, behind, residentMB, heldMB } = findings;
        return [
          name,
          (readings / seconds).toFixed(0),
          cpuMicros.toFixed(1),
          `${(100 * busy).toFixed(0)} %`,
          ...[loopDelay.p50, loopDelay.p99, loopDelay.max].map((ms) => ms.toFixed(1)),
          behind.toFixed(0),
          `${residentMB}`,
          `${heldMB}`,
        ];
      }),
    ),
  );
}

async function main(): Promise<void> {
  const results: Record<string, unknown> = {};
  const sources = Number(values.sources);
  if (values.only !== 'fleet') {
    results.contest = contest();
    results.rival = rival();
    const stages = measureStages(STAGE_SOURCES);
    showStages(stages, STAGE_SOURCES);
    results.stages = stages;
  }
  if (values.only !== 'core') {
    const phases = await measureFleet(sources, Number(values.seconds));
    showFleet(phases, sources);
    results.fleet = phases;
  }
  addResults('forest', results);
}

void main();
