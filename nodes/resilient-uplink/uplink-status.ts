import type { StatusText } from '../shared/status';
import type { SalvageProgress } from './salvage/salvage';
import type { Session } from './session';

export interface StoreCondition {
  storeFailed: boolean;
  /** Messages were lost since the node started. */
  damaged: boolean;
  /** How far a damaged store has been read. */
  salvaging: SalvageProgress | undefined;
}

/** What the node shows, the worst first. */
export function statusOf(
  session: Session | undefined,
  { storeFailed, damaged, salvaging }: StoreCondition,
): StatusText {
  if (!session) {
    if (salvaging) {
      const percent = Math.floor((100 * salvaging.done) / Math.max(1, salvaging.total));
      return { meaning: 'warning', key: 'status.salvaging', params: { percent } };
    }
    return storeFailed
      ? { meaning: 'error', key: 'status.store' }
      : { meaning: 'idle', key: 'status.opening' };
  }
  const { delivery, outbox } = session;
  const count = outbox.usage.messages;
  const { current, carriers } = delivery.pool;
  if (delivery.paused) {
    return { meaning: 'idle', key: 'status.paused', params: { count } };
  }
  if (carriers.length === 0) {
    return { meaning: 'warning', key: 'status.noConnection', params: { count } };
  }
  // A connection that just failed may look open: what waits behind it says more.
  if (!current || (current.failures > 0 && count > 0)) {
    return { meaning: 'warning', key: 'status.offline', params: { count } };
  }
  const params = { connection: current.link.name };
  if (damaged) {
    return { meaning: 'warning', key: 'status.corrupt', params };
  }
  return current.rank > 0
    ? { meaning: 'warning', key: 'status.fallback', params }
    : { meaning: 'ok', key: 'status.sending', params };
}
