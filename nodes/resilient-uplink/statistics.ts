import type { Figures } from '../shared/figures';
import type { Activity } from './activity';
import type { UplinkConfig } from './config';
import type { ConnectionReport } from './connection-report';
import { forecastOf, type Forecast } from './forecast';
import { occupiedBytes } from './outbox-port';
import { LIVE_MS } from './replay';
import type { Session } from './session';

/** The answer to `msg.operation` = `stats`. */
export interface Statistics extends Forecast {
  queueMessages: number;
  queueBytes: number;
  oldestSeconds: number;
  /** Messages that were refused for good and are kept. */
  deadLetterMessages: number;
  deadLetterBytes: number;
  /** Messages a second, smoothed over about half a minute. */
  arrivalRate: number;
  deliveryRate: number;
  inFlight: number;
  paused: boolean;
  /** Identity of the store; empty while it is not open. */
  store: string;
  /** Connections in order, and how each is doing. */
  connections: ConnectionReport[];
  figures: Record<string, number>;
  /** Stores that other nodes left and that are being delivered from; in none of the figures above. */
  adopted: { store: string; messages: number; bytes: number }[];
}

/** How long the oldest stored message has been waiting. */
export function oldestSeconds(session: Session | undefined): number {
  const oldest = session?.outbox.usage.oldestAge ?? null;
  return session && oldest !== null ? Math.max(0, (session.outbox.age() - oldest) / 1000) : 0;
}

/** What of the node's configuration its figures depend on. */
export type StatisticsConfig = Pick<UplinkConfig, 'limitBytes' | 'batchDelayMs'>;

/** Whether messages have been waiting for longer than live ones do. */
export function hasBacklog(session: Session, { batchDelayMs }: StatisticsConfig): boolean {
  return oldestSeconds(session) * 1000 > LIVE_MS + batchDelayMs;
}

/** When the outbox will be full and when its backlog will be gone, as things go. */
export function sessionForecast(
  session: Session | undefined,
  activity: Activity,
  config: StatisticsConfig,
): Forecast {
  if (!session) {
    return { fullSeconds: null, drainSeconds: null };
  }
  const { usage } = session.outbox;
  return forecastOf(
    {
      messages: usage.messages,
      isBacklog: hasBacklog(session, config),
      occupied: occupiedBytes(usage),
      // A disk that is short of room makes the outbox full as it is.
      limit: usage.shortage ? 0 : config.limitBytes,
    },
    activity.rates,
  );
}

export function statisticsOf(
  session: Session | undefined,
  figures: Figures,
  activity: Activity,
  config: StatisticsConfig,
  adopted: readonly Session[] = [],
): Statistics {
  const outbox = session?.outbox;
  return {
    queueMessages: outbox?.usage.messages ?? 0,
    queueBytes: outbox?.usage.bytes ?? 0,
    oldestSeconds: oldestSeconds(session),
    ...sessionForecast(session, activity, config),
    arrivalRate: activity.rates?.arrivals ?? 0,
    deliveryRate: activity.rates?.deliveries ?? 0,
    deadLetterMessages: outbox?.usage.deadLetters.messages ?? 0,
    deadLetterBytes: outbox?.usage.deadLetters.bytes ?? 0,
    inFlight: session?.delivery.inFlight ?? 0,
    paused: session?.delivery.paused ?? false,
    store: outbox?.uuid ?? '',
    connections: session?.delivery.pool.report() ?? [],
    figures: figures.snapshot(),
    adopted: adopted.map(({ outbox: { uuid, usage } }) => ({
      store: uuid,
      messages: usage.messages,
      bytes: usage.bytes,
    })),
  };
}
