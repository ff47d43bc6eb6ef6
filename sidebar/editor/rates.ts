import type { Snapshot } from '../snapshot';

type Node = Snapshot['nodes'][number];

/** Points of a sparkline. */
export const KEPT = 60;

/** What the sidebar makes of the snapshots of one node over time. */
export class NodeHistory {
  private before: { ts: number; figures: Record<string, number> } | undefined;
  private readonly series = new Map<string, number[]>();
  private latest: Record<string, number> = {};

  add(ts: number, { figures }: Node): void {
    this.latest = figures;
    const { before } = this;
    this.before = { ts, figures };
    if (!before || ts <= before.ts) {
      return;
    }
    const seconds = (ts - before.ts) / 1000;
    const names = new Set(Object.keys(figures).map(family));
    for (const name of names) {
      const total = sumOf(figures, name);
      // A counter that fell belongs to a node that was deployed anew.
      const value = isCounter(name) ? Math.max(0, total - sumOf(before.figures, name)) / seconds : total;
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
    return sumOf(this.latest, name);
  }
}

function family(key: string): string {
  const brace = key.indexOf('{');
  return brace < 0 ? key : key.slice(0, brace);
}

function isCounter(name: string): boolean {
  return /_(total|count|sum|bucket)$/.test(name);
}

function sumOf(figures: Record<string, number>, name: string): number {
  let sum = 0;
  for (const [key, value] of Object.entries(figures)) {
    if (family(key) === name) {
      sum += value;
    }
  }
  return sum;
}

const GB = 1e9;
const MONTH_S = 30 * 86_400;

/** What a rate in bytes a second costs a month, at a price per GB (10^9 bytes). */
export function monthlyCost(bytesPerSecond: number, pricePerGb: number): number {
  return (bytesPerSecond * MONTH_S * pricePerGb) / GB;
}
