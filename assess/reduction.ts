import type { Outcome } from '../nodes/sensor-ingest/acceptance';
import type { IngestConfig } from '../nodes/sensor-ingest/config';
import { IngestPipeline } from '../nodes/sensor-ingest/pipeline';
import { percentTolerance, type Tolerance } from '../nodes/sensor-ingest/reduce/tolerance';
import { toEdgeError } from '../nodes/shared/errors';
import { SeededRandom } from '../nodes/shared/random';
import { ArrivalClock } from './ingest';
import type { SampleMessage } from './sample';

export const KINDS = ['deadband', 'swinging-door'] as const;
/** Tolerances in percent of the observed span of a channel. */
export const TOLERANCES = [0.5, 1, 2, 5] as const;
export const HEARTBEAT_MS = 600_000;

/** What one setting of the reduction keeps. Bytes are those of the readings as JSON. */
export interface SettingResult {
  kind: (typeof KINDS)[number];
  /** Percent of span. */
  tolerance: number;
  pointsIn: number;
  pointsOut: number;
  bytesIn: number;
  bytesOut: number;
  /** The largest error of any reading that was left out, in percent of span, as measured. */
  maxError: number;
}

export interface Refusal {
  code: string;
  message: string;
  count: number;
}

/** A channel with the lowest and the highest value in the sample, of all sources together. */
export interface ChannelSpan {
  name: string;
  min: number;
  max: number;
}

/** What an ingest makes of the messages. */
export interface Decoded {
  readings: number;
  /** Names of the sources, the one with the most readings first. */
  sources: { name: string; readings: number }[];
  channels: ChannelSpan[];
  /** Channels of one reading, on average. */
  channelsPerReading: number;
  /** Why messages were refused, the most frequent first. */
  refusals: Refusal[];
  /** The first readings of the source with the most, in order: what a forest of it would learn from. */
  rows: Outcome[];
}

const MOST_ROWS = 2000;
const MOST_REASONS = 10;

/** Takes messages through the product's own pipeline, without reduction. */
export function decodeAll(messages: readonly SampleMessage[], config: IngestConfig): Decoded {
  const spans = new Map<string, ChannelSpan>();
  const sources = new Map<string, { readings: number; rows: Outcome[] }>();
  const refusals = new Map<string, Refusal>();
  let readings = 0;
  let values = 0;
  const refuse = (thrown: unknown): void => {
    const { code, message } = toEdgeError(thrown);
    const known = refusals.get(code) ?? { code, message, count: 0 };
    known.count++;
    refusals.set(code, known);
  };
  runThrough(messages, config, refuse, (outcomes) => {
    for (const outcome of outcomes) {
      const { payload, reading } = outcome;
      readings++;
      const source = sources.get(reading.source) ?? { readings: 0, rows: [] };
      sources.set(reading.source, source);
      source.readings++;
      if (source.rows.length < MOST_ROWS) {
        source.rows.push(outcome);
      }
      for (const [name, value] of Object.entries(payload)) {
        values++;
        const span = spans.get(name) ?? { name, min: Infinity, max: -Infinity };
        spans.set(name, span);
        span.min = Math.min(span.min, value);
        span.max = Math.max(span.max, value);
      }
    }
  });
  const listed = [...sources].sort(([, one], [, other]) => other.readings - one.readings);
  return {
    readings,
    sources: listed.map(([name, source]) => ({ name, readings: source.readings })),
    channels: [...spans.values()],
    channelsPerReading: readings === 0 ? 0 : values / readings,
    refusals: [...refusals.values()].sort((a, b) => b.count - a.count).slice(0, MOST_REASONS),
    rows: listed.length === 0 ? [] : listed[0][1].rows,
  };
}

/**
 * What each setting would keep of the messages, by the product's own pipeline and reducers. The span of a channel is the
 * one observed in the sample, not that of its instrument, which is wider: real savings at the same percentage are larger.
 */
export function compareSettings(
  messages: readonly SampleMessage[],
  config: IngestConfig,
  channels: readonly ChannelSpan[],
): SettingResult[] {
  return KINDS.flatMap((kind) =>
    TOLERANCES.map((limit) => reduceBy(messages, config, channels, kind, limit)),
  );
}

function reduceBy(
  messages: readonly SampleMessage[],
  config: IngestConfig,
  channels: readonly ChannelSpan[],
  kind: SettingResult['kind'],
  limit: number,
): SettingResult {
  const reduce = { kind, tolerance: ofObservedSpan(limit, channels), heartbeatMs: HEARTBEAT_MS };
  const pipeline = runThrough(messages, { ...config, reduce });
  const result: SettingResult = {
    ...{ kind, tolerance: limit, pointsIn: 0, pointsOut: 0, bytesIn: 0, bytesOut: 0, maxError: 0 },
  };
  for (const state of pipeline.sources.values()) {
    pipeline.release(state);
    result.pointsIn += state.pointsIn;
    result.pointsOut += state.pointsOut;
    result.bytesIn += state.bytesIn;
    result.bytesOut += state.bytesOut;
    result.maxError = Math.max(result.maxError, state.reducer?.maxError ?? 0);
  }
  return result;
}

/** A tolerance in percent of the spans that were observed. */
export function ofObservedSpan(limit: number, channels: readonly ChannelSpan[]): Tolerance {
  const specs = channels.map(({ name, min, max }) => ({
    ...{ name, min, max, scale: 1, offset: 0, unit: '' },
    path: { text: name, parts: [name] },
  }));
  return percentTolerance(limit, specs, []);
}

/** A fresh pipeline takes the messages in, each at the time at which it arrived. */
export function runThrough(
  messages: readonly SampleMessage[],
  config: IngestConfig,
  refused: (thrown: unknown) => void = () => undefined,
  taken: (outcomes: readonly Outcome[]) => void = () => undefined,
): IngestPipeline {
  const clock = new ArrivalClock();
  const pipeline = new IngestPipeline(config, clock, new SeededRandom(1));
  for (const { topic, payload, at } of messages) {
    clock.arrival = Math.max(clock.arrival, at);
    try {
      const acceptance = pipeline.accept({ topic, payload });
      taken(acceptance.outcomes);
      if (acceptance.refused) {
        refused(acceptance.refused);
      }
    } catch (thrown) {
      refused(thrown);
    }
  }
  return pipeline;
}
