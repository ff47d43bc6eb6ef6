import type { IsoForestConfig } from '../nodes/iso-forest/config';
import { ForestModel } from '../nodes/iso-forest/forest-model';
import { Growers } from '../nodes/iso-forest/forest/variant';

/**
 * The model of one source as an `iso-forest` node with these properties makes it, without the node.
 *
 * @param growers several models may share them
 */
export function modelOf(
  channels: readonly string[],
  { model, row }: IsoForestConfig,
  growers = new Growers(model.variant, model.sample),
  name = 'machine',
): ForestModel {
  return new ForestModel(name, channels, channels.length * row.shingle, model, {
    growers,
    monotonic: () => 0,
    grown: () => undefined,
  });
}
