import type { BreakerState } from './connection-report';
import type { Clock } from '../shared/clock';
import type { Trouble } from '../shared/trouble';
import type { Link } from './link';
import type { Held, TopicQueue } from './topic-queue';
import type { Lane } from './lane';

/** Messages of one topic that are under way together. */
export interface Flight {
  cargo: Held[];
  /** Bytes of their bodies. */
  bytes: number;
  queue: TopicQueue;
  lane: Lane;
}

const PROBE_MS = 1000;
/** Limit of the bytes that are under way at once; one message always may. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** A connection and how it is doing. Times are monotonic ms. */
export class Carrier {
  phase: 'closed' | 'opening' | 'open' = 'closed';
  /** Losses and stalls in a row, until an acknowledgement. While there are any the connection is under suspicion. */
  failures = 0;
  attemptedAt = -Infinity;
  nextAttemptAt = -Infinity;
  openedAt = 0;
  lastProbeAt = -Infinity;
  /** Nothing is sent before: the other side asked for a pause. */
  pausedUntil = -Infinity;
  /** Times that the other side closed it. */
  closures = 0;
  /** Whether it acknowledged a message with its settings of now. */
  acknowledged = false;
  /** When the other side last gave a sign of life over it. */
  provenAt = -Infinity;
  /** What is wrong, until an acknowledgement. */
  trouble: Trouble | undefined;
  /** Since when it has been in its state, as far as that was looked at. */
  stateSince = 0;
  readonly flights = new Set<Flight>();
  private bytes = 0;
  private lastAnswerAt = 0;
  /** Since when an acknowledgement has been owed. */
  private owedSince: number | undefined;
  private probedAt = -Infinity;
  private seen: BreakerState = 'closed';

  constructor(
    readonly link: Link,
    readonly rank: number,
    private readonly clock: Clock,
  ) {
    this.stateSince = clock.monotonic();
  }

  /** As a circuit breaker: trusted, waiting for its next try, or on trial. */
  get state(): BreakerState {
    if (this.failures === 0) {
      return 'closed';
    }
    return this.phase === 'closed' ? 'open' : 'half-open';
  }

  /** Takes note of the state; call whenever it may have changed. */
  look(now: number): void {
    if (this.seen !== this.state) {
      this.seen = this.state;
      this.stateSince = now;
    }
  }

  /** Under suspicion it gets one publish at a time. */
  hasRoom(now: number): boolean {
    return (
      this.phase === 'open' &&
      now >= this.pausedUntil &&
      this.flights.size < Math.min(this.link.window, this.failures > 0 ? 1 : Infinity) &&
      this.bytes < WINDOW_BYTES
    );
  }

  pause(until: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, until);
  }

  /** Asks for a sign of life, at most once a second. */
  probe(now: number): void {
    if (now - this.probedAt >= PROBE_MS) {
      this.probedAt = now;
      this.link.probe?.(() => {
        this.provenAt = this.clock.monotonic();
      });
    }
  }

  /** It is open: what was known of an earlier connection is past. */
  opened(now: number): void {
    this.phase = 'open';
    this.openedAt = now;
    this.provenAt = -Infinity;
    this.lastProbeAt = -Infinity;
  }

  launched(flight: Flight, now: number): void {
    if (this.flights.size === 0) {
      this.lastAnswerAt = now;
    }
    this.owedSince ??= now;
    this.flights.add(flight);
    this.bytes += flight.bytes;
  }

  /** Notes an answer; `progress` when it settled the message. */
  answered(flight: Flight, progress: boolean, now: number): void {
    this.flights.delete(flight);
    this.bytes -= flight.bytes;
    this.lastAnswerAt = now;
    this.provenAt = now;
    if (progress) {
      this.acknowledged = true;
      this.failures = 0;
      this.trouble = undefined;
      this.owedSince = this.flights.size > 0 ? now : undefined;
    }
  }

  /** Whether messages are under way and nothing at all was answered for too long. */
  isSilent(now: number, ackTimeoutMs: number): boolean {
    return this.flights.size > 0 && now - this.lastAnswerAt > ackTimeoutMs;
  }

  /** Whether answers may come but no acknowledgement did for too long. */
  isBarren(now: number, ackTimeoutMs: number): boolean {
    return this.owedSince !== undefined && now - this.owedSince > ackTimeoutMs;
  }

  /** Whether an acknowledgement is owed. */
  get owes(): boolean {
    return this.owedSince !== undefined;
  }

  /** How many messages are under way. */
  get messages(): number {
    let count = 0;
    for (const { cargo } of this.flights) {
      count += cargo.length;
    }
    return count;
  }

  reset(): Flight[] {
    const flights = [...this.flights];
    this.flights.clear();
    this.bytes = 0;
    this.owedSince = undefined;
    this.phase = 'closed';
    return flights;
  }
}
