import type { Clock, Timer } from '../../../nodes/shared/clock';
import { Figures } from '../../../nodes/shared/figures';
import type { Detection, EdgeMessage } from '../../../nodes/shared/messages';
import { SeededRandom } from '../../../nodes/shared/random';
import type { StateStore, StateWrite } from '../../../nodes/shared/store/state-store';
import { ranking } from '../../../bench/detection/ranking';
import { parseIsoForestConfig } from '../../../nodes/iso-forest/config';
import { ForestRuntime } from '../../../nodes/iso-forest/forest-runtime';
import { RowWindow } from '../../../nodes/iso-forest/forest/row-window';
import { Growers, type Ensemble, type Variant } from '../../../nodes/iso-forest/forest/variant';

/** A clock that stands still until it is moved. */
export class StillClock implements Clock {
  time = 1_700_000_000_000;
  private timers: { at: number; action: () => void }[] = [];

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  after(delayMs: number, action: () => void): Timer {
    const timer = { at: this.time + delayMs, action };
    this.timers.push(timer);
    return { cancel: () => (this.timers = this.timers.filter((entry) => entry !== timer)) };
  }

  advance(ms: number): void {
    this.time += ms;
    for (const timer of this.timers.filter(({ at }) => at <= this.time)) {
      this.timers.splice(this.timers.indexOf(timer), 1);
      timer.action();
    }
  }
}

/** A state store in memory that can be made to fail. */
export class MemoryStore implements StateStore {
  readonly entries = new Map<string, Map<string, Uint8Array>>();
  broken = false;

  origin(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  load(namespace: string): Promise<Map<string, Uint8Array>> {
    return this.broken
      ? Promise.reject(new Error('disk is gone'))
      : Promise.resolve(new Map(this.entries.get(namespace)));
  }

  write(writes: StateWrite[]): Promise<void> {
    if (this.broken) {
      return Promise.reject(new Error('disk is full'));
    }
    for (const { namespace, key, value } of writes) {
      const entries = this.entries.get(namespace) ?? new Map<string, Uint8Array>();
      this.entries.set(namespace, entries);
      if (value) {
        entries.set(key, value);
      } else {
        entries.delete(key);
      }
    }
    return Promise.resolve();
  }

  get size(): number {
    return [...this.entries.values()].reduce((sum, entries) => sum + entries.size, 0);
  }

  setAside(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}

export interface Sent {
  output: number;
  msg: EdgeMessage;
  detection: Detection;
}

/** A node's runtime with everything around it replaced. */
export class Bench {
  readonly clock = new StillClock();
  readonly figures = new Figures();
  readonly logs: string[] = [];
  readonly runtime: ForestRuntime;

  constructor(config: Record<string, unknown>, store?: StateStore) {
    this.runtime = new ForestRuntime({
      id: 'node',
      name: 'forest',
      config: parseIsoForestConfig(config),
      clock: this.clock,
      figures: this.figures,
      log: { info: (text) => this.logs.push(text), warn: (text) => this.logs.push(text) },
      ...(store && { store: Promise.resolve(store) }),
    });
  }

  /** Sends one message and returns what comes out. */
  async send(msg: object): Promise<Sent[]> {
    const sent: Sent[] = [];
    await this.runtime.input({ _msgid: 'id', ...msg }, (output, out) => {
      sent.push({ output, msg: out, detection: out.detection as Detection });
    });
    return sent;
  }

  /** Sends one reading and returns its detection. */
  async detect(payload: unknown, topic = 'machine', more: object = {}): Promise<Detection> {
    return (await this.send({ topic, payload, ...more }))[0].detection;
  }
}

/** Readings of a healthy machine: `width` channels, every second one moving with the load. */
export function machine(width: number, seed: number): () => Record<string, number> {
  const random = new SeededRandom(seed, width);
  let load = 0;
  return () => {
    load = 0.9 * load + 0.4 * random.normal();
    const entries = Array.from({ length: width }, (_, channel) => [
      `c${channel}`,
      10 + (channel % 2) * load + 0.5 * random.normal(),
    ]);
    return Object.fromEntries(entries) as Record<string, number>;
  };
}

export function windowOf(rows: readonly (readonly number[])[], capacity = rows.length): RowWindow {
  const window = new RowWindow(rows[0].length, capacity);
  rows.forEach((row) => window.push(Float32Array.from(row)));
  return window;
}

export interface GrowOptions {
  trees?: number;
  sample?: number;
  seed?: number;
  gaps?: boolean;
  beyond?: boolean;
  variant?: Variant;
}

export function growForest(
  rows: readonly (readonly number[])[],
  {
    trees = 100,
    sample = 256,
    seed = 42,
    gaps = false,
    beyond = false,
    variant = 'standard',
  }: GrowOptions = {},
): Ensemble {
  const window = windowOf(rows);
  const growers = new Growers(variant, sample);
  const forest = growers.forest({ width: window.width, trees, gaps, beyond });
  for (let tree = 1; tree <= trees; tree++) {
    const grower = growers.of(tree, trees);
    grower.grow(window, 0, rows.length, new SeededRandom(seed, tree));
    forest.place(grower);
  }
  return forest;
}

/** Rows of normal deviates. */
export function gaussian(count: number, width: number, seed: number, center = 0): number[][] {
  const random = new SeededRandom(seed, width);
  return Array.from({ length: count }, () =>
    Array.from({ length: width }, () => Math.fround(center + random.normal())),
  );
}

export const scoresOf = (forest: Ensemble, rows: readonly (readonly number[])[]): number[] =>
  rows.map((row) => forest.score(Float32Array.from(row)));

/** The chance that an outlier scores higher than an inlier. */
export function rocAuc(inliers: readonly number[], outliers: readonly number[]): number {
  const anomalous = [...inliers.map(() => 0), ...outliers.map(() => 1)];
  return ranking([...inliers, ...outliers], anomalous).roc;
}
