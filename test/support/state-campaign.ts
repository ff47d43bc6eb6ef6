// Plays tens of thousands of simulated histories of replicated state in two processes and keeps a report:
// `EDGE_SEEDS=20000 node dist/test/support/state-campaign.js`. A failure says its seed and what was done.
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { FailedHistory, playHistory } from '../unit/crdt-state/play';
import type { ScenarioOptions } from '../unit/crdt-state/scenario';

/** What one process has found out. */
interface Share {
  histories: number;
  /** Histories with a copied disk, besides. */
  doubles: number;
  diskWrites: number;
  failures: string[];
}

const MAX_FAILURES = 5;
/** Histories leave nothing behind: a process that plays ten thousand of them needs no more than for one. */
const MAX_HEAP_MB = 256;

/** The ways in which a seed is played: with a power cut at some write in every third, with a double in every fifth. */
function waysOf(seed: number): ScenarioOptions[] {
  const powerCut = seed % 3 === 0 ? { write: 1 + (seed % 40), took: seed % 2 === 0 } : undefined;
  const plain = powerCut ? { powerCut } : {};
  // Two that nothing tells apart must not lose power before they have met.
  return seed % 5 === 0 ? [plain, { ...plain, double: 'known' }, { double: 'alike' }] : [plain];
}

/** Plays every `stride`th seed from `first`. */
async function playShare(first: number, end: number, stride: number): Promise<Share> {
  const share: Share = { histories: 0, doubles: 0, diskWrites: 0, failures: [] };
  for (let seed = first; seed < end && share.failures.length < MAX_FAILURES; seed += stride) {
    for (const options of waysOf(seed)) {
      try {
        const { diskWrites } = await playHistory(seed, options);
        share.diskWrites += diskWrites;
      } catch (thrown) {
        if (!(thrown instanceof FailedHistory)) {
          throw thrown;
        }
        share.failures.push(thrown.message);
      }
      share.doubles += options.double ? 1 : 0;
    }
    share.histories++;
  }
  return share;
}

function playElsewhere(first: number, end: number, stride: number): Promise<Share> {
  return new Promise((resolve, reject) => {
    const child = fork(__filename, [String(first), String(end), String(stride)], {
      execArgv: [...process.execArgv, `--max-old-space-size=${MAX_HEAP_MB}`],
    });
    child.once('message', (share) => resolve(share as Share));
    child.once('exit', (code) => reject(new Error(`a process ended with ${code} before it was done`)));
  });
}

async function main(): Promise<void> {
  const [first, end, stride] = process.argv.slice(2).map(Number);
  if (process.send) {
    process.send(await playShare(first, end, stride));
    process.disconnect();
    return;
  }
  const seeds = Number(process.env['EDGE_SEEDS'] ?? 20_000);
  const from = Number(process.env['EDGE_SEED'] ?? 1_000_001);
  const processes = Math.min(2, availableParallelism());
  const began = Date.now();
  const shares = await Promise.all(
    Array.from({ length: processes }, (_, index) => playElsewhere(from + index, from + seeds, processes)),
  );
  const report = {
    date: new Date().toISOString(),
    machine: `${cpus().length} × ${cpus()[0].model}`,
    node: process.version,
    firstSeed: from,
    historiesAsked: seeds,
    histories: shares.reduce((sum, { histories }) => sum + histories, 0),
    doubles: shares.reduce((sum, { doubles }) => sum + doubles, 0),
    diskWrites: shares.reduce((sum, { diskWrites }) => sum + diskWrites, 0),
    failures: shares.flatMap(({ failures }) => failures),
    seconds: Math.round((Date.now() - began) / 1000),
  };
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  const path = process.env['EDGE_REPORT'];
  if (path !== undefined) {
    writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  process.exitCode = report.failures.length === 0 && report.histories === seeds ? 0 : 1;
}

void main();
