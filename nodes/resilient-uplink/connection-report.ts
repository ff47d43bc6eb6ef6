import type { Clock } from '../shared/clock';
import type { Carrier } from './carrier';

/**
 * How a connection is doing, in the words of a circuit breaker: `closed` it is trusted, `open` it failed and waits for
 * its next try, `half-open` it is on trial.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** One connection as the dialog and `msg.operation` = `stats` show it. */
export interface ConnectionReport {
  id: string;
  name: string;
  /** 0 is the primary. */
  rank: number;
  state: BreakerState;
  /** `down`: not connected, for HTTP not in use. */
  link: 'down' | 'connecting' | 'up';
  /** Whether messages go over it now. */
  carries: boolean;
  /** Messages that are under way. */
  inFlight: number;
  /** Losses and stalls in a row. */
  failures: number;
  /** Since when it has been in this state, ms since the Unix epoch. */
  since: number;
  /** What is wrong, and what to do where that is known. */
  error?: string;
  /** Whether the other side refuses the credential or what it may do, which a person has to correct. */
  credential?: true;
  /** Milliseconds until it is tried again; absent while it need not be. */
  nextTryMs?: number;
}

const LINKS = { closed: 'down', opening: 'connecting', open: 'up' } as const;

/** @param next monotonic time of the connection's next try, where there is to be one */
export function reportConnection(
  carrier: Carrier,
  carries: boolean,
  next: number | undefined,
  clock: Clock,
): ConnectionReport {
  const { link, rank, state, phase, failures, stateSince, trouble } = carrier;
  const now = clock.monotonic();
  return {
    id: link.id,
    name: link.name,
    rank,
    state,
    link: LINKS[phase],
    carries,
    inFlight: carrier.messages,
    failures,
    since: Math.round(clock.now() - (now - stateSince)),
    ...(trouble && { error: trouble.reason }),
    ...(trouble?.fault && { credential: true as const }),
    ...(next !== undefined && { nextTryMs: Math.max(0, Math.round(next - now)) }),
  };
}
