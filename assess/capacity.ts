import type { Outcome } from '../nodes/sensor-ingest/acceptance';
import type { IngestConfig } from '../nodes/sensor-ingest/config';
import { IngestPipeline } from '../nodes/sensor-ingest/pipeline';
import { parseIsoForestConfig } from '../nodes/iso-forest/config';
import { ForestModel } from '../nodes/iso-forest/forest-model';
import { Growers } from '../nodes/iso-forest/forest/variant';
import { SeededRandom } from '../nodes/shared/random';
import { ArrivalClock } from './ingest';
import type { SampleMessage } from './sample';

/** Times of single readings on this machine, in ms. */
export interface Timing {
  meanMs: number;
  p95Ms: number;
  readings: number;
}

/** What a reading costs here. */
export interface Timings {
  /** Decoding, checking and reducing it: `sensor-ingest`. */
  ingest: Timing;
  /** Scoring, learning and growing trees: `iso-forest` with its defaults; undefined without a number to learn from. */
  forest: Timing | undefined;
}

/** Stops a measurement that has gone on for so long, ms. */
const LONGEST_MS = 1500;
const MOST_PASSES = 20;
const FEWEST_READINGS = 2000;
/** Readings until the forest of a source stands on its reference and renews its trees at its lasting pace. */
const SETTLING = 2500;
const MEASURED = 1000;

/**
 * Measures with the sample itself. Synchronous: takes up to some four seconds of one core.
 *
 * @param monotonic ms that never go backwards
 * @param rows readings of one source, in order
 */
export function measureTimings(
  messages: readonly SampleMessage[],
  config: IngestConfig,
  rows: readonly Outcome[],
  monotonic: () => number,
): Timings {
  return { ingest: timeIngest(messages, config, monotonic), forest: timeForest(rows, monotonic) };
}

function timeIngest(
  messages: readonly SampleMessage[],
  config: IngestConfig,
  monotonic: () => number,
): Timing {
  const times = new Times();
  const began = monotonic();
  for (let pass = 0; pass < MOST_PASSES && times.readings < FEWEST_READINGS; pass++) {
    const clock = new ArrivalClock();
    const pipeline = new IngestPipeline(config, clock, new SeededRandom(1));
    if (pass === 1) {
      // The first pass also warmed the compiler up.
      times.clear();
    }
    for (const { topic, payload, at } of messages) {
      clock.arrival = Math.max(clock.arrival, at);
      const from = monotonic();
      let readings = 1;
      try {
        ({ readings } = pipeline.accept({ topic, payload }));
      } catch {
        // A refused message costs time as well.
      }
      times.add(monotonic() - from, readings);
      if (monotonic() - began > LONGEST_MS) {
        return times.timing();
      }
    }
  }
  return times.timing();
}

function timeForest(rows: readonly Outcome[], monotonic: () => number): Timing | undefined {
  if (rows.length === 0) {
    return undefined;
  }
  const channels = Object.keys(rows[0].payload);
  const { model: options } = parseIsoForestConfig({ missing: 'nan' });
  const model = new ForestModel('assessment', channels, channels.length, options, {
    growers: new Growers(options.variant, options.sample),
    monotonic,
    grown: () => undefined,
  });
  const values = rows.map(({ payload }) => Float32Array.from(channels, (channel) => payload[channel] ?? NaN));
  const random = new SeededRandom(1);
  const times = new Times();
  const began = monotonic();
  for (let n = 0; n < SETTLING + MEASURED; n++) {
    // A short sample is gone through again and again; not quite the same, or the trees would be unlike those of a machine.
    const row = values[n % values.length].map((value) => value * (1 + 1e-3 * random.normal()));
    const from = monotonic();
    model.take(row, model.score(row));
    while (model.growNext());
    if (n >= SETTLING || monotonic() - began > LONGEST_MS) {
      times.add(monotonic() - from, 1);
    }
    if (monotonic() - began > 2 * LONGEST_MS) {
      break;
    }
  }
  return times.timing();
}

class Times {
  readings = 0;
  private sum = 0;
  private single: number[] = [];

  /** @param readings that one message gave */
  add(ms: number, readings: number): void {
    this.sum += ms;
    this.readings += readings;
    this.single.push(ms);
  }

  clear(): void {
    this.sum = this.readings = 0;
    this.single = [];
  }

  timing(): Timing {
    const sorted = this.single.sort((one, other) => one - other);
    const p95Ms = sorted.length === 0 ? 0 : sorted[Math.ceil(0.95 * sorted.length) - 1];
    return { meanMs: this.readings === 0 ? 0 : this.sum / this.readings, p95Ms, readings: this.readings };
  }
}

/** KB a source as measured in `bench/README.md` (forest, 3,000 sources of 8 channels): rows, trees and what surrounds them. */
export const SOURCE_BYTES = 321 * 1024;
/** What Node-RED with the suite takes before any source: `bench/README.md`, memory. */
export const BASE_BYTES = 180e6;
/** The share of one core that may be used: Node-RED's flows run on one, and other nodes want some of it. */
export const FREE_CORE = 0.5;
/** The share of the machine's memory that may be used. */
export const FREE_MEMORY = 0.5;

/** Whether the machine carries the load. */
export interface Capacity {
  readingsPerSecond: number;
  sources: number;
  /** Of one core, by `sensor-ingest` and `iso-forest`; a model in `onnx-detect` runs in a thread of its own. */
  load: number;
  memoryBytes: number;
  machineMemoryBytes: number;
  carries: boolean;
  /** Sources of this kind that would fit, by core and by memory, whichever is less. */
  mostSources: number;
}

/** @param perSource readings a second of one source */
export function capacityOf(
  { ingest, forest }: Timings,
  perSource: number,
  sources: number,
  machineMemoryBytes: number,
): Capacity {
  const secondsPerReading = (ingest.meanMs + (forest?.meanMs ?? 0)) / 1000;
  const load = perSource * sources * secondsPerReading;
  const memoryBytes = BASE_BYTES + sources * SOURCE_BYTES;
  const byMemory = (FREE_MEMORY * machineMemoryBytes - BASE_BYTES) / SOURCE_BYTES;
  const byCore = perSource * secondsPerReading > 0 ? FREE_CORE / (perSource * secondsPerReading) : Infinity;
  return {
    readingsPerSecond: perSource * sources,
    ...{ sources, load, memoryBytes, machineMemoryBytes },
    carries: load <= FREE_CORE && memoryBytes <= FREE_MEMORY * machineMemoryBytes,
    mostSources: Math.max(0, Math.floor(Math.min(byCore, byMemory))),
  };
}
