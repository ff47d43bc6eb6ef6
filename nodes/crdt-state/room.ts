import { MAX_KEYS, MAX_REPLICAS, MAX_SIBLINGS } from './limits';
import type { Entry, Replica } from './replica';
import type { ReadonlyVector } from './version-vector';

/** Whether the bounds on keys, siblings and replicas leave room for what another replica sent. */
export function hasRoom(replica: Replica, context: ReadonlyVector, entries: readonly Entry[]): boolean {
  return hasRoomForReplicas(replica, context) && hasRoomForEntries(replica, entries);
}

function hasRoomForReplicas(replica: Replica, context: ReadonlyVector): boolean {
  let replicas = replica.context.size;
  for (const id of context.keys()) {
    replicas += replica.context.has(id) ? 0 : 1;
  }
  return replicas <= MAX_REPLICAS;
}

function hasRoomForEntries(replica: Replica, entries: readonly Entry[]): boolean {
  let most = 0;
  for (const [, siblings] of entries) {
    most = Math.max(most, siblings.length);
  }
  if (replica.size + entries.length <= MAX_KEYS && replica.widest + most <= 2 * MAX_SIBLINGS) {
    return true;
  }
  let keys = replica.size;
  for (const [key, siblings] of entries) {
    const held = replica.siblings(key).length;
    keys += held > 0 ? 0 : 1;
    if (held + siblings.length > 2 * MAX_SIBLINGS) {
      return false;
    }
  }
  return keys <= MAX_KEYS;
}
