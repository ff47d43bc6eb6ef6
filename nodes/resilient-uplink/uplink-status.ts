import type { StatusText } from '../shared/status';
import { shortTime, type Forecast } from './forecast';
import type { SalvageProgress } from './salvage/salvage';
import type { Session } from './session';
import { hasBacklog, type StatisticsConfig } from './statistics';

/** A fuller outbox than in a week is no news. */
const LONGEST_SHOWN_SECONDS = 7 * 86_400;

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
  forecast: Forecast,
  config: StatisticsConfig,
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
    return waiting('idle', 'paused', count, forecast);
  }
  if (carriers.length === 0) {
    return waiting('warning', 'noConnection', count, forecast);
  }
  const refusing = carriers.find(({ trouble }) => trouble?.fault);
  if (refusing) {
    const connection = refusing.link.name;
    return current && current !== refusing && current.failures === 0
      ? { meaning: 'error', key: 'status.refusedFallback', params: { connection, other: current.link.name } }
      : { meaning: 'error', key: 'status.refused', params: { connection, count } };
  }
  if (outbox.usage.shortage) {
    return { meaning: 'warning', key: 'status.disk', params: { count } };
  }
  // A connection that just failed may look open: what waits behind it says more.
  if (!current || (current.failures > 0 && count > 0)) {
    return waiting('warning', 'offline', count, forecast);
  }
  const params = { connection: current.link.name };
  if (damaged) {
    return { meaning: 'warning', key: 'status.corrupt', params };
  }
  const [meaning, key] = current.rank > 0 ? (['warning', 'fallback'] as const) : (['ok', 'sending'] as const);
  if (!hasBacklog(session, config)) {
    return { meaning, key: `status.${key}`, params };
  }
  const { drainSeconds } = forecast;
  const full = soonFull(forecast);
  const waits = { ...params, count };
  if (drainSeconds !== null) {
    return { meaning, key: `status.${key}Drains`, params: { ...waits, time: shortTime(drainSeconds) } };
  }
  return full === undefined
    ? { meaning, key: `status.${key}Backlog`, params: waits }
    : { meaning, key: `status.${key}Fills`, params: { ...waits, time: full } };
}

/** Nothing is sent: how much is stored, and when there will be no room for more. */
function waiting(
  meaning: 'idle' | 'warning',
  key: 'paused' | 'noConnection' | 'offline',
  count: number,
  forecast: Forecast,
): StatusText {
  const time = soonFull(forecast);
  return time === undefined
    ? { meaning, key: `status.${key}`, params: { count } }
    : { meaning, key: `status.${key}Fills`, params: { count, time } };
}

function soonFull({ fullSeconds }: Forecast): string | undefined {
  return fullSeconds !== null && fullSeconds <= LONGEST_SHOWN_SECONDS ? shortTime(fullSeconds) : undefined;
}
