import type { Figures } from './figures';
import type { Gateway } from './gateway';
import type { NodeStatus } from './status';

/** How a running node takes other settings from a signed document. */
export interface Adjustment {
  /** What may be set. */
  properties: readonly string[];
  /** Id of the gateway node that the node names; empty for none. */
  gatewayNode: string;
  /** Throws `CONFIG` for settings that the node could not run with; changes nothing. */
  check(settings: Readonly<Record<string, unknown>>): void;
  /** Goes on with the flow's properties and these over them; rejects with nothing changed. */
  apply(settings: Readonly<Record<string, unknown>>): Promise<void>;
}

/** A running node as `/edge/status` and the sidebar see it. */
export interface StationEntry {
  id: string;
  type: string;
  name: string;
  /** Undefined when the node names a gateway that does not run. */
  gateway: () => Gateway | undefined;
  figures: Figures;
  status: () => NodeStatus | undefined;
  /** More than figures tell; undefined while there is nothing to tell. Read only when somebody asks. */
  details?: () => object | undefined;
  adjustment?: Adjustment;
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
