import { ConfigReader, invalidProperty } from '../shared/config-reader';
import { parseAlarmOptions, type AlarmOptions } from '../shared/detection/alarm';
import type { ModelOptions } from './model-options';
import { MAX_SAMPLE } from './forest/path-length';
import { VARIANTS } from './forest/variant';
import type { RowOptions } from './row-builder';
import type { ThresholdOptions } from './threshold';

/** Properties of an `iso-forest`. */
export interface IsoForestConfig {
  /** Empty = the numeric channels of each source's first reading. */
  channels: string[];
  scope: 'source' | 'node';
  model: ModelOptions;
  row: RowOptions;
  alarm: AlarmOptions;
  explain: boolean;
  persist: boolean;
  maxSources: number;
}

const MAX_ROWS = 100_000;
const MODES = ['auto', 'contamination', 'score'] as const;

export function parseIsoForestConfig(raw: unknown): IsoForestConfig {
  const config = new ConfigReader(raw);
  const row = parseRow(config);
  return {
    channels: parseChannels(config),
    scope: config.choice('scope', ['source', 'node'], 'source'),
    model: parseModel(config, row),
    row,
    alarm: parseAlarmOptions(config),
    explain: config.flag('explain', true),
    persist: config.flag('persist', true),
    maxSources: config.number('maxSources', 10_000, { min: 1, max: 1_000_000, integer: true }),
  };
}

function parseChannels(config: ConfigReader): string[] {
  const channels = config.texts('channels');
  if (new Set(channels).size !== channels.length || channels.length > 1000) {
    throw invalidProperty('channels', 'must name at most 1000 channels, each once');
  }
  return channels;
}

function parseRow(config: ConfigReader): RowOptions {
  return {
    missing: config.choice('missing', ['reject', 'nan', 'zero', 'last'], 'reject'),
    shingle: config.number('shingle', 1, { min: 1, max: 1000, integer: true }),
    smoothing: config.number('smoothing', 0, { min: 0, max: MAX_ROWS }),
  };
}

function parseModel(config: ConfigReader, row: RowOptions): ModelOptions {
  const count = (name: string, fallback: number, min: number, max: number): number =>
    config.number(name, fallback, { min, max, integer: true });
  const model: ModelOptions = {
    variant: config.choice('variant', VARIANTS, 'blend'),
    seed: config.number('seed', 42, { integer: true }),
    trees: count('trees', 100, 1, 1000),
    sample: count('sample', 256, 2, MAX_SAMPLE),
    history: count('history', 1000, 2, MAX_ROWS),
    retrain: count('retrain', 100, 1, MAX_ROWS),
    warmup: count('warmup', 100, 2, MAX_ROWS),
    learn: config.choice('learn', ['sliding', 'reference', 'both'], 'both'),
    reference: count('reference', 1000, 2, MAX_ROWS),
    threshold: parseThreshold(config),
    gaps: row.missing === 'nan',
  };
  if (model.warmup > model.history) {
    throw invalidProperty('warmup', 'must not exceed "history"');
  }
  return model;
}

/** How a node sets its threshold; `auto` also where that cannot be read. */
export function thresholdMode(raw: object): ThresholdOptions['mode'] {
  const { thresholdMode: mode } = raw as { thresholdMode?: unknown };
  return MODES.find((known) => known === mode) ?? 'auto';
}

export function parseThreshold(config: ConfigReader): ThresholdOptions {
  const mode = config.choice('thresholdMode', MODES, 'auto');
  const alarmRate = config.number('alarmRate', 0.0005, { min: 1e-9, max: 0.5 });
  const contamination = config.number('contamination', 0.1, { min: 1e-6, max: 0.5 });
  const scoreThreshold = config.number('scoreThreshold', 0.6, { min: 0, max: 1 });
  switch (mode) {
    case 'auto':
      return { mode, alarmRate };
    case 'contamination':
      return { mode, contamination };
    case 'score':
      return { mode, scoreThreshold };
  }
}
