import type { Clock } from '../shared/clock';
import type { Gateway } from '../shared/gateway';
import type { Random } from '../shared/random';
import { SharedReplica, type ReplicaSettings } from './shared-replica';

const running = new Map<string, SharedReplica>();
const closing = new Map<string, Promise<void>>();

/** A node's hold on a replica. */
export interface ReplicaLease {
  shared: SharedReplica;
  /** Lets go; the last node closes the replica. */
  release(): Promise<void>;
}

/**
 * The replica of a gateway and space: the one that another node of theirs runs already, else a new one.
 *
 * @throws EdgeError `CONFIG` when the other node is set up differently.
 */
export function leaseReplica(
  gateway: Gateway,
  settings: ReplicaSettings,
  ports: { clock: Clock; random: Random },
): ReplicaLease {
  const id = JSON.stringify([gateway.gatewayId, settings.space]);
  const existing = running.get(id);
  existing?.agree(settings);
  const shared = existing ?? new SharedReplica(gateway, settings, ports, closing.get(id));
  running.set(id, shared);
  shared.users++;
  let released = false;
  return {
    shared,
    release: async () => {
      if (released) {
        return;
      }
      released = true;
      shared.users--;
      if (shared.users === 0) {
        running.delete(id);
        const closed: Promise<void> = shared.close().finally(() => {
          if (closing.get(id) === closed) {
            closing.delete(id);
          }
        });
        closing.set(id, closed);
        await closed;
      }
    },
  };
}
