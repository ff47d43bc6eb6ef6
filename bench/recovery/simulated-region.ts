import type { Clock } from '../../nodes/shared/clock';
import type { Answer, Link, LinkObserver, Outgoing } from '../../nodes/resilient-uplink/link';

export interface RegionLimits {
  /** Connections that the region takes a second; others are refused. */
  connectsPerSecond: number;
  /** Messages that it stores and acknowledges a second, of all gateways together. */
  messagesPerSecond: number;
}

const CONNECT_MS = 50;
const TRAVEL_MS = 20;
const STEP_MS = 10;

interface Waiting {
  link: SimulatedLink;
  session: number;
  answer: (answer: Answer) => void;
}

/** The region's brokers: down for a while, then with a limit on what they do in a second. */
export class SimulatedRegion {
  up = true;
  /** Attempts to connect by second of simulated time. */
  readonly attempts: number[] = [];
  /** Attempts that were refused for there being too many, by second. */
  readonly refused: number[] = [];
  /** Messages that arrived, by second. */
  readonly arrived: number[] = [];
  connected = 0;
  /** Most messages that waited for the region at once. */
  mostWaiting = 0;
  private readonly links = new Set<SimulatedLink>();
  private queue: Waiting[] = [];
  private served = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: RegionLimits,
  ) {
    this.work();
  }

  /** Every connection is gone at once, and none can be made until it is up again. */
  goDown(): void {
    this.up = false;
    this.queue = [];
    [...this.links].forEach((link) => link.drop('the region is down'));
  }

  connect(link: SimulatedLink): 'taken' | 'refused' {
    const second = Math.floor(this.clock.monotonic() / 1000);
    count(this.attempts, second);
    if (!this.up) {
      return 'refused';
    }
    const taken = (this.attempts[second] ?? 0) - (this.refused[second] ?? 0);
    if (taken > this.limits.connectsPerSecond) {
      count(this.refused, second);
      return 'refused';
    }
    this.links.add(link);
    this.connected++;
    return 'taken';
  }

  gone(link: SimulatedLink): void {
    if (this.links.delete(link)) {
      this.connected--;
    }
  }

  take(waiting: Waiting): void {
    count(this.arrived, Math.floor(this.clock.monotonic() / 1000));
    this.queue.push(waiting);
    this.mostWaiting = Math.max(this.mostWaiting, this.queue.length - this.served);
  }

  private work(): void {
    let left = Math.round((this.limits.messagesPerSecond * STEP_MS) / 1000);
    while (left > 0 && this.served < this.queue.length) {
      const { link, session, answer } = this.queue[this.served++];
      if (link.session === session) {
        left--;
        answer({ outcome: 'acknowledged' });
      }
    }
    if (this.served > 100_000) {
      this.queue = this.queue.slice(this.served);
      this.served = 0;
    }
    this.clock.after(STEP_MS, () => this.work());
  }
}

/** One gateway's connection. */
export class SimulatedLink implements Link {
  readonly name = 'region';
  readonly ordered = true;
  readonly window = 64;
  /** Counts openings; what belongs to an earlier one is passed over. */
  session = 0;
  private observer: LinkObserver | undefined;

  constructor(
    readonly id: string,
    private readonly region: SimulatedRegion,
    private readonly clock: Clock,
  ) {}

  open(observer: LinkObserver): void {
    const session = ++this.session;
    this.observer = observer;
    const outcome = this.region.connect(this);
    this.clock.after(CONNECT_MS, () => {
      if (this.session !== session) {
        return;
      }
      if (outcome === 'taken') {
        observer.opened();
      } else {
        this.drop('connection refused');
      }
    });
  }

  send(_outgoing: Outgoing, answer: (answer: Answer) => void): void {
    const { session } = this;
    this.clock.after(TRAVEL_MS, () => {
      if (this.session === session) {
        this.region.take({ link: this, session, answer });
      }
    });
  }

  drop(reason: string): void {
    const { observer } = this;
    this.close();
    observer?.lost({ reason });
  }

  refresh(): void {
    // Its settings never change.
  }

  close(): void {
    this.session++;
    this.observer = undefined;
    this.region.gone(this);
  }
}

function count(seconds: number[], second: number): void {
  seconds[second] = (seconds[second] ?? 0) + 1;
}
