import type { Clock } from '../shared/clock';
import type { Trouble } from '../shared/trouble';
import type { Random } from '../shared/random';
import { backoffMs, slowRetryMs, type RetryBounds } from './backoff';
import { Carrier, type Flight } from './carrier';
import { reportConnection, type ConnectionReport } from './connection-report';
import { SETTINGS_CHANGED, type Link, type Loss } from './link';

export interface PoolConfig {
  retry: RetryBounds;
  ackTimeoutMs: number;
  healthIntervalMs: number;
  failbackMs: number;
}

export interface PoolEvents {
  /** A connection that was open is lost, with messages that were under way. */
  lost(flights: Flight[], carrier: Carrier, loss: Loss): void;
  /** A connection opened, or another one carries now, or none does. */
  changed(): void;
  /** A connection that had worked stopped working, or never opened. */
  failed(carrier: Carrier): void;
}

/** Many brokers give no other answer to a quality of service, topic or client that they do not take. */
const NONE_TAKEN =
  ' when a message was sent, and has taken none yet: check the quality of service ("qos" = 1 for AWS, Azure and NATS before 2.10), the topic and what this client may do';

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
    this.carriers = links.map((link, rank) => new Carrier(link, rank, clock));
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

  /** Closes a connection and opens none any more; what was under way has no answer. */
  stop(carrier: Carrier): Flight[] {
    this.stopped = true;
    this.current = undefined;
    carrier.link.close();
    return carrier.reset();
  }

  private judge(carrier: Carrier, now: number): void {
    const { ackTimeoutMs } = this.config;
    const seconds = ackTimeoutMs / 1000;
    if (carrier.isSilent(now, ackTimeoutMs)) {
      this.fail(carrier, { reason: `nothing was acknowledged for ${seconds} s` });
    } else if (carrier.isBarren(now, ackTimeoutMs)) {
      const trouble = carrier.trouble ?? { reason: `every message was refused for ${seconds} s` };
      if (this.carriers.length > 1) {
        this.fail(carrier, trouble);
      } else if (carrier.failures === 0) {
        // There is no other: it stays open, on trial.
        carrier.failures = 1;
        this.noteFailure(carrier, trouble);
      }
    } else if (
      carrier.failures > 0 &&
      !carrier.owes &&
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
      return carrier.rank < current.rank && now >= this.nextProbe(carrier);
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
    return carrier.rank < current.rank ? this.nextProbe(carrier) : undefined;
  }

  /** When a higher-ranked connection is tried while another carries: not soon where only a person can help. */
  private nextProbe({ attemptedAt, nextAttemptAt, trouble }: Carrier): number {
    const usual = attemptedAt + this.config.healthIntervalMs;
    return trouble?.fault === 'credential' ? Math.max(usual, nextAttemptAt) : usual;
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
          carrier.opened(this.clock.monotonic());
          this.tend();
          this.events.changed();
        }
      },
      lost: (loss) => {
        this.fail(carrier, loss);
        this.tend();
      },
    });
  }

  /** Gives a connection up until its next try. */
  fail(carrier: Carrier, loss: Loss): void {
    if (carrier.phase === 'closed' || this.stopped) {
      return;
    }
    const wasOpen = carrier.phase === 'open';
    if (wasOpen && loss.closed) {
      carrier.closures++;
    }
    carrier.link.close();
    const flights = carrier.reset();
    carrier.failures++;
    if (loss.reason === SETTINGS_CHANGED) {
      carrier.acknowledged = false;
    }
    const { retry } = this.config;
    const waitMs =
      loss.fault === 'credential'
        ? slowRetryMs(retry, this.random)
        : backoffMs(retry, carrier.failures, this.random);
    carrier.nextAttemptAt = this.clock.monotonic() + waitMs;
    if (this.current === carrier) {
      this.current = undefined;
    }
    if (wasOpen) {
      this.events.lost(flights, carrier, loss);
    }
    const helpless = loss.closed && flights.length > 0 && !carrier.acknowledged;
    this.noteFailure(carrier, helpless ? { ...loss, reason: `${loss.reason}${NONE_TAKEN}` } : loss);
  }

  private noteFailure(carrier: Carrier, { reason, fault }: Trouble): void {
    carrier.trouble = { reason, ...(fault && { fault }) };
    carrier.look(this.clock.monotonic());
    this.events.failed(carrier);
    this.events.changed();
  }
}
