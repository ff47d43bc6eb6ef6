import { quantile } from '../table';
import { judge, type Judgement } from './judge';
import type { KeptReading, LoopDelay, PerStream, StageProfile } from './protocol';
import type { PhaseResult } from './run';
import type { ScoresCompared } from './scores';
import type { StateFigures } from './shared-state';
import type { Site, TimedAlert } from './site';

export interface Latency {
  n: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** What a run came to: everything that the table and the page show. */
export interface Figures {
  machines: number;
  gateways: number;
  waveQos: number;
  seed: number;
  cores: string;
  loadBefore: string;
  loadAfter: string;
  warmUpSeconds: number;
  phases: (PhaseResult & { latency: Record<'known' | 'novel' | 'waves' | 'all', Latency> })[];
  profile: StageProfile[];
  judgement: Judgement;
  /** Readings and windows that were judged while machines broke, and the days that all machines ran meanwhile. */
  judged: PerStream;
  machineDays: number;
  wire: Wire;
  losses: Losses;
  reduction: { compared: number; maxErrorPercent: number };
  problems: string[];
  killed?: Killed;
  /** Of several gateways. */
  state?: StateFigures;
  scores?: ScoresCompared;
}

export interface Wire {
  bytesIn: PerStream;
  bytesOut: { reduced: number; telemetryAlerts: number; waveAlerts: number };
  messagesOut: { reduced: number; telemetryAlerts: number; waveAlerts: number };
}

export interface Losses {
  /** Sent by the machines, acknowledged by their broker (at quality of service 1), handled by the flow, refused by it. */
  sent: number;
  acknowledged: number;
  handled: number;
  rejected: number;
  /** Stored by the uplinks, and different messages that reached the cloud. */
  stored: number;
  received: number;
  duplicates: number;
}

export interface Killed {
  /** Seconds from the start of the process until it had caught up with what lay in its session. */
  caughtUpSeconds: number;
  downSeconds: number;
  /** Readings that waited for it when it was back. */
  waiting: number;
}

export function latencyOf(alerts: readonly TimedAlert[]): Latency {
  const sorted = alerts.map(({ at, publishedAt }) => at - publishedAt).sort((a, b) => a - b);
  const [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1].map((share) => quantile(sorted, share));
  return { n: sorted.length, p50, p95, p99, max };
}

/** The alerts whose readings were published in a phase, by who raised them. */
export function withLatency(phase: PhaseResult, all: readonly TimedAlert[]): Figures['phases'][number] {
  const alerts = all.filter(
    ({ phase: of, publishedAt }) =>
      of === 'start' && publishedAt >= phase.beganAt && publishedAt < phase.endedAt,
  );
  const waves = (alert: TimedAlert): boolean => alert.source.endsWith('/vibration');
  return {
    ...phase,
    latency: {
      all: latencyOf(alerts),
      known: latencyOf(alerts.filter(({ kind }) => kind === 'KNOWN_FAILURE')),
      novel: latencyOf(alerts.filter((alert) => alert.kind !== 'KNOWN_FAILURE' && !waves(alert))),
      waves: latencyOf(alerts.filter(waves)),
    },
  };
}

export function lossesOf(site: Site): Losses {
  const { handled, rejected, stored } = site.count;
  return {
    sent: site.sent.telemetry + site.sent.waves,
    acknowledged: site.acknowledged,
    handled: handled.telemetry + handled.waves,
    rejected,
    stored,
    received: site.cloud.received,
    duplicates: site.cloud.duplicates,
  };
}

export function judgementOf(site: Site): Judgement {
  return judge(site.alerts, site.played.values());
}

/**
 * Rebuilds the readings of some machines from the points that the cloud received, and measures how far off they are: a
 * deadband's receiver holds the last value, a swinging door's draws lines.
 *
 * @param spans of the channels by name
 * @returns the largest error in percent of span
 */
export function compareReduced(
  kept: readonly KeptReading[],
  site: Site,
  spans: ReadonlyMap<string, number>,
): Figures['reduction'] {
  const byTopic = new Map<string, KeptReading[]>();
  for (const reading of kept) {
    const list = byTopic.get(reading.topic) ?? [];
    list.push(reading);
    byTopic.set(reading.topic, list);
  }
  let compared = 0;
  let maxErrorPercent = 0;
  for (const [topic, readings] of byTopic) {
    const points = [...(site.cloud.points.get(topic) ?? [])].sort((a, b) => a.ts - b.ts);
    let at = 0;
    for (const { payload } of readings) {
      while (at + 1 < points.length && points[at + 1].ts <= payload.ts) {
        at++;
      }
      const from = points[at];
      const to = from.ts < payload.ts ? points.at(at + 1) : from;
      if (!to) {
        continue;
      }
      const share = to === from ? 0 : (payload.ts - from.ts) / (to.ts - from.ts);
      for (const [channel, span] of spans) {
        const rebuilt = from.payload[channel] + share * (to.payload[channel] - from.payload[channel]);
        maxErrorPercent = Math.max(maxErrorPercent, (100 * Math.abs(rebuilt - payload[channel])) / span);
        compared++;
      }
    }
  }
  return { compared, maxErrorPercent };
}

export function worstLoop(delays: readonly LoopDelay[]): LoopDelay {
  return {
    p50: Math.max(...delays.map(({ p50 }) => p50)),
    p99: Math.max(...delays.map(({ p99 }) => p99)),
    max: Math.max(...delays.map(({ max }) => max)),
  };
}
