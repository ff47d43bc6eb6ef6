/**
 * How gateways add up: the same flow as fast as it goes with 1, 2 and 4 of them, each with as many machines, all on one
 * broker. Says something only where there are cores for all of them.
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
const GATEWAYS = [1, 2, 4];
const HEADER = [
  'gateways',
  'messages/s',
  '× article',
  'of linear',
  'gateways, CPU s/s',
  'broker',
  'generator',
  'missing',
];
/** Windows on their way to each gateway. */
const AHEAD = 1500;

interface Run {
  gateways: number;
  perSecond: number;
  timesArticle: number;
  /** Seconds of CPU time a second, all threads. */
  gatewaysCpu: number;
  brokerCpu: number;
  machinesCpu: number;
  /** Sent and not judged, or accepted and not delivered. */
  missing: number;
}

async function measure(gateways: number): Promise<Run> {
  const site = await Site.start({
    ...{ machines: MACHINES * gateways, seed: 1, waveQos: 1, kept: 0, lockstep: false, gateways },
  });
  await warmUp(site, Number(values.warmup));
  const phase = { name: 'flat out', multiple: 0, seconds: Number(values.seconds), ahead: AHEAD * gateways };
  const { handled, timesArticle, cpu } = await runPhase(site, phase, { since: Date.now() });
  await drain(site);
  const { sent, count } = site;
  const judged = count.handled.telemetry + count.handled.waves + count.rejected;
  const missing = sent.telemetry + sent.waves - judged + (count.stored - site.cloud.received);
  await site.stop();
  const ofGateways = Object.entries(cpu).filter(([name]) => name.startsWith('gateway'));
  return {
    gateways,
    perSecond: handled.telemetry + handled.waves,
    timesArticle,
    gatewaysCpu: ofGateways.reduce((sum, [, { all }]) => sum + all, 0),
    brokerCpu: cpu['machines’ broker'].all,
    machinesCpu: cpu.machines.all,
    missing,
  };
}

async function main(): Promise<void> {
  const runs: Run[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const gateways of GATEWAYS) {
      runs.push(await measure(gateways));
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
