import { excerpt } from '../../shared/text';
import type { ReplicaHost } from '../host';
import type { Peer } from '../peers';
import { gatewayOfReplica } from '../replica';
import type { Siblings } from '../sibling';
import { isLive } from '../strategies';
import { counterOf, type ReadonlyVector } from '../version-vector';
import type { KeyView, PeerView, StateAnswer } from './result';

type Loaded<K extends keyof ReplicaHost> = NonNullable<ReplicaHost[K]>;

const MOST_KEYS = 50;
/** Keys that are gone through for a page: about a millisecond. */
const MOST_SEARCHED = 20_000;
const MOST_PEERS = 50;
const MOST_SIBLINGS = 10;
const MOST_TEXT = 200;
/** Values that are longer are not read for a page. */
const MOST_BYTES = 4096;

/**
 * What a replica holds and what its peers know, as the dialog shows it: a page of keys with a text in them.
 *
 * @param now monotonic ms
 * @returns undefined while the replica is being loaded
 */
export function viewState(host: ReplicaHost, now: number, find: string): StateAnswer | undefined {
  const { replica, synchronizer } = host;
  if (!replica || !synchronizer) {
    return undefined;
  }
  const { page, more } = pageOf(host, replica.entries(), find.toLowerCase());
  return {
    replica: replica.id,
    keys: host.keys,
    pending: host.pending,
    ...peersOf(replica, synchronizer, now),
    page,
    more,
  };
}

/**
 * What the peers of a replica know, the first of them.
 *
 * @param now monotonic ms
 * @returns undefined while the replica is being loaded
 */
export function viewPeers(
  { replica, synchronizer }: ReplicaHost,
  now: number,
): Pick<StateAnswer, 'peers' | 'morePeers'> | undefined {
  return replica && synchronizer && peersOf(replica, synchronizer, now);
}

function peersOf(
  replica: Loaded<'replica'>,
  synchronizer: Loaded<'synchronizer'>,
  now: number,
): Pick<StateAnswer, 'peers' | 'morePeers'> {
  const present = new Set(synchronizer.present());
  const peers = synchronizer.peers.list();
  return {
    peers: peers
      .slice(0, MOST_PEERS)
      .map((peer) => viewPeer(peer, replica.context, now, present.has(peer), synchronizer.disagrees(peer))),
    morePeers: Math.max(0, peers.length - MOST_PEERS),
  };
}

function pageOf(
  host: ReplicaHost,
  entries: Iterable<readonly [string, Siblings]>,
  find: string,
): { page: KeyView[]; more: boolean } {
  const page: KeyView[] = [];
  let searched = 0;
  for (const [key, siblings] of entries) {
    if (page.length >= MOST_KEYS || searched >= MOST_SEARCHED) {
      return { page: sorted(page), more: true };
    }
    searched++;
    if (siblings.some(isLive) && key.toLowerCase().includes(find)) {
      page.push(viewKey(host, key, siblings));
    }
  }
  return { page: sorted(page), more: false };
}

function sorted(page: KeyView[]): KeyView[] {
  return page.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function viewKey(host: ReplicaHost, key: string, siblings: Siblings): KeyView {
  const strategy = host.strategyOf(key);
  const bytes = siblings.reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
  if (bytes > MOST_BYTES) {
    return { key, strategy, value: `… (${Math.ceil(bytes / 1024)} KiB)`, siblings: [] };
  }
  const { value, siblings: rivals = [] } = host.peek(key);
  return {
    key,
    strategy,
    value: excerpt(JSON.stringify(value), MOST_TEXT),
    siblings: rivals.slice(0, MOST_SIBLINGS).map(({ value: rival, gateway, ts }) => ({
      value: excerpt(JSON.stringify(rival), MOST_TEXT),
      gateway,
      ts,
    })),
  };
}

function viewPeer(
  { replica, vector, heardAt }: Peer,
  own: ReadonlyVector,
  now: number,
  present: boolean,
  disagrees: boolean,
): PeerView {
  return {
    gateway: gatewayOfReplica(replica),
    present,
    silentMs: Number.isFinite(heardAt) ? Math.max(0, Math.round(now - heardAt)) : null,
    lacks: above(own, vector),
    ahead: above(vector, own),
    disagrees,
  };
}

/** How many writes of the first vector the second does not know. */
function above(first: ReadonlyVector, second: ReadonlyVector): number {
  let sum = 0;
  for (const [replica, counter] of first) {
    sum += Math.max(0, counter - counterOf(second, replica));
  }
  return sum;
}
