import type { StationEntry } from '../shared/station';
import type { NodeStatus } from '../shared/status';

/** What `GET /edge/status` answers. */
export interface StatusReport {
  gateway: { gatewayId: string; name: string; site: string };
  nodes: {
    id: string;
    type: string;
    name: string;
    /** The gatewayId of the gateway the node belongs to. */
    gateway: string;
    status: NodeStatus | null;
    figures: Record<string, number>;
  }[];
}

const CONFIG_TYPES = new Set(['edge-gateway', 'edge-broker', 'edge-http']);

/** Reports on the running nodes; the gateway named is the one that most of them belong to. */
export function reportStatus(entries: readonly StationEntry[]): StatusReport | { gateway: null; nodes: [] } {
  const nodes = entries.filter(({ type }) => !CONFIG_TYPES.has(type));
  const uses = new Map<string, number>();
  for (const entry of nodes) {
    const { gatewayId } = entry.gateway();
    uses.set(gatewayId, (uses.get(gatewayId) ?? 0) + 1);
  }
  const [main] = [...uses].sort((a, b) => b[1] - a[1]).map(([gatewayId]) => gatewayId);
  const gateway = nodes.map((entry) => entry.gateway()).find(({ gatewayId }) => gatewayId === main);
  if (!gateway) {
    return { gateway: null, nodes: [] };
  }
  return {
    gateway: { gatewayId: gateway.gatewayId, name: gateway.name, site: gateway.site },
    nodes: nodes.map((entry) => ({
      id: entry.id,
      type: entry.type,
      name: entry.name,
      gateway: entry.gateway().gatewayId,
      status: entry.status() ?? null,
      figures: entry.figures.snapshot(),
    })),
  };
}
