import { partsOf } from '../../nodes/shared/figures';
import type { Snapshot } from '../snapshot';

type Node = Snapshot['nodes'][number];

/** Points of a sparkline. */
export const KEPT = 60;

/** What the sidebar makes of the snapshots of one node over time. */
export class NodeHistory {
  private latest: { ts: number; sums: Map<string, number> } | undefined;
  private readonly series = new Map<string, number[]>();

  add(ts: number, { figures }: Node): void {
    const before = this.latest;
    const sums = sumsOf(figures);
    this.latest = { ts, sums };
    if (!before || ts <= before.ts) {
      return;
    }
    const seconds = (ts - before.ts) / 1000;
    for (const [name, sum] of sums) {
      // A counter that fell belongs to a node that was deployed anew.
      const value = isCounter(name) ? Math.max(0, sum - (before.sums.get(name) ?? 0)) / seconds : sum;
      const points = this.series.get(name) ?? [];
      points.push(value);
      this.series.set(name, points.slice(-KEPT));
    }
  }

  /** Of a counter so many a second, of anything else what it was, oldest first; all labels together. */
  points(name: string): readonly number[] {
    return this.series.get(name) ?? [];
  }

  /** The last point; of a counter the mean of the last few seconds. */
  now(name: string): number {
    const points = this.points(name).slice(isCounter(name) ? -5 : -1);
    return points.length === 0 ? 0 : points.reduce((sum, value) => sum + value, 0) / points.length;
  }

  /** A figure as it stands, all labels together. */
  total(name: string): number {
    return this.latest?.sums.get(name) ?? 0;
  }
}

function isCounter(name: string): boolean {
  return /_(total|count|sum|bucket)$/.test(name);
}

/** Figures by name, all labels together. */
function sumsOf(figures: Record<string, number>): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [key, value] of Object.entries(figures)) {
    const name = partsOf(key)?.name ?? key;
    sums.set(name, (sums.get(name) ?? 0) + value);
  }
  return sums;
}

const GB = 1e9;
const MONTH_S = 30 * 86_400;

/** What a rate in bytes a second costs a month, at a price per GB (10^9 bytes). */
export function monthlyCost(bytesPerSecond: number, pricePerGb: number): number {
  return (bytesPerSecond * MONTH_S * pricePerGb) / GB;
}
