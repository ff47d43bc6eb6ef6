/**
 * The node's properties as the dialog shows them, saved or not.
 *
 * @param others properties that no field of their own name holds
 */
export function enteredProperties(
  node: EditorNode,
  others: Record<string, unknown>,
): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const name of Object.keys(RED.nodes.getType(node.type)?.defaults ?? {})) {
    const field = $(`#node-input-${name}`);
    const value: unknown = field.length > 0 ? field.val() : node[name];
    // What a choice of config nodes holds while none is chosen.
    properties[name] = value === '_ADD_' ? '' : value;
  }
  return { ...properties, ...others };
}
