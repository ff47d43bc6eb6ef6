/** Upper bounds of the latency buckets, in seconds. */
export const BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];

/**
 * A node's counters, gauges and histograms under their contract names. A labelled figure has the label in its
 * key, as Prometheus writes it: `edge_rejected_total{code="RANGE"}`.
 */
export class Figures {
  private readonly counters = new Map<string, { count: number }>();
  private readonly gauges = new Map<string, () => number>();

  add(name: string, by = 1): void {
    const counter = this.counters.get(name);
    if (counter) {
      counter.count += by;
    } else {
      this.counters.set(name, { count: by });
    }
  }

  addLabelled(name: string, label: string, value: string, by = 1): void {
    this.add(labelled(name, label, value), by);
  }

  /** Registers a figure that is read when somebody looks. */
  gauge(name: string, read: () => number): void {
    this.gauges.set(name, read);
  }

  /** Records one duration in a histogram. */
  observe(name: string, seconds: number): void {
    const bound = BUCKETS.find((upper) => seconds <= upper);
    this.add(labelled(`${name}_bucket`, 'le', bound === undefined ? '+Inf' : String(bound)));
    this.add(`${name}_sum`, seconds);
    this.add(`${name}_count`);
  }

  get(name: string): number {
    return this.counters.get(name)?.count ?? this.gauges.get(name)?.() ?? 0;
  }

  snapshot(): Record<string, number> {
    const entries = Array.from(this.counters, ([name, { count }]): [string, number] => [name, count]);
    for (const [name, read] of this.gauges) {
      entries.push([name, read()]);
    }
    return Object.fromEntries(entries);
  }
}

const KEY = /^([a-zA-Z_:][\w:]*?)(?:\{(.*)\})?$/s;

/**
 * Takes a figure's key apart.
 *
 * @returns its name, and its labels as they are written, without braces, empty for none; undefined for what is no key
 */
export function partsOf(key: string): { name: string; labels: string } | undefined {
  const match = KEY.exec(key);
  return match ? { name: match[1], labels: match.at(2) ?? '' } : undefined;
}

/** The upper bound that the labels of a bucket name, in s: Infinity for `+Inf`; undefined for other labels. */
export function boundOf(labels: string): number | undefined {
  const bound = /le="([^"]+)"/.exec(labels)?.at(1);
  return bound === '+Inf' ? Infinity : bound === undefined ? undefined : Number(bound);
}

function labelled(name: string, label: string, value: string): string {
  return `${name}{${label}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"}`;
}
