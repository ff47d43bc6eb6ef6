import type { Answer, Link, LinkObserver, Outgoing } from './link';

/** Share of what may be under way that a guest may use, while the host sends as well. */
const GUEST_SHARE = 4;

/**
 * One connection for the deliveries of several outboxes, because some servers admit one connection a device. The host
 * decides when it opens and closes; guests use it while it is open.
 */
export class SharedLink implements Link {
  readonly ordered: boolean;
  private isOpen = false;
  /** Counts connections, so that the answers of an earlier one are known. */
  private epoch = 0;
  private hostFlights = 0;
  private guestFlights = 0;
  private readonly guests = new Set<GuestLink>();

  constructor(private readonly link: Link) {
    this.ordered = link.ordered;
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
    this.left('the connection was closed');
    this.link.open({
      opened: () => {
        this.isOpen = true;
        observer.opened();
        this.guests.forEach((guest) => guest.tellOpened());
      },
      lost: (reason) => {
        this.left(reason);
        observer.lost(reason);
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
    this.left('the connection was closed');
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

  private left(reason: string): void {
    this.isOpen = false;
    this.epoch++;
    this.hostFlights = 0;
    this.guestFlights = 0;
    this.guests.forEach((guest) => guest.tellLost(reason));
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
}

/** A connection that somebody else opens and closes. */
class GuestLink implements Link {
  readonly ordered: boolean;
  private observer: LinkObserver | undefined;
  private isOpen = false;
  private flights = 0;

  constructor(private readonly host: Host) {
    this.ordered = host.link.ordered;
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

  /** One that still waits for the connection goes on waiting. */
  tellLost(reason: string): void {
    const { observer } = this;
    if (this.isOpen) {
      this.close();
      queueMicrotask(() => observer?.lost(reason));
    }
  }
}
