import { readChannels } from './channels';
import { readFeatures } from './features';

/** The node's properties as the dialog shows them, saved or not. */
export function enteredProperties(node: EditorNode): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const name of Object.keys(RED.nodes.getType('sensor-ingest')?.defaults ?? {})) {
    const field = $(`#node-input-${name}`);
    const value: unknown = field.length > 0 ? field.val() : node[name];
    // What a choice of config nodes holds while none is chosen.
    properties[name] = value === '_ADD_' ? '' : value;
  }
  return { ...properties, channels: readChannels(), features: readFeatures(node.features) };
}
