/** Settings of nodes by their ids or names, as a signed document sets them over those of the flow. */
export type SettingsByNode = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** What is in force, by the gateway node that took it. */
const inForce = new Map<string, SettingsByNode>();

/** Puts a gateway's settings in force, for nodes that start from now on; undefined takes them back. */
export function putInForce(gatewayNode: string, settings: SettingsByNode | undefined): void {
  if (settings) {
    inForce.set(gatewayNode, settings);
  } else {
    inForce.delete(gatewayNode);
  }
}

/** What is set for a node over its own properties. */
export function settingsFor(id: string, name: string): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const byNode of inForce.values()) {
    Object.assign(settings, name ? byNode.get(name) : undefined, byNode.get(id));
  }
  return settings;
}
