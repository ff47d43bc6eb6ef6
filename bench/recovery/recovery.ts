/**
 * `npm run bench:recovery`: 1,000 gateways' uplinks come back to one region after an outage. The clock, the region and
 * the disks are simulated; backoff, breaker and delivery are the product's own code.
 *
 *     --gateways 1000 --outage 600 --backlog 1000 --connects 100 --messages 20000
 */
import { parseArgs } from 'node:util';
import { Delivery } from '../../nodes/resilient-uplink/delivery';
import { SeededRandom, type Random } from '../../nodes/shared/random';
import { runProgram } from '../program';
import { table } from '../table';
import { SimulatedOutbox } from './simulated-outbox';
import { SimulatedLink, SimulatedRegion } from './simulated-region';
import { SteppedTime } from './stepped-time';

interface Scenario {
  name: string;
  random: (gateway: number) => Random;
  replayRate: number;
}

interface Outcome {
  /** Attempts to connect in the busiest second of the outage's second half, and after the return. */
  peakDuring: number;
  peakAfter: number;
  refused: number;
  /** Seconds after the return until 99 % and all were connected. */
  most: number;
  all: number;
  /** Messages a second in the busiest second. */
  peakMessages: number;
  mostWaiting: number;
  /** Seconds after the return until every backlog was empty; NaN when some were not. */
  drained: number;
}

const { values } = parseArgs({
  options: {
    gateways: { type: 'string', default: '1000' },
    outage: { type: 'string', default: '600' },
    backlog: { type: 'string', default: '1000' },
    connects: { type: 'string', default: '100' },
    messages: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
  },
});
const gateways = Number(values.gateways);
const outage = Number(values.outage);
const backlog = Number(values.backlog);
const GIVE_UP_S = 3600;

/** What the same exponential backoff does without jitter: everybody counts from the same moment. */
const IN_STEP: Random = { next: () => 0.999999, int: (bound) => bound - 1 };

const SCENARIOS: Scenario[] = [
  {
    name: 'full jitter, as shipped',
    random: (gateway) => new SeededRandom(Number(values.seed), gateway),
    replayRate: 0,
  },
  {
    name: 'the same, replayRate 5',
    random: (gateway) => new SeededRandom(Number(values.seed), gateway),
    replayRate: 5,
  },
  { name: 'the same backoff without jitter', random: () => IN_STEP, replayRate: 0 },
];

async function run({ random, replayRate }: Scenario): Promise<Outcome> {
  const time = new SteppedTime();
  const region = new SimulatedRegion(time, {
    connectsPerSecond: Number(values.connects),
    messagesPerSecond: Number(values.messages),
  });
  region.goDown();
  const outboxes = Array.from({ length: gateways }, (_, gateway) => {
    const outbox = new SimulatedOutbox(`gateway-${gateway}`, backlog, () => time.monotonic());
    const delivery = new Delivery(
      [new SimulatedLink(`gateway-${gateway}`, region, time)],
      outbox,
      {
        ...{ retry: { minMs: 500, maxMs: 60_000 }, ackTimeoutMs: 10_000 },
        ...{ healthIntervalMs: 5000, failbackMs: 30_000, replayRate },
      },
      time,
      random(gateway),
      {
        delivered: () => undefined,
        rejected: fail,
        corrupt: fail,
        storeFailed: fail,
        connectionFailed: () => undefined,
        changed: () => undefined,
      },
    );
    delivery.start();
    return outbox;
  });
  await time.runUntil(outage * 1000);
  region.up = true;
  let most = NaN;
  let all = NaN;
  let drained = NaN;
  for (let second = outage + 1; second <= outage + GIVE_UP_S && Number.isNaN(drained); second++) {
    await time.runUntil(second * 1000);
    const passed = second - outage;
    if (Number.isNaN(most) && region.connected >= 0.99 * gateways) {
      most = passed;
    }
    if (Number.isNaN(all) && region.connected >= gateways) {
      all = passed;
    }
    if (outboxes.every(({ usage }) => usage.messages === 0)) {
      drained = passed;
    }
  }
  return {
    peakDuring: peak(region.attempts.slice(outage / 2, outage)),
    peakAfter: peak(region.attempts.slice(outage)),
    refused: sum(region.refused.slice(outage)),
    ...{ most, all, drained, mostWaiting: region.mostWaiting },
    peakMessages: peak(region.arrived),
  };
}

function fail(): never {
  throw new Error('Nothing may be refused or damaged here.');
}

function peak(seconds: readonly (number | undefined)[]): number {
  return seconds.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
}

function sum(seconds: readonly (number | undefined)[]): number {
  return seconds.reduce<number>((total, value) => total + (value ?? 0), 0);
}

async function main(): Promise<void> {
  const rows: string[][] = [];
  for (const scenario of SCENARIOS) {
    const outcome = await run(scenario);
    rows.push([
      scenario.name,
      String(outcome.peakDuring),
      String(outcome.peakAfter),
      String(outcome.refused),
      `${outcome.most} / ${outcome.all} s`,
      String(outcome.peakMessages),
      String(outcome.mostWaiting),
      `${outcome.drained} s`,
    ]);
  }
  console.log(
    `${gateways} gateways, ${backlog} messages each, region down for ${outage} s; it takes ${values.connects} connections and ${values.messages} messages a second\n`,
  );
  console.log(
    table(
      [
        ...['retry', 'attempts/s while down, peak', 'after, peak', 'refused after', '99 % / all connected'],
        ...['messages/s, peak', 'most waiting', 'drained'],
      ],
      rows,
    ),
  );
  const ideal = Math.ceil((gateways * backlog) / Number(values.messages));
  console.log(`\nAt the region's own rate the backlog takes ${ideal} s.`);
}

runProgram(main);
