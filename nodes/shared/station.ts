import type { Figures } from './figures';
import type { Gateway } from './gateway';
import type { NodeStatus } from './status';

/** A running node as `/edge/status` and the sidebar see it. */
export interface StationEntry {
  id: string;
  type: string;
  name: string;
  /** Undefined when the node names a gateway that does not run. */
  gateway: () => Gateway | undefined;
  figures: Figures;
  status: () => NodeStatus | undefined;
}

const entries = new Map<string, StationEntry>();

/** Lists a node until the returned function is called. */
export function enlist(entry: StationEntry): () => void {
  entries.set(entry.id, entry);
  return () => {
    if (entries.get(entry.id) === entry) {
      entries.delete(entry.id);
    }
  };
}

/** Every running node of the suite. */
export function listStation(): StationEntry[] {
  return [...entries.values()];
}
