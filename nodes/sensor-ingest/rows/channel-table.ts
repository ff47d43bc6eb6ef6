import { invalidProperty, type ConfigReader } from '../../shared/config-reader';
import type { ChannelSpec } from './channels';
import { parsePath } from './paths';

/** Reads the channels table of the flow file. */
export function parseChannels(config: ConfigReader): ChannelSpec[] {
  const channels = config.list('channels', (entry): ChannelSpec => {
    const path = entry.text('path') || entry.text('name');
    const name = entry.text('name') || path;
    const min = entry.optionalNumber('min');
    const max = entry.optionalNumber('max');
    const scale = entry.number('scale', 1);
    if (!name) {
      throw invalidProperty('channels', 'has a row without name and path');
    }
    if (scale === 0) {
      throw invalidProperty('channels', `has the scale 0 for "${name}", which makes every value the same`);
    }
    if (min !== undefined && max !== undefined && min >= max) {
      throw invalidProperty('channels', `has a min that is not below max for "${name}"`);
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
    throw invalidProperty('channels', `names "${repeated}" twice`);
  }
  return channels;
}
