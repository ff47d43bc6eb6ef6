import { ConfigReader, invalidProperty } from '../shared/config-reader';
import type { Format } from './decode/decode';
import { isSpectral, parseFeature, type Feature } from './features/features';
import { parseWindow, type WindowSpec } from './features/window-spec';
import { parseSubscription, type Subscription } from './mqtt/subscription';
import { parseReduce } from './reduce/options';
import type { ReduceOptions } from './reduce/reducer';
import { parseChannels } from './rows/channel-table';
import type { ChannelSpec } from './rows/channels';
import { parsePath, type Path } from './rows/paths';
import { PayloadSchema } from './rows/schema';

const FORMATS = ['auto', 'json', 'csv', 'msgpack', 'float32', 'int16', 'sparkplug'] as const;
const DEFAULT_FEATURES = ['mean', 'std', 'min', 'max', 'rms'];

/** Where the name of a source comes from. */
export type SourceName =
  /** A path in the decoded payload. */
  | { from: 'payload'; path: Path }
  /** A path in the message. */
  | { from: 'message'; path: Path }
  | { from: 'fixed'; name: string };

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
  reduce: ReduceOptions | undefined;
  dedupe: number;
  latenessMs: number;
  futureLimitMs: number;
  /** 0 = off. */
  silenceMs: number;
  maxSources: number;
  maxChannels: number;
  maxBytes: number;
}

/** What reading messages takes of a configuration; structured-cloneable. */
export type ReadingConfig = Omit<IngestConfig, 'schema' | 'reduce'> & {
  schema: string | undefined;
  reduce?: undefined;
};

export function readingConfigOf(config: IngestConfig): ReadingConfig {
  return { ...config, reduce: undefined, schema: config.schema?.text };
}

/** @throws EdgeError `CONFIG` naming the property */
export function parseIngestConfig(raw: unknown): IngestConfig {
  const config = new ConfigReader(raw);
  const sampleRate = config.number('sampleRate', 0, { min: 0, max: 1e9 });
  const format = config.choice('format', FORMATS, 'auto');
  const channels = parseChannels(config);
  const isWaveform = format === 'float32' || format === 'int16';
  if (isWaveform && channels.length > 1) {
    throw invalidProperty('channels', `has ${channels.length} rows, but a ${format} waveform is one channel`);
  }
  const window = parseWindow(config);
  const features = parseFeatures(config, sampleRate, window !== undefined || sampleRate > 0 || isWaveform);
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

function parseFeatures(config: ConfigReader, sampleRate: number, used: boolean): Feature[] {
  const names = [...new Set(config.texts('features', DEFAULT_FEATURES))];
  const features = names.map(parseFeature);
  const spectral = features.find(isSpectral);
  if (used && spectral && sampleRate <= 0) {
    throw invalidProperty('sampleRate', `must be above 0 Hz for the feature "${spectral.name}"`);
  }
  if (used && features.length === 0) {
    throw invalidProperty('features', 'is empty. Choose at least one');
  }
  return features;
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
