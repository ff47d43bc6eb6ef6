import type { Clock } from '../../shared/clock';
import { boundOf, BUCKETS, partsOf } from '../../shared/figures';
import {
  SERVICE_LEVELS,
  type LevelState,
  type ServiceLevel,
  type ServiceLimits,
} from '../../shared/service-levels';

/** A node as far as its figures matter here. */
export interface JudgedNode {
  id: string;
  type: string;
  figures: Readonly<Record<string, number>>;
}

/** Inferences of so long count, ms. */
export const LATENCY_WINDOW_MS = 60_000;
const DETECTORS = new Set(['onnx-detect', 'iso-forest']);
const READINGS = 'edge_readings_total';
const BUCKET = 'edge_inference_seconds_bucket';
const SHARE = 0.95;

/** Inferences by the upper bound of their bucket, in s. */
type Counts = Map<number, number>;

/** Judges the figures of a station by its limits; called every few seconds. */
export class LevelJudge {
  private readonly seen: { at: number; counts: Counts }[] = [];
  private readonly detectors = new Map<string, { readings: number; ingested: number; quietFrom?: number }>();

  constructor(private readonly clock: Clock) {}

  look(limits: ServiceLimits, nodes: readonly JudgedNode[]): LevelState[] {
    const values: Record<ServiceLevel, number | null> = {
      latency: this.latency(nodes),
      delivery: deliveryAge(nodes),
      silence: this.silence(nodes),
    };
    return SERVICE_LEVELS.map((level) => {
      const limit = limits[level];
      const value = values[level];
      return { level, limit, value, met: limit > 0 && value !== null ? value <= limit : null };
    });
  }

  /** The 95th percentile of the last inferences, ms. */
  private latency(nodes: readonly JudgedNode[]): number | null {
    const at = this.clock.monotonic();
    const counts = inferences(nodes);
    const newest = this.seen.at(-1);
    if (newest && [...newest.counts].some(([bound, count]) => (counts.get(bound) ?? 0) < count)) {
      // Nodes were deployed anew and count from 0.
      this.seen.length = 0;
    }
    this.seen.push({ at, counts });
    while (this.seen.length > 2 && this.seen[1].at <= at - LATENCY_WINDOW_MS) {
      this.seen.shift();
    }
    const from = this.seen[0].counts;
    const within = [...counts]
      .map(([bound, count]): [number, number] => [bound, count - (from.get(bound) ?? 0)])
      .sort(([one], [other]) => one - other);
    return percentile(within);
  }

  /** How long readings have come in without the quietest detector judging any, s. */
  private silence(nodes: readonly JudgedNode[]): number | null {
    const now = this.clock.monotonic();
    const ingested = nodes
      .filter(({ type }) => type === 'sensor-ingest')
      .reduce((sum, { figures }) => sum + (figures[READINGS] ?? 0), 0);
    const detectors = nodes.filter(({ type }) => DETECTORS.has(type));
    const known = new Set(detectors.map(({ id }) => id));
    for (const id of this.detectors.keys()) {
      if (!known.has(id)) {
        this.detectors.delete(id);
      }
    }
    let longest = 0;
    for (const { id, figures } of detectors) {
      const readings = figures[READINGS] ?? 0;
      const before = this.detectors.get(id);
      if (before?.readings !== readings || ingested < before.ingested) {
        this.detectors.set(id, { readings, ingested });
        continue;
      }
      if (ingested > before.ingested) {
        before.quietFrom ??= now;
        longest = Math.max(longest, (now - before.quietFrom) / 1000);
      }
    }
    return detectors.length === 0 ? null : longest;
  }
}

/** Age of the oldest message that waits in any uplink, s. */
function deliveryAge(nodes: readonly JudgedNode[]): number | null {
  const ages = nodes
    .map(({ figures }) => figures.edge_uplink_oldest_seconds)
    .filter((age) => (age as number | undefined) !== undefined);
  return ages.length === 0 ? null : Math.max(...ages);
}

function inferences(nodes: readonly JudgedNode[]): Counts {
  const counts: Counts = new Map();
  for (const { figures } of nodes) {
    for (const [key, count] of Object.entries(figures)) {
      const parts = partsOf(key);
      const bound = parts?.name === BUCKET ? boundOf(parts.labels) : undefined;
      if (bound !== undefined) {
        counts.set(bound, (counts.get(bound) ?? 0) + count);
      }
    }
  }
  return counts;
}

/** Even within a bucket, as Prometheus reckons; Infinity above the last bound, null without inferences. */
function percentile(counts: readonly [bound: number, count: number][]): number | null {
  const rank = SHARE * counts.reduce((sum, [, count]) => sum + count, 0);
  let below = 0;
  for (const [bound, count] of counts) {
    if (count > 0 && below + count >= rank) {
      const lower = BUCKETS[BUCKETS.indexOf(bound) - 1] ?? 0;
      return 1000 * (Number.isFinite(bound) ? lower + ((rank - below) / count) * (bound - lower) : Infinity);
    }
    below += count;
  }
  return null;
}
