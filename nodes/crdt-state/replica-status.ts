import type { StatusReporter } from '../shared/status';
import type { ReplicaHost } from './host';

/** How long peers may be silent before writes that wait for them are a worry, in ms. */
const ALONE_MS = 60_000;

/** Shows what a replica holds, whom it hears and what waits; a fault comes first. */
export function showStatus(
  status: StatusReporter,
  host: ReplicaHost,
  expectsPeers: boolean,
  now: number,
): void {
  const { synchronizer } = host;
  if (host.failure) {
    status.set('error', 'status.store');
    return;
  }
  if (!synchronizer) {
    return;
  }
  const facts = { keys: host.keys, peers: synchronizer.present().length, pending: host.pending };
  const alone =
    facts.pending > 0 &&
    synchronizer.aloneFor(now) > ALONE_MS &&
    (expectsPeers || synchronizer.peers.size > 0);
  if (synchronizer.disagreement) {
    status.set('warning', 'status.strategies', facts);
  } else if (alone) {
    status.set('warning', 'status.alone', facts);
  } else {
    status.set('ok', 'status.running', facts);
  }
}
