import type { Clock } from '../shared/clock';
import type { Random } from '../shared/random';
import { backoffMs, type RetryBounds } from './backoff';
import { Carrier, type Flight } from './carrier';
import { reportConnection, type ConnectionReport } from './connection-report';
import type { Fault, Link } from './link';

export interface PoolConfig {
  retry: RetryBounds;
  ackTimeoutMs: number;
  healthIntervalMs: number;
  failbackMs: number;
}

export interface PoolEvents {
  /** Messages that were under way on a connection that was lost. */
  lost(flights: Flight[]): void;
  /** A connection opened, or another one carries now, or none does. */
  changed(): void;
  /** A connection that had worked stopped working, or never opened. */
  failed(carrier: Carrier): void;
}

/** How long a connection may take to open before the next one is tried as well. */
const PATIENCE_MS = 3000;

/**
 * Decides which connection carries. The first that works does; while it does not, the next one. Health is
 * acknowledgement progress: one that owes acknowledgements for `ackTimeout` is closed whatever its socket says, and
 * stays under suspicion until a message that is sent over it on trial is acknowledged (a half-open circuit breaker).
 */
export class LinkPool {
  readonly carriers: readonly Carrier[];
  /** The connection that carries now. */
  current: Carrier | undefined;
  private stopped = false;

  constructor(
    links: readonly Link[],
    private readonly config: PoolConfig,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly events: PoolEvents,
  ) {
    this.carriers = links.map((link, rank) => new Carrier(link, rank, clock.monotonic()));
  }

  /** Looks after all connections; call often and after anything happened to one. */
  tend(): void {
    if (this.stopped) {
      return;
    }
    const now = this.clock.monotonic();
    for (const carrier of this.carriers) {
      if (carrier.phase === 'open') {
        this.judge(carrier, now);
      }
    }
    this.elect(now);
    for (const carrier of this.carriers) {
      if (carrier.phase === 'closed' && this.isDue(carrier, now)) {
        this.open(carrier, now);
      } else if (this.isSpare(carrier)) {
        carrier.link.close();
        carrier.reset();
      }
      carrier.look(now);
    }
  }

  /** How every connection is doing now. */
  report(): ConnectionReport[] {
    return this.carriers.map((carrier) => {
      carrier.look(this.clock.monotonic());
      return reportConnection(carrier, carrier === this.current, this.nextTry(carrier), this.clock);
    });
  }

  /** Higher-ranked connections that are open but do not carry, and that should be sent one message on trial now. */
  onTrial(): Carrier[] {
    const now = this.clock.monotonic();
    const current = this.current;
    return this.carriers.filter(
      (carrier) =>
        carrier !== current &&
        carrier.phase === 'open' &&
        (!current || carrier.rank < current.rank) &&
        carrier.flights.size === 0 &&
        carrier.hasRoom(now) &&
        now - carrier.lastProbeAt >= this.config.healthIntervalMs,
    );
  }

  /** Forgets all waiting times: everything that is closed is tried at once. */
  hurry(): void {
    for (const carrier of this.carriers) {
      carrier.nextAttemptAt = -Infinity;
      carrier.pausedUntil = -Infinity;
    }
    this.tend();
  }

  /** Closes every connection; what was under way has no answer. */
  stop(): Flight[] {
    this.stopped = true;
    this.current = undefined;
    return this.carriers.flatMap((carrier) => {
      carrier.link.close();
      return carrier.reset();
    });
  }

  private judge(carrier: Carrier, now: number): void {
    const { ackTimeoutMs } = this.config;
    const seconds = ackTimeoutMs / 1000;
    if (carrier.isSilent(now, ackTimeoutMs)) {
      this.fail(carrier, `nothing was acknowledged for ${seconds} s`);
    } else if (this.carriers.length > 1 && carrier.isBarren(now, ackTimeoutMs)) {
      this.fail(carrier, carrier.trouble?.reason ?? `every message was refused for ${seconds} s`);
    } else if (
      carrier.failures > 0 &&
      carrier.flights.size === 0 &&
      now - carrier.openedAt >= this.config.failbackMs
    ) {
      carrier.failures = 0;
      carrier.trouble = undefined;
    }
  }

  private elect(now: number): void {
    const { current } = this;
    const open = this.carriers.filter(({ phase }) => phase === 'open');
    let elected: Carrier | undefined;
    if (current?.phase === 'open') {
      elected =
        open.find(
          (carrier) =>
            carrier.rank < current.rank &&
            carrier.failures === 0 &&
            carrier.flights.size === 0 &&
            now - carrier.openedAt >= this.config.failbackMs,
        ) ?? current;
    } else {
      elected = open.find(({ failures }) => failures === 0);
      if (!elected && !this.carriers.some((carrier) => this.isHopeful(carrier, now))) {
        elected = open.reduce<Carrier | undefined>(
          (best, carrier) => (best && best.failures <= carrier.failures ? best : carrier),
          undefined,
        );
      }
    }
    if (elected !== current) {
      this.current = elected;
      this.events.changed();
    }
  }

  /** One that never failed and may open any moment: worth waiting for rather than using a suspect. */
  private isHopeful(carrier: Carrier, now: number): boolean {
    return (
      carrier.failures === 0 &&
      (carrier.phase === 'closed' || (carrier.phase === 'opening' && now - carrier.attemptedAt < PATIENCE_MS))
    );
  }

  private isDue(carrier: Carrier, now: number): boolean {
    const { current } = this;
    if (current && current.failures === 0) {
      return carrier.rank < current.rank && now - carrier.attemptedAt >= this.config.healthIntervalMs;
    }
    return (
      now >= carrier.nextAttemptAt &&
      this.carriers.every(
        (higher) =>
          higher.rank >= carrier.rank ||
          higher.failures > 0 ||
          (higher.phase === 'opening' && now - higher.attemptedAt >= PATIENCE_MS),
      )
    );
  }

  /** Monotonic time of the next try of one that is closed, or paused; undefined when none is due. */
  private nextTry(carrier: Carrier): number | undefined {
    const { current } = this;
    if (carrier.phase !== 'closed') {
      return carrier.pausedUntil > this.clock.monotonic() ? carrier.pausedUntil : undefined;
    }
    if (current?.failures !== 0) {
      return carrier.failures > 0 ? carrier.nextAttemptAt : undefined;
    }
    return carrier.rank < current.rank ? carrier.attemptedAt + this.config.healthIntervalMs : undefined;
  }

  /** A lower-ranked connection that is not needed while a trusted one carries. */
  private isSpare(carrier: Carrier): boolean {
    const { current } = this;
    return (
      carrier.phase !== 'closed' &&
      carrier.flights.size === 0 &&
      current !== undefined &&
      current.failures === 0 &&
      carrier.rank > current.rank
    );
  }

  private open(carrier: Carrier, now: number): void {
    carrier.phase = 'opening';
    carrier.attemptedAt = now;
    carrier.link.open({
      opened: () => {
        if (carrier.phase === 'opening') {
          carrier.phase = 'open';
          carrier.openedAt = this.clock.monotonic();
          carrier.lastProbeAt = -Infinity;
          this.tend();
          this.events.changed();
        }
      },
      lost: (reason, fault) => {
        this.fail(carrier, reason, fault);
        this.tend();
      },
    });
  }

  private fail(carrier: Carrier, reason: string, fault?: Fault): void {
    if (carrier.phase === 'closed' || this.stopped) {
      return;
    }
    carrier.link.close();
    const flights = carrier.reset();
    carrier.failures++;
    carrier.trouble = fault ? { reason, fault } : { reason };
    carrier.nextAttemptAt =
      this.clock.monotonic() + backoffMs(this.config.retry, carrier.failures, this.random);
    if (this.current === carrier) {
      this.current = undefined;
    }
    this.events.lost(flights);
    this.events.failed(carrier);
    this.events.changed();
  }
}
