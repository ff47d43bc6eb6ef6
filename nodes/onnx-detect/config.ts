import { ConfigReader } from '../shared/config-reader';
import { parseAlarmOptions, type AlarmOptions } from '../shared/detection/alarm';
import { EdgeError } from '../shared/errors';
import type { ModelRequest } from './model/model-file';
import type { MissingPolicy } from './model/row-reader';
import type { ServingOptions } from './model/served-model';
import type { OverloadPolicy } from './reading-queue';

/** Properties of an `onnx-detect`. */
export interface OnnxDetectConfig {
  name: string;
  request: ModelRequest;
  /** A candidate that looks on. */
  shadow: ModelRequest | undefined;
  serving: ServingOptions;
  missing: MissingPolicy;
  batchSize: number;
  batchDelayMs: number;
  queueLimit: number;
  overload: OverloadPolicy;
  alarm: AlarmOptions;
}

const MAX_BATCH_SIZE = 4096;
const MAX_BATCH_DELAY_MS = 60_000;

export function parseOnnxDetectConfig(raw: unknown): OnnxDetectConfig {
  const config = new ConfigReader(raw);
  const model = config.text('model');
  if (model === '') {
    throw new EdgeError(
      'CONFIG',
      'Property "model" is empty. Enter a file such as models/press.onnx, or builtin:cnc-failure to try the node.',
      { property: 'model' },
    );
  }
  const features = config.texts('features');
  const twice = features.find((name, at) => features.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new EdgeError('CONFIG', `Property "features" lists "${twice}" twice. List each channel once.`, {
      property: 'features',
    });
  }
  return {
    name: config.text('name'),
    request: { model, digest: parseDigest(config.text('digest')), trusted: true },
    shadow: shadowOf(config.text('shadow'), true),
    serving: {
      features,
      providers: config.texts('providers', ['cpu']),
      task: config.choice('task', ['auto', 'classify', 'regress', 'reconstruct'], 'auto'),
      output: config.text('output'),
      positive: config.text('positive'),
      threshold: config.optionalNumber('threshold'),
    },
    missing: config.choice('missing', ['reject', 'nan', 'zero', 'last'], 'reject'),
    batchSize: config.number('batchSize', 64, { min: 1, max: MAX_BATCH_SIZE, integer: true }),
    batchDelayMs: config.number('batchDelayMs', 0, { min: 0, max: MAX_BATCH_DELAY_MS }),
    queueLimit: config.number('queueLimit', 10_000, { min: 1, max: 1_000_000, integer: true }),
    overload: config.choice('overload', ['reject', 'drop-oldest'], 'reject'),
    alarm: parseAlarmOptions(config),
  };
}

/** What `msg.operation` = `model` asks for; what it leaves out stays as it is. */
export interface ModelOperation {
  model: ModelRequest | undefined;
  /** Null = none looks on any more. */
  shadow: ModelRequest | null | undefined;
}

/**
 * Reads the payload of `msg.operation` = `model`: a string, or `{model, digest?, shadow?}`, or `{shadow}` alone.
 * @throws EdgeError `CONFIG`
 */
export function parseModelOperation(payload: unknown): ModelOperation {
  const properties = typeof payload === 'string' ? { model: payload } : payload;
  const config = new ConfigReader(properties);
  const model = config.text('model');
  const shadow =
    typeof properties === 'object' && properties !== null && 'shadow' in properties
      ? (shadowOf(config.text('shadow'), false) ?? null)
      : undefined;
  if (model === '' && shadow === undefined) {
    throw new EdgeError(
      'CONFIG',
      'For msg.operation "model", msg.payload must be a model such as "models/press.onnx", or {model, digest?, shadow?}.',
      { property: 'model' },
    );
  }
  return {
    model: model ? { model, digest: parseDigest(config.text('digest')), trusted: false } : undefined,
    shadow,
  };
}

function shadowOf(model: string, trusted: boolean): ModelRequest | undefined {
  return model === '' ? undefined : { model, digest: '', trusted };
}

function parseDigest(digest: string): string {
  if (digest !== '' && !/^[0-9a-f]{64}$/i.test(digest)) {
    throw new EdgeError(
      'CONFIG',
      'Property "digest" must be a SHA-256 of 64 hexadecimal digits, as "sha256sum" prints it, or empty.',
      { property: 'digest' },
    );
  }
  return digest.toLowerCase();
}
