/**
 * The predictive-maintenance template in a real Node-RED for as long as asked, with faults on a seeded schedule. Everything
 * that the uplink accepts must arrive or be accounted for, and nothing may grow. bench/README.md says what is measured.
 *
 *   npm run test:soak -- [--minutes 10] [--machines 300] [--seed 1] [--out <file>]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isProblem } from '../support/runtime';
import { faultsOf } from './oracle';
import { scheduleOf, type PlannedFault } from './schedule';
import { BALLAST, SoakSite } from './site';
import { descriptorsOf, folderMegabytes, judgeTrends, megabytesOf, metric, type Sample } from './watch';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    machines: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const MINUTES = Number(values.minutes);
const SEED = Number(values.seed);
const SAMPLE_MS = 10_000;
/** For everything to be delivered once the machines rest. */
const DRAIN_MS = 120_000;

async function main(): Promise<void> {
  const machines = Number(values.machines);
  const site = await SoakSite.start({ machines, seed: SEED });
  try {
    process.exitCode = (await run(site, machines)) ? 0 : 1;
  } finally {
    await site.stop();
  }
}

/** @returns whether nothing was lost and nothing grew */
async function run(site: SoakSite, machines: number): Promise<boolean> {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  const planned = scheduleOf(MINUTES, SEED).filter(({ kind }) => kind !== 'clock jump' || site.hasClock);
  const samples: Sample[] = [];
  const loads: number[] = [];
  const running = { machines: true, sampling: true };
  const sampler = sampleEvery(site, seconds, running, samples, loads);
  const publisher = publish(site, seconds, running);
  await suffer(site, planned, seconds);
  await wait(Math.max(0, MINUTES * 60_000 - seconds() * 1000));
  running.machines = false;
  const published = await publisher;
  const drained = await drain(site);
  running.sampling = false;
  await sampler;
  await site.station.shutDown();
  const account = site.oracle.account(site.outbox);
  const trends = judgeTrends(samples);
  const faults = [...faultsOf(account), ...(drained ? [] : ['the outbox was not empty in time'])];
  const grown = trends.filter(({ verdict }) => verdict === 'fail').map(({ what }) => `${what} grows`);
  const problems = new Map<string, number>();
  for (const { msg } of site.station.logs.filter(isProblem)) {
    const text = String(msg).replace(/\d+/g, '#').slice(0, 160);
    problems.set(text, (problems.get(text) ?? 0) + 1);
  }
  const report = {
    at: new Date().toISOString(),
    minutes: MINUTES,
    machines,
    seed: SEED,
    node: process.version,
    cores: cpus().length,
    load: { median: [...loads].sort((a, b) => a - b).at(loads.length >> 1), worst: Math.max(...loads) },
    clockJumps: site.hasClock ? 'libfaketime' : 'left to the simulator: libfaketime is not installed',
    pass: faults.length + grown.length === 0,
    faults: [...faults, ...grown],
    published,
    account,
    trends,
    suffered: planned,
    problems: Object.fromEntries(problems),
    samples,
  };
  const text = `${JSON.stringify(report, null, 1)}\n`;
  if (values.out !== undefined) {
    mkdirSync(dirname(values.out), { recursive: true });
    writeFileSync(values.out, text);
  }
  say(JSON.stringify({ ...report, samples: samples.length }, null, 1));
  return report.pass;
}

/** A second of every machine each second; what a dead broker delayed follows as fast as it goes. */
async function publish(
  site: SoakSite,
  seconds: () => number,
  running: { machines: boolean },
): Promise<number> {
  const { factory } = site;
  let published = 0;
  for (let second = 0; running.machines; second++) {
    await wait(Math.max(0, (second - seconds()) * 1000));
    await factory.publishSeconds(1);
    published += factory.telemetry.length;
    // Kept for those who compare it.
    factory.telemetry.length = 0;
  }
  return published;
}

async function suffer(site: SoakSite, planned: PlannedFault[], seconds: () => number): Promise<void> {
  for (const { kind, at, seconds: length } of planned) {
    await wait(Math.max(0, (at - seconds()) * 1000));
    say(`${seconds().toFixed(0)} s: ${kind} for ${length} s`);
    await site.suffer(kind, length);
  }
}

/** Waits until the outbox is empty and stays so; tells whether it did. */
async function drain(site: SoakSite): Promise<boolean> {
  for (let left = DRAIN_MS, empty = 0; left > 0; left -= 1000) {
    await wait(1000);
    empty = metric(await metricsOf(site), 'edge_uplink_queue_messages') === 0 ? empty + 1 : 0;
    if (empty >= 5) {
      return true;
    }
  }
  return false;
}

async function sampleEvery(
  site: SoakSite,
  seconds: () => number,
  running: { sampling: boolean },
  samples: Sample[],
  loads: number[],
): Promise<void> {
  for (let next = 0; running.sampling; next += SAMPLE_MS) {
    await wait(Math.max(0, Math.min(SAMPLE_MS, next - seconds() * 1000)));
    loads.push(loadavg()[0]);
    const life = site.life;
    // While the gateway is dead there is nothing to be told.
    const metrics = await metricsOf(site).catch(() => undefined);
    if (metrics === undefined) {
      continue;
    }
    const { pids } = site;
    samples.push({
      at: seconds(),
      life,
      megabytes: megabytesOf(pids),
      descriptors: descriptorsOf(pids),
      handles: await handlesOf(site),
      dataMegabytes: await folderMegabytes(site.folder, BALLAST),
      queue: metric(metrics, 'edge_uplink_queue_messages'),
      oldestSeconds: metric(metrics, 'edge_uplink_oldest_seconds'),
      received: site.oracle.arrivals,
    });
  }
}

async function metricsOf({ station }: SoakSite): Promise<string> {
  const response = await fetch(`${station.url}/edge/metrics`, { signal: AbortSignal.timeout(5000) });
  return response.text();
}

/** 0 when it does not answer. */
async function handlesOf({ station }: SoakSite): Promise<number> {
  const answered = new Promise<number>((resolve) => {
    const hear = (id: string, { payload }: { payload: unknown }): void => {
      if (id === 'handles') {
        station.off('sink', hear);
        resolve(payload as number);
      }
    };
    station.on('sink', hear);
    setTimeout(() => {
      station.off('sink', hear);
      resolve(0);
    }, 2000);
  });
  station.order('handles');
  return answered;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  say(String(error));
  process.exit(1);
});
