import { EdgeError } from '../nodes/shared/errors';
import { completeAssumptions, valuesOf, type Assumption, type AssumptionName } from './assumptions';
import { capacityOf, measureTimings, type Capacity, type Timings } from './capacity';
import { ingestConfig } from './ingest';
import { moneyOf, type Flow, type Money } from './money';
import { personalFields, type PersonalField } from './privacy';
import { channelShares, type ChannelShare } from './channel-shares';
import { compareSettings, decodeAll, TOLERANCES, type Decoded, type SettingResult } from './reduction';
import type { Sample } from './sample';
import type { Traffic } from './traffic';

/** What the machine is that measured. */
export interface Machine {
  processor: string;
  cores: number;
  memoryBytes: number;
}

export interface AssessmentRequest {
  sample: Sample;
  /** Properties of the `sensor-ingest` that reads the messages; those that are missing have their defaults. */
  ingest: object;
  given: Readonly<Partial<Record<AssumptionName, unknown>>>;
  /** Where the sample came from, in words. */
  origin: string;
  /** Messages that came and are not in the sample at all. */
  uncounted?: number;
  machine: Machine;
  /** Ms since the epoch. */
  now: number;
  /** Ms that never go backwards. */
  monotonic: () => number;
}

/** When an alert would be there, ms after a reading. */
export interface Latency {
  /** Work on this machine, p95, as measured. */
  edgeMs: number;
  /** The same and the assumed round trip. */
  cloudMs: number;
  targetMs: number;
  edgeMeets: boolean;
  cloudMeets: boolean;
}

/** Everything that is reported, whatever the form. */
export interface Assessment {
  madeAt: number;
  origin: string;
  machine: Machine;
  traffic: Traffic;
  /** Whole messages that reduction, privacy and capacity are told from. */
  kept: { messages: number; topics: number; uncounted: number };
  decoded: Omit<Decoded, 'rows'>;
  /** Empty when nothing could be read as a reading. */
  settings: SettingResult[];
  /** The setting at the assumed tolerance that keeps the fewest bytes. */
  best: SettingResult | null;
  /** What each channel would need by itself, of the source with the most readings; the most first. */
  channels: ChannelShare[];
  personal: PersonalField[];
  timings: Timings;
  capacity: Capacity;
  latency: Latency;
  /** For the number of sources that is assumed. */
  flow: { all: Flow; kept: Flow };
  money: Money;
  assumptions: Assumption[];
}

/**
 * Assesses a sample of messages. Synchronous, and takes seconds: not for a thread that has something else to do.
 *
 * @throws EdgeError `SAMPLE` for an empty sample, `CONFIG` and `REQUEST` for settings that make no sense
 */
export function assess(request: AssessmentRequest): Assessment {
  const { sample, machine } = request;
  const { traffic, messages } = sample;
  if (traffic.messages === 0) {
    throw new EdgeError(
      'SAMPLE',
      'The sample has no message. Check the file or the topic, or listen for longer.',
    );
  }
  const config = ingestConfig(request.ingest);
  const { rows, ...decoded } = decodeAll(messages, config);
  const seen = sourcesSeen(traffic, sample, decoded);
  const assumptions = completeAssumptions(request.given, { sources: Math.max(1, seen) });
  const assumed = valuesOf(assumptions);
  if (!TOLERANCES.some((tolerance) => tolerance === assumed.tolerance)) {
    throw new EdgeError('REQUEST', `"tolerance" must be one of ${TOLERANCES.join(', ')} %.`);
  }
  const settings = decoded.readings === 0 ? [] : compareSettings(messages, config, decoded.channels);
  const best = bestOf(settings, assumed.tolerance);
  const timings = measureTimings(messages, config, rows, request.monotonic);
  const readingsPerMessage = messages.length === 0 ? 0 : decoded.readings / messages.length;
  const perSource = (traffic.messagesPerSecond * readingsPerMessage) / Math.max(1, seen);
  const flow = flowOf(traffic, best, {
    scale: assumed.sources / Math.max(1, seen),
    overheadBytes: assumed.overheadBytes,
    readingsPerMessage,
  });
  const edgeMs = timings.ingest.p95Ms + (timings.forest?.p95Ms ?? 0);
  const cloudMs = edgeMs + assumed.cloudRoundTrip;
  return {
    madeAt: request.now,
    ...{ origin: request.origin, machine, traffic },
    kept: { messages: messages.length, topics: sample.keptTopics, uncounted: request.uncounted ?? 0 },
    ...{ decoded, settings, best },
    channels: best ? channelShares(rows, decoded.channels, best) : [],
    personal: personalFields(messages),
    timings,
    capacity: capacityOf(timings, perSource, assumed.sources, machine.memoryBytes),
    latency: {
      ...{ edgeMs, cloudMs, targetMs: assumed.latencyTarget },
      edgeMeets: edgeMs <= assumed.latencyTarget,
      cloudMeets: cloudMs <= assumed.latencyTarget,
    },
    flow,
    money: moneyOf(flow.all, flow.kept, assumed),
    assumptions,
  };
}

/** Sources of the whole sample: those of the kept messages, and as many a topic among the others. */
function sourcesSeen(traffic: Traffic, sample: Sample, { sources }: Omit<Decoded, 'rows'>): number {
  const perTopic = sources.length / Math.max(1, sample.keptTopics);
  return Math.round(Math.max(sources.length, perTopic * traffic.topics));
}

function bestOf(settings: readonly SettingResult[], tolerance: number): SettingResult | null {
  const candidates = settings.filter((setting) => setting.tolerance === tolerance);
  return candidates.length === 0
    ? null
    : candidates.reduce((best, setting) => (setting.bytesOut < best.bytesOut ? setting : best));
}

function flowOf(
  traffic: Traffic,
  best: SettingResult | null,
  {
    scale,
    overheadBytes,
    readingsPerMessage,
  }: { scale: number; overheadBytes: number; readingsPerMessage: number },
): Assessment['flow'] {
  const { messagesPerSecond, bytesPerSecond, messages, topicBytes } = traffic;
  const around = topicBytes / messages + overheadBytes;
  const all = {
    messagesPerSecond: messagesPerSecond * scale,
    bytesPerSecond: (bytesPerSecond + messagesPerSecond * around) * scale,
  };
  if (!best || best.pointsOut === 0) {
    return { all, kept: all };
  }
  const pointsPerSecond = messagesPerSecond * readingsPerMessage * scale * (best.pointsOut / best.pointsIn);
  const kept = {
    messagesPerSecond: pointsPerSecond,
    bytesPerSecond: pointsPerSecond * (best.bytesOut / best.pointsOut + around),
  };
  return { all, kept };
}
