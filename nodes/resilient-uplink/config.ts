import { ConfigReader } from '../shared/config-reader';
import { EdgeError } from '../shared/errors';
import { PRIORITIES, type EvictionOrder, type Priority } from './outbox-port';
import type { Compression } from './press';

/** Properties of a `resilient-uplink`. */
export interface UplinkConfig {
  name: string;
  /** Ids of config nodes, in order of preference. */
  connections: string[];
  /** Template of the published topic. */
  topic: string;
  content: 'payload' | 'message';
  qos: 1 | 2;
  priority: 'auto' | Priority;
  ttlMs: number;
  limitBytes: number;
  limitAgeMs: number;
  overflow: EvictionOrder | 'reject';
  /** Messages of one topic in one publish. */
  batchSize: number;
  batchDelayMs: number;
  compression: Compression;
  /** Messages of the backlog a second; 0 = unlimited. */
  replayRate: number;
  retryMinMs: number;
  retryMaxMs: number;
  ackTimeoutMs: number;
  healthIntervalMs: number;
  failbackMs: number;
  drop: string[];
  hash: string[];
  hashKey: string;
}

const MEGABYTE = 1024 * 1024;
/** Fewer than a lane holds, or a batch would never be full. */
const LARGEST_BATCH = 1000;
const PLACEHOLDERS = ['gateway', 'site', 'topic', 'priority'];

/**
 * @param hashKey the credential
 * @throws EdgeError `CONFIG`
 */
export function parseUplinkConfig(raw: unknown, hashKey = ''): UplinkConfig {
  const config = new ConfigReader(raw);
  const parsed: UplinkConfig = {
    name: config.text('name'),
    connections: config.texts('connections'),
    topic: parseTemplate(config.text('topic', '{topic}')),
    content: config.choice('content', ['payload', 'message'], 'payload'),
    qos: config.choice('qos', ['1', '2'], '1') === '2' ? 2 : 1,
    priority: config.choice('priority', ['auto', ...PRIORITIES], 'auto'),
    ttlMs: config.number('ttl', 0, { min: 0, max: 1e9 }) * 1000,
    limitBytes: config.number('limitMB', 1024, { min: 0.01, max: 1e6 }) * MEGABYTE,
    limitAgeMs: config.number('limitAge', 0, { min: 0, max: 1e9 }) * 1000,
    overflow: config.choice('overflow', ['drop-lowest', 'drop-oldest', 'reject'], 'drop-lowest'),
    batchSize: config.number('batchSize', 1, { min: 1, max: LARGEST_BATCH, integer: true }),
    batchDelayMs: config.number('batchDelayMs', 0, { min: 0, max: 3_600_000 }),
    compression: config.choice('compression', ['none', 'gzip'], 'none'),
    replayRate: config.number('replayRate', 0, { min: 0, max: 1e6 }),
    retryMinMs: config.number('retryMinMs', 500, { min: 1, max: 3_600_000 }),
    retryMaxMs: config.number('retryMaxMs', 60_000, { min: 1, max: 86_400_000 }),
    ackTimeoutMs: config.number('ackTimeout', 10, { min: 0.1, max: 3600 }) * 1000,
    healthIntervalMs: config.number('healthInterval', 5, { min: 0.1, max: 3600 }) * 1000,
    failbackMs: config.number('failback', 30, { min: 0, max: 86_400 }) * 1000,
    drop: config.texts('drop'),
    hash: config.texts('hash'),
    hashKey,
  };
  if (new Set(parsed.connections).size < parsed.connections.length) {
    throw invalid('connections', 'names a connection twice. Remove one of them.');
  }
  if (parsed.retryMaxMs < parsed.retryMinMs) {
    throw invalid('retryMaxMs', 'must not be smaller than "retryMinMs".');
  }
  if (parsed.hash.length > 0 && !hashKey) {
    throw invalid(
      'hashKey',
      'must be filled in when "hash" names something, or pseudonyms could be guessed.',
    );
  }
  return parsed;
}

function parseTemplate(template: string): string {
  for (const [, name] of template.matchAll(/\{([^{}]*)\}/g)) {
    if (!PLACEHOLDERS.includes(name)) {
      throw invalid(
        'topic',
        `knows no {${name}}. Use ${PLACEHOLDERS.map((known) => `{${known}}`).join(', ')}.`,
      );
    }
  }
  return template;
}

function invalid(property: string, problem: string): EdgeError {
  return new EdgeError('CONFIG', `Property "${property}" ${problem}`, { property });
}
