import type { Figures } from '../shared/figures';
import type { Session } from './session';

/** The answer to `msg.operation` = `stats`. */
export interface Statistics {
  queueMessages: number;
  queueBytes: number;
  oldestSeconds: number;
  /** Messages that were refused for good and are kept. */
  deadLetterMessages: number;
  deadLetterBytes: number;
  inFlight: number;
  paused: boolean;
  /** Identity of the store; empty while it is not open. */
  store: string;
  /** Connections in order, and how each is doing. */
  connections: { name: string; state: string; carries: boolean; reason: string }[];
  figures: Record<string, number>;
  /** Stores that other nodes left and that are being delivered from; in none of the figures above. */
  adopted: { store: string; messages: number; bytes: number }[];
}

/** How long the oldest stored message has been waiting. */
export function oldestSeconds(session: Session | undefined): number {
  const oldest = session?.outbox.usage.oldestAge ?? null;
  return session && oldest !== null ? Math.max(0, (session.outbox.age() - oldest) / 1000) : 0;
}

export function statisticsOf(
  session: Session | undefined,
  figures: Figures,
  adopted: readonly Session[] = [],
): Statistics {
  const outbox = session?.outbox;
  const pool = session?.delivery.pool;
  return {
    queueMessages: outbox?.usage.messages ?? 0,
    queueBytes: outbox?.usage.bytes ?? 0,
    oldestSeconds: oldestSeconds(session),
    deadLetterMessages: outbox?.usage.deadLetters.messages ?? 0,
    deadLetterBytes: outbox?.usage.deadLetters.bytes ?? 0,
    inFlight: session?.delivery.inFlight ?? 0,
    paused: session?.delivery.paused ?? false,
    store: outbox?.uuid ?? '',
    connections: (pool?.carriers ?? []).map(({ link, phase, failures, reason }, rank) => ({
      name: link.name,
      state: phase === 'open' && failures > 0 ? 'trial' : phase,
      carries: pool?.current?.rank === rank,
      reason: failures > 0 ? reason : '',
    })),
    figures: figures.snapshot(),
    adopted: adopted.map(({ outbox: { uuid, usage } }) => ({
      store: uuid,
      messages: usage.messages,
      bytes: usage.bytes,
    })),
  };
}
