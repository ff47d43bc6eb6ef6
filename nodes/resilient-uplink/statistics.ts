import type { Figures } from '../shared/figures';
import type { Activity } from './activity';
import type { ConnectionReport } from './connection-report';
import { forecastOf, type Forecast } from './forecast';
import { occupiedBytes } from './outbox-port';
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
}

/** How long the oldest stored message has been waiting. */
export function oldestSeconds(session: Session | undefined): number {
  const oldest = session?.outbox.usage.oldestAge ?? null;
  return session && oldest !== null ? Math.max(0, (session.outbox.age() - oldest) / 1000) : 0;
}

/** When the outbox will be full and when it will be empty, as things go. */
export function sessionForecast(
  session: Session | undefined,
  activity: Activity,
  limitBytes: number,
): Forecast {
  return session
    ? forecastOf(
        {
          messages: session.outbox.usage.messages,
          occupied: occupiedBytes(session.outbox.usage),
          limit: limitBytes,
        },
        activity.rates,
      )
    : { fullSeconds: null, drainSeconds: null };
}

export function statisticsOf(
  session: Session | undefined,
  figures: Figures,
  activity: Activity,
  limitBytes: number,
): Statistics {
  const outbox = session?.outbox;
  return {
    queueMessages: outbox?.usage.messages ?? 0,
    queueBytes: outbox?.usage.bytes ?? 0,
    oldestSeconds: oldestSeconds(session),
    ...sessionForecast(session, activity, limitBytes),
    arrivalRate: activity.rates?.arrivals ?? 0,
    deliveryRate: activity.rates?.deliveries ?? 0,
    deadLetterMessages: outbox?.usage.deadLetters.messages ?? 0,
    deadLetterBytes: outbox?.usage.deadLetters.bytes ?? 0,
    inFlight: session?.delivery.inFlight ?? 0,
    paused: session?.delivery.paused ?? false,
    store: outbox?.uuid ?? '',
    connections: session?.delivery.pool.report() ?? [],
    figures: figures.snapshot(),
  };
}
