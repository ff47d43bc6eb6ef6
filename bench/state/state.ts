/**
 * Replicated state beside Yjs, Loro, TinyBase and Automerge, and in a mesh of up to 100 gateways.
 *
 *   npm run bench:state -- [--peers <folder>] [--rounds 5] [--updates 200000] [--automerge 20000] [--only contest|mesh] [--loss 0,0.02]
 */
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { addResults } from '../program';
import { quantile, table } from '../table';
import { judge, type Verdict } from './aims';
import { measureMesh, type MeshFindings } from './mesh';
import { installPeers } from './peers';
import type { Findings, Work } from './workload';

const { values } = parseArgs({
  options: {
    peers: { type: 'string', default: join(tmpdir(), 'millwright-bench-crdt-peers') },
    rounds: { type: 'string', default: '5' },
    updates: { type: 'string', default: '200000' },
    heap: { type: 'string', default: '1000000' },
    automerge: { type: 'string', default: '20000' },
    only: { type: 'string' },
    loss: { type: 'string', default: '0,0.02' },
  },
});

const NAMES: Record<string, string> = {
  bare: 'crdt-state: replica, exchange, frames',
  hosted: 'crdt-state: with its turns',
  stored: 'crdt-state: with its turns and disk',
  yjsEvents: 'Yjs, update events',
  yjsVectors: 'Yjs, state vectors (V2)',
  loro: 'Loro',
  tinybase: 'TinyBase',
  automerge: 'Automerge',
  bareEach: 'crdt-state, a turn an update',
  yjsEach: 'Yjs, a transaction an update',
  loroEach: 'Loro, a transaction an update',
  tinybaseEach: 'TinyBase, a transaction an update',
};
const OURS = ['bare', 'bareEach', 'hosted', 'stored'];
const MISSED = [25_000, 75_000, 225_000];
/** State vectors and Automerge take minutes; they decide nothing that the others do not. */
const ONCE = new Set(['yjsVectors', 'automerge', 'stored', 'hosted']);

const HEALED = new Set(['bare', 'yjsEvents', 'loro', 'tinybase']);

function runOne(name: string, work: Work): Findings {
  const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning'];
  const program = join(__dirname, 'one.js');
  const printed = execFileSync(
    process.execPath,
    [...flags, program, name, values.peers, JSON.stringify(work)],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return JSON.parse(printed) as Findings;
}

/** Rounds in which each library runs once, in a process of its own. */
function contest(names: readonly string[]): Map<string, Findings> {
  const found = new Map<string, Findings[]>();
  const updates = Number(values.updates);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const name of names.filter((each) => round === 0 || !ONCE.has(each))) {
      process.stderr.write(`round ${round + 1}: ${NAMES[name]}\n`);
      const work: Work = {
        updates: name === 'automerge' ? Number(values.automerge) : updates,
        heapUpdates: round === 0 && ['bare', 'yjsEvents'].includes(name) ? Number(values.heap) : 0,
        missed: round === 0 && HEALED.has(name) ? MISSED : [],
      };
      found.set(name, [...(found.get(name) ?? []), runOne(name, work)]);
    }
  }
  return new Map([...found].map(([name, rounds]) => [name, middle(rounds)]));
}

/** The median of what is timed; the rest as the first round has it. */
function middle(rounds: readonly Findings[]): Findings {
  const median = (figure: 'cpuMicros' | 'wallMicros'): number =>
    quantile(
      rounds.map((round) => round[figure]).sort((a, b) => a - b),
      0.5,
    );
  return { ...rounds[0], cpuMicros: median('cpuMicros'), wallMicros: median('wallMicros') };
}

function showContest(results: ReadonlyMap<string, Findings>): Verdict[] {
  const own = results.get('bare');
  if (!own) {
    return [];
  }
  console.log(
    `\n3 replicas, 3,000 keys, ${own.updates} overwrites (Automerge ${values.automerge}), an exchange every 1,000; medians of ${values.rounds} rounds\n`,
  );
  console.log(
    table(
      [
        '',
        'updates/s of a core',
        'CPU µs/update',
        'wall µs/update',
        'bytes/update',
        'state, kB',
        'heap after, MB',
        ...MISSED.map((missed) => `heal after ${missed / 1000}k, kB`),
        'CPU ÷ ours',
        'bytes ÷ ours',
      ],
      [...results].map(([name, each]) => [
        NAMES[name],
        Math.round(1e6 / each.cpuMicros).toLocaleString('en'),
        each.cpuMicros.toFixed(2),
        each.wallMicros.toFixed(2),
        each.bytes.toFixed(1),
        (each.stateBytes / 1000).toFixed(0),
        each.heapMB.toFixed(1) +
          (each.heapLaterMB === undefined
            ? ''
            : ` (${each.heapLaterMB.toFixed(1)} after ${each.heapUpdates})`),
        ...MISSED.map((missed) => {
          const healed = each.healed.find((one) => one.missed === missed);
          return healed ? (healed.bytes / 1000).toFixed(0) : '';
        }),
        (each.cpuMicros / own.cpuMicros).toFixed(2),
        (each.bytes / own.bytes).toFixed(2),
      ]),
    ),
  );
  const verdicts = judge(own, results);
  console.log('\naims\n');
  console.log(
    table(
      ['aim', 'measured', ''],
      verdicts.map(({ aim, measured, reached }) => [
        aim,
        measured,
        reached === undefined ? '' : reached ? 'reached' : 'MISSED',
      ]),
    ),
  );
  return verdicts;
}

async function mesh(): Promise<MeshFindings[]> {
  const found: MeshFindings[] = [];
  for (const loss of values.loss.split(',').map(Number)) {
    for (const replicas of [3, 10, 30, 100]) {
      process.stderr.write(`mesh of ${replicas}, ${loss * 100} % lost\n`);
      const findings = await measureMesh(replicas, loss, replicas > 30 ? 5 : 20);
      process.stderr.write(`${JSON.stringify(findings)}\n`);
      found.push(findings);
    }
  }
  console.log(
    '\na mesh in simulated time: 3,000 keys, 1,000 overwrites/s in all at random gateways and keys, delays up to 50 ms\n',
  );
  console.log(
    table(
      [
        'gateways',
        'lost',
        'published bytes/update',
        'deltas',
        'vectors',
        'requests, replies',
        'a gateway receives, kB/s',
        'level after, ms',
        'CPU µs/update and gateway',
      ],
      found.map(({ replicas, loss, bytes, received, converged, cpuMicros }) => [
        `${replicas}`,
        `${loss * 100} %`,
        (bytes.delta + bytes.vector + bytes.other).toFixed(1),
        bytes.delta.toFixed(1),
        bytes.vector.toFixed(1),
        bytes.other.toFixed(1),
        received.toFixed(1),
        converged.toFixed(0),
        cpuMicros.toFixed(1),
      ]),
    ),
  );
  return found;
}

async function main(): Promise<void> {
  const results: Record<string, unknown> = {};
  if (values.only !== 'mesh') {
    const missing = installPeers(values.peers);
    if (missing !== undefined) {
      console.log(`Without the peers on npm: ${missing}`);
    }
    const found = contest(missing === undefined ? Object.keys(NAMES) : OURS);
    results.verdicts = showContest(found);
    results.contest = Object.fromEntries(found);
  }
  if (values.only !== 'contest') {
    results.mesh = await mesh();
  }
  addResults('state', results);
}

void main();
