import type { Answer, Link, LinkObserver, Loss, Outgoing } from './link';

const CLOSED: Loss = { reason: 'the connection was closed' };
/** Share of what may be under way that a guest may use, while the host sends as well. */
const GUEST_SHARE = 4;

/**
 * One connection for the deliveries of several outboxes, because some servers admit one connection a device. The host
 * decides when it opens and closes; guests use it while it is open.
 */
export class SharedLink implements Link {
  readonly ordered: boolean;
  /** Only where the connection has it: whoever cannot ask waits for no answer. */
  readonly probe?: (alive: () => void) => void;
  private isOpen = false;
  /** Counts connections, so that the answers of an earlier one are known. */
  private epoch = 0;
  private hostFlights = 0;
  private guestFlights = 0;
  private readonly guests = new Set<GuestLink>();
  /** Who asked for a sign of life. */
  private readonly asking = new Set<() => void>();

  constructor(private readonly link: Link) {
    this.ordered = link.ordered;
    if (link.probe) {
      this.probe = (alive) => this.ask(alive);
    }
  }

  get id(): string {
    return this.link.id;
  }

  get name(): string {
    return this.link.name;
  }

  get window(): number {
    const guests = this.guests.size > 0 ? Math.max(this.guestFlights, this.guestWindow()) : this.guestFlights;
    return Math.max(0, this.link.window - guests);
  }

  bodyLimit(topic: string): number {
    return this.link.bodyLimit?.(topic) ?? Infinity;
  }

  open(observer: LinkObserver): void {
    this.left(CLOSED);
    this.link.open({
      opened: () => {
        this.isOpen = true;
        observer.opened();
        this.guests.forEach((guest) => guest.tellOpened());
      },
      lost: (loss) => {
        const shared = this.guestFlights > 0;
        this.left(loss);
        observer.lost(shared ? { ...loss, shared } : loss);
      },
    });
  }

  send(message: Outgoing, answer: (answer: Answer) => void): void {
    const { epoch } = this;
    this.hostFlights++;
    this.link.send(message, (given) => {
      if (epoch === this.epoch) {
        this.hostFlights--;
      }
      answer(given);
    });
  }

  refresh(): void {
    this.link.refresh();
  }

  close(): void {
    this.link.close();
    this.left(CLOSED);
  }

  /** The same connection for another delivery. */
  guest(): Link {
    return new GuestLink({
      link: this.link,
      isOpen: () => this.isOpen,
      room: () => this.roomForGuests() - this.guestFlights,
      join: (guest) => this.guests.add(guest),
      leave: (guest) => this.guests.delete(guest),
      send: (message, answer) => this.sendForGuest(message, answer),
      ...(this.probe && { probe: this.probe }),
    });
  }

  /** What guests may have under way, all together. Where the window is too narrow to be shared, what the host leaves. */
  private roomForGuests(): number {
    return Math.min(this.link.window - this.hostFlights, Math.max(1, this.guestWindow()));
  }

  private guestWindow(): number {
    return Math.floor(this.link.window / GUEST_SHARE);
  }

  private sendForGuest(message: Outgoing, answer: (answer: Answer) => void): void {
    const { epoch } = this;
    this.guestFlights++;
    this.link.send(message, (given) => {
      if (epoch === this.epoch) {
        this.guestFlights--;
      }
      answer(given);
    });
  }

  /** The connection notes one who asks; all who did meanwhile are told. */
  private ask(alive: () => void): void {
    this.asking.add(alive);
    this.link.probe?.(() => {
      const asked = [...this.asking];
      this.asking.clear();
      asked.forEach((tell) => tell());
    });
  }

  private left({ reason, closed }: Loss): void {
    const flights = this.hostFlights + this.guestFlights;
    this.isOpen = false;
    this.epoch++;
    this.hostFlights = 0;
    this.guestFlights = 0;
    this.asking.clear();
    // What a person has to correct is the host's to wait for: a guest waits for the host.
    this.guests.forEach((guest) => guest.tellLost({ reason, ...(closed && { closed }) }, flights));
  }
}

interface Host {
  link: Link;
  isOpen(): boolean;
  /** What more guests may have under way. */
  room(): number;
  join(guest: GuestLink): void;
  leave(guest: GuestLink): void;
  send(message: Outgoing, answer: (answer: Answer) => void): void;
  probe?: (alive: () => void) => void;
}

/** A connection that somebody else opens and closes. */
class GuestLink implements Link {
  readonly ordered: boolean;
  readonly probe?: (alive: () => void) => void;
  private observer: LinkObserver | undefined;
  private isOpen = false;
  private flights = 0;

  constructor(private readonly host: Host) {
    this.ordered = host.link.ordered;
    if (host.probe) {
      this.probe = host.probe;
    }
  }

  get id(): string {
    return this.host.link.id;
  }

  get name(): string {
    return this.host.link.name;
  }

  get window(): number {
    return Math.max(0, this.flights + this.host.room());
  }

  bodyLimit(topic: string): number {
    return this.host.link.bodyLimit?.(topic) ?? Infinity;
  }

  open(observer: LinkObserver): void {
    this.observer = observer;
    this.host.join(this);
    if (this.host.isOpen()) {
      this.tellOpened();
    }
  }

  send(message: Outgoing, answer: (answer: Answer) => void): void {
    const { observer } = this;
    this.flights++;
    this.host.send(message, (given) => {
      if (observer && this.observer === observer) {
        this.flights--;
        answer(given);
      }
    });
  }

  /** The host's to do. */
  refresh(): void {
    return;
  }

  close(): void {
    this.observer = undefined;
    this.isOpen = false;
    this.flights = 0;
    this.host.leave(this);
  }

  tellOpened(): void {
    const { observer } = this;
    queueMicrotask(() => {
      if (observer && this.observer === observer && this.host.isOpen()) {
        this.isOpen = true;
        observer.opened();
      }
    });
  }

  /**
   * One that still waits for the connection goes on waiting.
   *
   * @param flights what was under way of all
   */
  tellLost(loss: Loss, flights: number): void {
    const { observer } = this;
    if (this.isOpen) {
      const shared = flights > this.flights;
      this.close();
      queueMicrotask(() => observer?.lost(shared ? { ...loss, shared } : loss));
    }
  }
}
