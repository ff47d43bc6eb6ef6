import { ConfigReader } from '../shared/config-reader';
import { EdgeError } from '../shared/errors';
import { isTopicFilter } from '../shared/topic';
import type { ChannelSpec } from './rows/channels';
import type { Format } from './decode/decode';
import { isSpectral, parseFeature, type Feature } from './features/features';
import { parsePath, type Path } from './rows/paths';
import { absoluteTolerance, percentTolerance } from './reduce/tolerance';
import type { ReduceOptions } from './reduce/reduce';
import { PayloadSchema } from './rows/schema';

const FORMATS = ['auto', 'json', 'csv', 'msgpack', 'float32', 'int16', 'sparkplug'] as const;
const DEFAULT_FEATURES = ['mean', 'std', 'min', 'max', 'rms'];
/** Rows of a count window, and steps in a time window. */
const MAX_WINDOW_ROWS = 100_000;
const MAX_OVERLAP = 1000;

/** Where the name of a source comes from. */
export type SourceName =
  /** A path in the decoded payload. */
  | { from: 'payload'; path: Path }
  /** A path in the message. */
  | { from: 'message'; path: Path }
  | { from: 'fixed'; name: string };

/** A subscription of the direct source. */
export interface Subscription {
  filters: string[];
  broker: string;
  qos: 0 | 1 | 2;
}

/** `count` in rows, `time` in ms. */
export interface WindowSpec {
  kind: 'count' | 'time';
  size: number;
  step: number;
}

/** Properties of a `sensor-ingest` node, checked. Durations in ms. */
export interface IngestConfig {
  subscription: Subscription | undefined;
  format: Format;
  sourceName: SourceName;
  /** Undefined = arrival time. */
  timestamp: Path | undefined;
  idPath: Path | undefined;
  schema: PayloadSchema | undefined;
  channels: ChannelSpec[];
  sampleRate: number;
  window: WindowSpec | undefined;
  features: Feature[];
  reduce: (ReduceOptions & { kind: 'deadband' | 'swinging-door' }) | undefined;
  dedupe: number;
  latenessMs: number;
  futureLimitMs: number;
  /** 0 = off. */
  silenceMs: number;
  maxSources: number;
  maxChannels: number;
  maxBytes: number;
}

/** @throws EdgeError `CONFIG` naming the property */
export function parseIngestConfig(raw: unknown): IngestConfig {
  const config = new ConfigReader(raw);
  const sampleRate = config.number('sampleRate', 0, { min: 0, max: 1e9 });
  const format = parseFormat(config);
  const channels = parseChannels(config, format);
  const window = parseWindow(config);
  const features = parseFeatures(
    config,
    sampleRate,
    window !== undefined || sampleRate > 0 || isWaveformFormat(format),
  );
  const schema = config.text('schema');
  const seconds = (name: string, fallback: number): number =>
    config.number(name, fallback, { min: 0, max: 1e9 }) * 1000;
  return {
    subscription: parseSubscription(config),
    format,
    sourceName: parseSourceName(config),
    timestamp: parseTimestampPath(raw, config),
    idPath: optionalPath(config.text('idPath')),
    schema: schema ? new PayloadSchema(schema) : undefined,
    channels,
    sampleRate,
    window,
    features,
    reduce: parseReduce(config, channels, features),
    dedupe: config.number('dedupe', 1000, { min: 0, max: 1_000_000, integer: true }),
    latenessMs: seconds('lateness', 60),
    futureLimitMs: seconds('futureLimit', 60),
    silenceMs: seconds('silence', 0),
    maxSources: config.number('maxSources', 10_000, { min: 1, max: 10_000_000, integer: true }),
    maxChannels: config.number('maxChannels', 1000, { min: 1, max: 1_000_000, integer: true }),
    maxBytes: config.number('maxBytes', 1_048_576, { min: 1, max: 268_435_456, integer: true }),
  };
}

function parseFormat(config: ConfigReader): Format {
  const format = config.choice('format', FORMATS, 'auto');
  if (format === 'sparkplug') {
    throw invalid('format', 'is "sparkplug", which this version does not read yet. Choose another format');
  }
  return format;
}

function isWaveformFormat(format: Format): boolean {
  return format === 'float32' || format === 'int16';
}

function parseSubscription(config: ConfigReader): Subscription | undefined {
  if (config.choice('source', ['wire', 'mqtt'], 'wire') === 'wire') {
    return undefined;
  }
  const broker = config.text('broker');
  if (!broker) {
    throw invalid('broker', 'is empty. Choose the broker to subscribe at');
  }
  const group = config.text('group');
  if (/[/+#]/.test(group)) {
    throw invalid('group', `is "${group}", but must not contain "/", "+" or "#"`);
  }
  // Not by ConfigReader.texts: a comma is an ordinary character of a topic.
  const lines = config
    .text('topic')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) {
    throw invalid('topic', 'is empty. Enter one topic filter a line, such as plant1/+/telemetry');
  }
  return {
    broker,
    filters: [...new Set(lines)].map((line) => parseFilter(line, group)),
    qos: ([0, 1, 2] as const)[config.number('qos', 1, { min: 0, max: 2, integer: true })],
  };
}

function parseFilter(filter: string, group: string): string {
  const shared = /^\$share\/([^/]*)\/(.*)$/s.exec(filter);
  if (filter.startsWith('$share') && (!shared || shared[1] === '' || /[+#]/.test(shared[1]))) {
    throw invalid(
      'topic',
      `has the line "${filter}", which is no shared subscription $share/<group>/<filter>`,
    );
  }
  if (shared && group) {
    throw invalid(
      'topic',
      `has the line "${filter}", which names a group of its own beside the property "group"`,
    );
  }
  if (!isTopicFilter(shared ? shared[2] : filter)) {
    throw invalid(
      'topic',
      `has the line "${filter}", which is no topic filter. "+" stands for a whole level, "#" for the last`,
    );
  }
  return group ? `$share/${group}/${filter}` : filter;
}

function parseSourceName(config: ConfigReader): SourceName {
  const type = config.choice('sourceIdType', ['msg', 'str'], 'msg');
  const text = config.text('sourceId', 'topic');
  if (type === 'str') {
    return { from: 'fixed', name: text };
  }
  const path = text.replace(/^msg\./, '');
  return path.startsWith('payload.')
    ? { from: 'payload', path: parsePath(path.slice('payload.'.length)) }
    : { from: 'message', path: parsePath(path) };
}

/** An emptied property is not an absent one: it turns event time off. */
function parseTimestampPath(raw: unknown, config: ConfigReader): Path | undefined {
  const emptied = typeof raw === 'object' && raw !== null && 'timestamp' in raw && raw.timestamp === '';
  return emptied ? undefined : optionalPath(config.text('timestamp', 'ts'));
}

function optionalPath(text: string): Path | undefined {
  return text ? parsePath(text) : undefined;
}

function parseChannels(config: ConfigReader, format: Format): ChannelSpec[] {
  const channels = config.list('channels', (entry): ChannelSpec => {
    const path = entry.text('path') || entry.text('name');
    const name = entry.text('name') || path;
    const min = entry.optionalNumber('min');
    const max = entry.optionalNumber('max');
    const scale = entry.number('scale', 1);
    if (!name) {
      throw invalid('channels', 'has a row without name and path');
    }
    if (scale === 0) {
      throw invalid('channels', `has the scale 0 for "${name}", which makes every value the same`);
    }
    if (min !== undefined && max !== undefined && min >= max) {
      throw invalid('channels', `has a min that is not below max for "${name}"`);
    }
    return {
      name,
      path: parsePath(path),
      scale,
      offset: entry.number('offset', 0),
      unit: entry.text('unit'),
      min,
      max,
    };
  });
  const names = channels.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw invalid('channels', `names "${repeated}" twice`);
  }
  if (isWaveformFormat(format) && channels.length > 1) {
    throw invalid('channels', `has ${channels.length} rows, but a ${format} waveform is one channel`);
  }
  return channels;
}

function parseWindow(config: ConfigReader): WindowSpec | undefined {
  const kind = config.choice('window', ['none', 'count', 'time'], 'none');
  if (kind === 'none') {
    return undefined;
  }
  const range = kind === 'count' ? { min: 1, max: MAX_WINDOW_ROWS, integer: true } : { min: 0.001, max: 1e7 };
  const size = config.number('windowSize', 10, range);
  // 0 in a flow file means as empty does: windows follow one another.
  const step = config.number('windowStep', 0, { ...range, min: 0 }) || size;
  if (step > size) {
    throw invalid('windowStep', 'must not be larger than windowSize, or readings in between would be lost');
  }
  if (kind === 'time' && size / step > MAX_OVERLAP) {
    throw invalid('windowStep', `must be at least a ${MAX_OVERLAP}th of windowSize`);
  }
  return kind === 'count'
    ? { kind, size, step }
    : { kind, size: Math.round(size * 1000), step: Math.max(1, Math.round(step * 1000)) };
}

function parseFeatures(config: ConfigReader, sampleRate: number, used: boolean): Feature[] {
  const names = [...new Set(config.texts('features', DEFAULT_FEATURES))];
  const features = names.map(parseFeature);
  const spectral = features.find(isSpectral);
  if (used && spectral && sampleRate <= 0) {
    throw invalid('sampleRate', `must be above 0 Hz for the feature "${spectral.name}"`);
  }
  if (used && features.length === 0) {
    throw invalid('features', 'is empty. Choose at least one');
  }
  return features;
}

function parseReduce(
  config: ConfigReader,
  channels: readonly ChannelSpec[],
  features: readonly Feature[],
): IngestConfig['reduce'] {
  const kind = config.choice('reduce', ['none', 'deadband', 'swinging-door'], 'none');
  if (kind === 'none') {
    return undefined;
  }
  const limit = config.number('tolerance', 0, { min: 0 });
  const heartbeatMs = config.number('heartbeat', 600, { min: 0, max: 1e9 }) * 1000;
  if (config.choice('toleranceType', ['absolute', 'percent'], 'absolute') === 'absolute') {
    return { kind, tolerance: absoluteTolerance(limit), heartbeatMs };
  }
  const open = channels.find(({ min, max }) => min === undefined || max === undefined);
  if (channels.length === 0 || open) {
    throw invalid(
      'toleranceType',
      `is percent of max − min, but ${open ? `channel "${open.name}" lacks one of them` : 'the channels table is empty'}`,
    );
  }
  return { kind, tolerance: percentTolerance(limit, channels, features), heartbeatMs };
}

function invalid(property: string, problem: string): EdgeError {
  return new EdgeError('CONFIG', `Property "${property}" ${problem}. Open the node and correct it.`, {
    property,
  });
}
