import {
  ARTICLE_WINDOWS_PER_SECOND,
  STREAMS,
  type LoopDelay,
  type PerStream,
  type StageProfile,
} from './protocol';
import type { Site, Usage } from './site';

export interface Phase {
  name: string;
  /** Of the article's rate for each machine; 0 = as fast as it goes. */
  multiple: number;
  seconds: number;
  /** Seconds before it is measured, in which the flow comes to rest at its pace. */
  runIn?: number;
  /** `waves: false` = telemetry alone. */
  streams?: { waves: false };
  /** Windows that may be on their way as fast as it goes. */
  ahead?: number;
}

/** One second of a run. */
export interface Sample {
  /** Seconds since the measured part began. */
  at: number;
  phase: string;
  wavesPerSecond: number;
  telemetryPerSecond: number;
  backlog: PerStream;
  /** Messages in the outboxes. */
  queued: number;
  /** Seconds of CPU time a second. */
  cpu: Record<string, number>;
  megabytes: Record<string, number>;
}

export interface PhaseResult extends Phase {
  beganAt: number;
  endedAt: number;
  offered: PerStream;
  /** Handled a second. */
  handled: PerStream;
  megabytesPerSecond: number;
  /** Of the article's 5 TB a day. */
  timesArticle: number;
  loop: LoopDelay[];
  cpu: Record<string, { all: number; mainThread: number }>;
  behindMs: number;
  samples: Sample[];
}

/** Orders travel as JSON, which has no infinity. */
const ENDLESS = Number.MAX_SAFE_INTEGER;
const WINDOW_BYTES = 4096;
const QUIET_MS = 5000;
/** Sensors of the article. */
const ARTICLE_SENSORS = 3000;
/** What may be on its way at most, in seconds of the load: longer stalls cut the load instead of filling the memory. */
const AHEAD_SECONDS = 1;
const AHEAD_FLAT_OUT = 1500;

/** Messages a second at a multiple of the article's rate; each machine takes a reading a second at 1. */
export function ratesAt(machines: number, multiple: number): PerStream {
  return {
    telemetry: machines * multiple,
    waves: (machines / ARTICLE_SENSORS) * ARTICLE_WINDOWS_PER_SECOND * multiple,
  };
}

/** So many readings and windows of every machine, as fast as they go: the forests learn what is normal. */
export async function warmUp(site: Site, rounds: number): Promise<number> {
  const began = performance.now();
  const total = rounds * site.options.machines;
  site.limit({ rates: { telemetry: AHEAD_FLAT_OUT, waves: AHEAD_FLAT_OUT }, seconds: 1 });
  site.order({ kind: 'send', rates: { telemetry: 0, waves: 0 }, until: { telemetry: total, waves: total } });
  await site.until(() => isDone(site, total), 'the warm-up', 600_000);
  return (performance.now() - began) / 1000;
}

function isDone(site: Site, total: number): boolean {
  const { handled, rejected } = site.count;
  return handled.telemetry + handled.waves + rejected >= 2 * total;
}

/** Drives the factory through one phase, second by second. */
export async function runPhase(
  site: Site,
  phase: Phase,
  { since, during }: { since: number; during?: (second: number) => Promise<void> },
): Promise<PhaseResult> {
  const { machines } = site.options;
  const flatOut = phase.multiple === 0;
  const offered = ratesAt(machines, flatOut ? 1 : phase.multiple);
  site.limit({
    rates: phase.streams ? { ...offered, waves: 0 } : offered,
    seconds: flatOut ? (phase.ahead ?? AHEAD_FLAT_OUT) / offered.waves : AHEAD_SECONDS,
  });
  site.order({
    kind: 'send',
    rates: flatOut ? { telemetry: 0, waves: 0 } : offered,
    until: { telemetry: ENDLESS, waves: phase.streams ? 0 : ENDLESS },
  });
  await new Promise((resolve) => setTimeout(resolve, 1000 * (phase.runIn ?? 0)));
  site.beginLoopDelay();
  site.behindMs = 0;
  const beganAt = Date.now();
  const before = { count: site.count, usage: site.usage(), at: performance.now() };
  const samples: Sample[] = [];
  let last = before;
  const pending: Promise<void>[] = [];
  for (let second = 1; second <= phase.seconds; second++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (during) {
      pending.push(during(second));
    }
    const next = { count: site.count, usage: site.usage(), at: performance.now() };
    samples.push(sampleOf(site, phase.name, since, last, next));
    last = next;
  }
  const endedAt = Date.now();
  await Promise.all(pending);
  const elapsed = (last.at - before.at) / 1000;
  const handled = {
    telemetry: (last.count.handled.telemetry - before.count.handled.telemetry) / elapsed,
    waves: (last.count.handled.waves - before.count.handled.waves) / elapsed,
  };
  const whole = ratesAt(ARTICLE_SENSORS, 1);
  return {
    ...phase,
    ...{ beganAt, endedAt, offered, handled, samples },
    megabytesPerSecond: (handled.waves * WINDOW_BYTES) / 1e6,
    timesArticle: Math.min(...STREAMS.map((stream) => handled[stream] / whole[stream])),
    loop: await site.ask({ probe: 'end' }),
    cpu: Object.fromEntries(
      Object.keys(last.usage).map((name) => [
        name,
        {
          all: share(before.usage, last.usage, name, 'cpu', elapsed),
          mainThread: share(before.usage, last.usage, name, 'mainThread', elapsed),
        },
      ]),
    ),
    behindMs: site.behindMs,
  };
}

/** Stops the machines, and waits until everything that was sent is handled and delivered. */
export async function drain(site: Site): Promise<void> {
  site.order({ kind: 'send', rates: { telemetry: 1, waves: 1 }, until: { telemetry: 0, waves: 0 } });
  await new Promise((resolve) => setTimeout(resolve, 100));
  // What a killed gateway had done since its last word is in no count.
  await settled(site, () => {
    const { handled, rejected } = site.count;
    return handled.telemetry + handled.waves + rejected >= site.sent.telemetry + site.sent.waves;
  });
  await site.until(() => {
    const { stored, queued } = site.count;
    return queued === 0 && site.cloud.received >= stored;
  }, 'everything to be delivered');
}

/** Waits until everything is done, or nothing more has been done for a while. */
export async function settled(site: Site, done: () => boolean): Promise<void> {
  let last = -1;
  let since = performance.now();
  await site.until(() => {
    const { handled } = site.count;
    const total = handled.telemetry + handled.waves;
    if (total !== last) {
      last = total;
      since = performance.now();
    }
    return done() || performance.now() - since > QUIET_MS;
  }, 'everything to be handled');
}

export async function profileStages(site: Site, seconds: number): Promise<StageProfile[]> {
  return site.ask({ probe: 'profile', ms: seconds * 1000 });
}

interface Moment {
  count: Site['count'];
  usage: Usage;
  at: number;
}

function sampleOf(site: Site, phase: string, since: number, from: Moment, to: Moment): Sample {
  const elapsed = (to.at - from.at) / 1000;
  const { handled, queued } = to.count;
  const names = Object.keys(to.usage);
  return {
    at: (Date.now() - since) / 1000,
    phase,
    wavesPerSecond: (handled.waves - from.count.handled.waves) / elapsed,
    telemetryPerSecond: (handled.telemetry - from.count.handled.telemetry) / elapsed,
    backlog: {
      telemetry: site.sent.telemetry - handled.telemetry,
      waves: site.sent.waves - handled.waves,
    },
    queued,
    cpu: Object.fromEntries(names.map((name) => [name, share(from.usage, to.usage, name, 'cpu', elapsed)])),
    megabytes: Object.fromEntries(names.map((name) => [name, to.usage[name].megabytes])),
  };
}

function share(from: Usage, to: Usage, name: string, what: 'cpu' | 'mainThread', elapsed: number): number {
  return (to[name][what] - from[name][what]) / elapsed;
}
