import { invalidProperty, type ConfigReader } from '../../shared/config-reader';
import type { Feature } from '../features/features';
import type { ChannelSpec } from '../rows/channels';
import type { ReduceOptions } from './reducer';
import { absoluteTolerance, percentTolerance } from './tolerance';

/** @returns undefined where nothing is reduced */
export function parseReduce(
  config: ConfigReader,
  channels: readonly ChannelSpec[],
  features: readonly Feature[],
): ReduceOptions | undefined {
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
    throw invalidProperty(
      'toleranceType',
      `is percent of max − min, but ${open ? `channel "${open.name}" lacks one of them` : 'the channels table is empty'}`,
    );
  }
  return { kind, tolerance: percentTolerance(limit, channels, features), heartbeatMs };
}
