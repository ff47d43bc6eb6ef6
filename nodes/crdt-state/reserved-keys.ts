/** Keys of the nodes' own, one for each retired gateway: a list of its replica ids, known to all by replication. */
export const RETIRED_PREFIX = '$retired/';

/** Whether a key is the nodes' own and hidden from the flow. */
export function isReservedKey(key: string): boolean {
  return key.startsWith(RETIRED_PREFIX);
}
