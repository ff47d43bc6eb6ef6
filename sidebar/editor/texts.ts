/** A text of the sidebar in the user's language. */
export function text(key: string, parameters?: Record<string, unknown>): string {
  return RED._(`@millwright/node-red-edge/edge-sidebar:edge-sidebar.${key}`, parameters);
}
