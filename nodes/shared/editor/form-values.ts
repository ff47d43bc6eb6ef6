/**
 * The node's properties as the dialog shows them, saved or not.
 *
 * @param others properties that no field of their own name holds
 */
export function enteredProperties(
  node: EditorNode,
  others: Record<string, unknown> = {},
): Record<string, unknown> {
  const { defaults = {}, category } = RED.nodes.getType(node.type) ?? {};
  const prefix = category === 'config' ? 'node-config-input' : 'node-input';
  const properties: Record<string, unknown> = {};
  for (const name of Object.keys(defaults)) {
    const field = $(`#${prefix}-${name}`);
    const value: unknown =
      field.length === 0 ? node[name] : field.is(':checkbox') ? field.prop('checked') : field.val();
    // What a choice of config nodes holds while none is chosen.
    properties[name] = value === '_ADD_' ? '' : value;
  }
  return { ...properties, ...others };
}

/**
 * The node as its dialog shows it while that is open, else as it is: what a check has to look at that depends on other
 * properties. The editor hands a check the node with what was saved last.
 */
export function asEntered(node: EditorNode): EditorNode {
  const isOpen = RED.editor.getEditStack().some(({ id }) => id === node.id);
  // Defined, not assigned: the editor's nodes are proxies, and an assignment would go through to the node itself.
  return isOpen
    ? (Object.create(node, Object.getOwnPropertyDescriptors(enteredProperties(node))) as EditorNode)
    : node;
}
