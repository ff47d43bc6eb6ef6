import type { StationEntry } from '../shared/station';
import type { NodeStatus } from '../shared/status';

/** What `GET /edge/status` answers. */
export interface StatusReport {
  /** Null while no node runs. */
  gateway: { gatewayId: string; name: string; site: string } | null;
  nodes: {
    id: string;
    type: string;
    name: string;
    /** The gatewayId of the gateway the node belongs to; empty when it names one that does not run. */
    gateway: string;
    status: NodeStatus | null;
    figures: Record<string, number>;
    /** An uplink's connections, a replica's peers, a detector's maintenance; absent where a node has none to tell of. */
    details?: object;
  }[];
}

const CONFIG_TYPES = new Set(['edge-gateway', 'edge-broker', 'edge-http']);

/**
 * Reports on the nodes of the flows; the gateway named is the one that most of them name, and the implicit one only
 * where none does.
 */
export function reportStatus(entries: readonly StationEntry[]): StatusReport {
  const nodes = entries
    .filter(({ type }) => !CONFIG_TYPES.has(type))
    .map((entry) => ({ entry, gateway: entry.gateway() }));
  const uses = new Map<string, number>();
  for (const { gateway } of nodes) {
    if (gateway) {
      // Most kinds of nodes have no gateway to name.
      const weight = gateway.nodeId === '' ? 0 : 1;
      uses.set(gateway.gatewayId, (uses.get(gateway.gatewayId) ?? 0) + weight);
    }
  }
  const [main] = [...uses].sort((a, b) => b[1] - a[1]).map(([gatewayId]) => gatewayId);
  const gateway = nodes.map((node) => node.gateway).find((candidate) => candidate?.gatewayId === main);
  return {
    gateway: gateway ? { gatewayId: gateway.gatewayId, name: gateway.name, site: gateway.site } : null,
    nodes: nodes.map(({ entry, gateway: own }) => {
      const details = entry.details?.();
      return {
        id: entry.id,
        type: entry.type,
        name: entry.name,
        gateway: own?.gatewayId ?? '',
        status: entry.status() ?? null,
        figures: entry.figures.snapshot(),
        ...(details && { details }),
      };
    }),
  };
}
