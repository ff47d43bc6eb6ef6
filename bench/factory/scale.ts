/**
 * How gateways add up: the same flow as fast as it goes with 1, 2 and 4 of them, each with as many machines, on one broker,
 * and four with a broker for each two. Says something only where there are cores for all of them.
 *
 *   npm run bench:factory:scale -- [--machines 750] [--seconds 15] [--rounds 2] [--out <file>]
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { cores, runProgram } from '../program';
import { table } from '../table';
import { drain, runPhase, warmUp } from './run';
import { Site } from './site';

const { values } = parseArgs({
  options: {
    machines: { type: 'string', default: '750' },
    seconds: { type: 'string', default: '15' },
    rounds: { type: 'string', default: '2' },
    warmup: { type: 'string', default: '110' },
    out: { type: 'string' },
  },
});
/** Of each gateway. */
const MACHINES = Number(values.machines);
const SETUPS: readonly Setup[] = [
  { brokers: 1, gateways: 1 },
  { brokers: 1, gateways: 2 },
  { brokers: 1, gateways: 4 },
  { brokers: 2, gateways: 4 },
];
const HEADER = [
  'gateways',
  'brokers',
  'messages/s',
  '× article',
  'of linear',
  'gateways, CPU s/s',
  'brokers, CPU s/s',
  'generators',
  'missing',
];
/** Windows on their way to each gateway. */
const AHEAD = 1500;

/** Each broker has its own machines, and as many of the gateways. */
interface Setup {
  brokers: number;
  gateways: number;
}

interface Run extends Setup {
  perSecond: number;
  timesArticle: number;
  /** Seconds of CPU time a second, all threads. */
  gatewaysCpu: number;
  brokerCpu: number;
  machinesCpu: number;
  /** Sent and not judged, or accepted and not delivered. */
  missing: number;
}

async function measure({ brokers, gateways }: Setup): Promise<Run> {
  const each = gateways / brokers;
  const sites = await Promise.all(
    Array.from({ length: brokers }, (_, index) =>
      Site.start({
        ...{ machines: MACHINES * each, seed: index + 1, waveQos: 1 as const, kept: 0, lockstep: false },
        gateways: each,
      }),
    ),
  );
  await Promise.all(sites.map((site) => warmUp(site, Number(values.warmup))));
  const phase = { name: 'flat out', multiple: 0, seconds: Number(values.seconds), ahead: AHEAD * each };
  const since = Date.now();
  const phases = await Promise.all(sites.map((site) => runPhase(site, phase, { since })));
  await Promise.all(sites.map((site) => drain(site)));
  const missing = sites.map(({ sent, count, cloud }) => {
    const judged = count.handled.telemetry + count.handled.waves + count.rejected;
    return sent.telemetry + sent.waves - judged + (count.stored - cloud.received);
  });
  await Promise.all(sites.map((site) => site.stop()));
  const cpuOf = (concerns: (name: string) => boolean): number =>
    sum(
      phases.flatMap(({ cpu }) =>
        Object.entries(cpu)
          .filter(([name]) => concerns(name))
          .map(([, { all }]) => all),
      ),
    );
  return {
    brokers,
    gateways,
    perSecond: sum(phases.map(({ handled }) => handled.telemetry + handled.waves)),
    timesArticle: sum(phases.map(({ timesArticle }) => timesArticle)),
    gatewaysCpu: cpuOf((name) => name.startsWith('gateway')),
    brokerCpu: cpuOf((name) => name === 'machines’ broker'),
    machinesCpu: cpuOf((name) => name === 'machines'),
    missing: sum(missing),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

async function main(): Promise<void> {
  const runs: Run[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const setup of SETUPS) {
      runs.push(await measure(setup));
    }
  }
  const best = (gateways: number): number =>
    Math.max(...runs.filter((run) => run.gateways === gateways).map(({ perSecond }) => perSecond));
  const load = loadavg()[0].toFixed(1);
  console.log(`${cores()}; load average ${load}; ${MACHINES} machines a gateway, ${values.seconds} s each\n`);
  console.log(
    table(
      HEADER,
      runs.map((run) => [
        String(run.gateways),
        String(run.brokers),
        run.perSecond.toFixed(0),
        run.timesArticle.toFixed(2),
        (run.perSecond / (run.gateways * best(1))).toFixed(2),
        run.gatewaysCpu.toFixed(2),
        run.brokerCpu.toFixed(2),
        run.machinesCpu.toFixed(2),
        String(run.missing),
      ]),
    ),
  );
  if (values.out !== undefined) {
    writeFileSync(values.out, JSON.stringify({ cores: cores(), load, runs }, null, 2));
  }
}

runProgram(main);
