/**
 * The article's whole load on this computer: machines, their broker, gateways with the predictive-maintenance flow in the
 * real Node-RED, and a cloud, all as processes of their own. bench/README.md says what is measured.
 *
 *   npm run bench:factory -- [--minutes 0.5] [--sensors 3000] [--rate 1] [--gateways 1] [--out <folder>]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readFlow, TEMPLATE } from '../../test/support/template';
import { cores, runProgram } from '../program';
import {
  compareReduced,
  judgementOf,
  lossesOf,
  withLatency,
  type Figures,
  type Killed,
  type Wire,
} from './figures';
import { page } from './page';
import { topicOf, type PerStream } from './protocol';
import {
  detectionTable,
  gatewayMicros,
  phaseTable,
  processTable,
  stageTable,
  verdicts,
  verdictTable,
  wireTable,
} from './report';
import { drain, profileStages, runPhase, warmUp, type Phase, type PhaseResult } from './run';
import { compareScores } from './scores';
import { isShared, SharedState, stateTable } from './shared-state';
import { Site } from './site';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '0.5' },
    sensors: { type: 'string', default: '3000' },
    rate: { type: 'string', default: '1' },
    gateways: { type: 'string', default: '1' },
    qos: { type: 'string', default: '1' },
    warmup: { type: 'string', default: '110' },
    profile: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const MACHINES = Number(values.sensors);
const RATE = Number(values.rate);
const GATEWAYS = Number(values.gateways);
const SECONDS = Math.round(60 * Number(values.minutes));
/** Machines whose reduced stream is rebuilt and compared. */
const KEPT = Math.min(40, MACHINES);
/** Of 3,000 machines ten a second, so that there are alerts to time. */
const INCIDENTS_PER_MACHINE = 1 / 300;
/** Of each, readings and windows whose scores are compared with those of one gateway. */
const SCORED_MACHINES = 100;
const SCORED_ROUNDS = 400;
/** More than the machines run in any phase, also few of them as fast as they go. */
const PLANNED_SECONDS = 12 * SECONDS * Math.max(1, RATE);
/** From a gateway's death to its next start. */
const DOWN_SECONDS = 3;

/** The warm-up is as fast as it goes: V8 collects what it left in the first seconds of another pace. */
const RUN_IN_SECONDS = 5;

const PHASES: Phase[] = [
  { name: 'half', multiple: 0.5 * RATE, seconds: SECONDS, runIn: RUN_IN_SECONDS },
  { name: 'full', multiple: RATE, seconds: SECONDS, runIn: RUN_IN_SECONDS },
  { name: 'flat out', multiple: 0, seconds: Math.ceil(SECONDS / 2), runIn: RUN_IN_SECONDS },
];

async function main(): Promise<void> {
  const loadBefore = loadAverage();
  const stateFolder = mkdtempSync(join(tmpdir(), 'factory-state-'));
  const site = await Site.start({
    machines: MACHINES,
    seed: Number(values.seed),
    waveQos: values.qos === '0' ? 0 : 1,
    kept: KEPT,
    lockstep: false,
    gateways: GATEWAYS,
    ...(GATEWAYS > 1 && { stateFolder }),
  });
  const shared = GATEWAYS > 1 ? await SharedState.watch(site, stateFolder) : undefined;
  for (let machine = 0; machine < KEPT; machine++) {
    site.cloud.follow(topicOf(machine, `cnc-${String(machine + 1).padStart(4, '0')}`, 'telemetry'));
  }
  const warmUpSeconds = await warmUp(site, Number(values.warmup));
  console.log(`warm-up: ${warmUpSeconds.toFixed(0)} s; load average ${loadAverage()}`);
  const atStart = marks(site);
  site.order({
    kind: 'break',
    seconds: PLANNED_SECONDS,
    perSecond: MACHINES * INCIDENTS_PER_MACHINE,
  });
  const since = Date.now();
  const results: PhaseResult[] = [];
  let killed: Killed | undefined;
  for (const phase of PHASES) {
    results.push(
      await runPhase(site, phase, {
        since,
        ...(shared &&
          phase.name === 'half' && {
            during: async (second) => {
              if (second === Math.ceil(phase.seconds / 3)) {
                killed = await killOne(site, shared);
              }
            },
          }),
      }),
    );
  }
  const profile = await profileStages(site, Number(values.profile));
  await drain(site);
  const state = await shared?.settle();
  const atEnd = marks(site);
  const judged = minus(atEnd.handled, atStart.handled);
  const kept = await site.kept();
  const figures: Figures = {
    machines: MACHINES,
    gateways: GATEWAYS,
    waveQos: site.options.waveQos,
    seed: site.options.seed,
    cores: cores(),
    loadBefore,
    loadAfter: loadAverage(),
    warmUpSeconds,
    phases: results.map((result) => withLatency(result, site.alerts)),
    profile,
    judgement: judgementOf(site),
    judged,
    machineDays: judged.telemetry / 86_400,
    wire: {
      bytesIn: minus(atEnd.wire.bytesIn, atStart.wire.bytesIn),
      bytesOut: minus(atEnd.wire.bytesOut, atStart.wire.bytesOut),
      messagesOut: minus(atEnd.wire.messagesOut, atStart.wire.messagesOut),
    },
    losses: lossesOf(site),
    reduction: compareReduced(kept, site, spans()),
    problems: site.gateways.flatMap((station) => station.problems().map(({ msg }) => String(msg))),
    ...(killed && { killed }),
    ...(state && { state }),
  };
  await shared?.close();
  await site.stop();
  show(figures);
  const folder = values.out ?? mkdtempSync(join(tmpdir(), 'factory-'));
  save(figures, folder);
  if (GATEWAYS > 1) {
    const options = { machines: SCORED_MACHINES, rounds: SCORED_ROUNDS, seed: site.options.seed };
    const scores = await compareScores({ ...options, gateways: GATEWAYS });
    console.log(JSON.stringify({ scores }));
    save({ ...figures, scores }, folder);
  }
  if (state && !isShared(state)) {
    throw new Error(
      `The gateways’ state is not what was asked of it, see the table; what they wrote is in ${stateFolder}.`,
    );
  }
  rmSync(stateFolder, { recursive: true });
}

async function killOne(site: Site, shared: SharedState): Promise<Killed> {
  const victim = GATEWAYS - 1;
  await site.kill(victim);
  await new Promise((resolve) => setTimeout(resolve, DOWN_SECONDS * 1000));
  const lag = (): number =>
    site.sent.telemetry + site.sent.waves - site.count.handled.telemetry - site.count.handled.waves;
  const waiting = lag();
  const written = shared.oracle();
  const restarted = performance.now();
  await site.restart(victim);
  const [caughtUpSeconds] = await Promise.all([
    site
      .until(() => lag() < waiting / 20, 'the gateway to catch up')
      .then(() => (performance.now() - restarted) / 1000),
    shared.levelAfterRestart(victim, written, restarted),
  ]);
  return { caughtUpSeconds, downSeconds: DOWN_SECONDS, waiting };
}

function marks(site: Site): { handled: PerStream; wire: Wire } {
  return {
    handled: site.count.handled,
    wire: {
      bytesIn: { ...site.bytes },
      bytesOut: { ...site.cloud.bytes },
      messagesOut: { ...site.cloud.messages },
    },
  };
}

function minus<K extends string>(a: Record<K, number>, b: Record<K, number>): Record<K, number> {
  return Object.fromEntries(
    Object.entries(a).map(([key, value]) => [key, (value as number) - b[key as K]]),
  ) as Record<K, number>;
}

/** The spans that the template's channels table gives, which the tolerance of the reduction is a percentage of. */
function spans(): Map<string, number> {
  const ingest = readFlow('predictive-maintenance').find(({ id }) => id === TEMPLATE.ingest);
  const channels = (ingest?.channels ?? []) as { name: string; min: number; max: number }[];
  return new Map(channels.map(({ name, min, max }) => [name, max - min]));
}

function loadAverage(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(', ');
}

function show(figures: Figures): void {
  const { losses, killed, problems, loadBefore, loadAfter, cores } = figures;
  console.log(`${cores}; load average before ${loadBefore}, after ${loadAfter}\n`);
  console.log(`${verdictTable(verdicts(figures))}\n`);
  for (const made of [phaseTable, processTable, stageTable, detectionTable, wireTable]) {
    console.log(`${made(figures)}\n`);
  }
  if (figures.state) {
    console.log(`${stateTable(figures.state)}\n`);
  }
  console.log(`CPU of the gateways, all threads, µs a message: ${gatewayMicros(figures)}\n`);
  console.log(JSON.stringify({ losses, killed, problems: problems.length }));
  problems.slice(0, 5).forEach((problem) => console.log(problem));
}

function save(figures: Figures, folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'factory.json'), JSON.stringify(figures, null, 1));
  writeFileSync(join(folder, 'factory.html'), page(figures));
  console.log(`report: ${join(folder, 'factory.html')}`);
}

runProgram(main);
