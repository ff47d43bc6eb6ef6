import type { Random } from '../../../nodes/shared/random';
import type { Answer, Link, LinkObserver, Outgoing } from '../../../nodes/resilient-uplink/link';
import { entriesOf } from './support';

/** What reached the other side, in the order in which it did, over all connections. */
export interface Arrival {
  id: string;
  text: string;
}

interface OnTheWire {
  outgoing: Outgoing;
  answer: (answer: Answer) => void;
  session: number;
}

/**
 * A connection whose other side does everything that a real one may do: takes messages and loses the
 * acknowledgement, refuses, stalls, dies with a part of what was sent having arrived, and lets what was sent over a
 * closed connection arrive late. What keeps order, does so in all of this.
 */
export class HostileLink implements Link {
  readonly name: string;
  readonly window = 8;
  reachable = true;
  frozen = false;
  private observer: LinkObserver | undefined;
  private session = 0;
  private wire: OnTheWire[] = [];
  /** Streams that are refused until a message up to this sequence comes again: a refusal is not overtaken. */
  private readonly refusedFrom = new Map<string, number>();

  constructor(
    readonly id: string,
    readonly ordered: boolean,
    private readonly random: Random,
    private readonly arrivals: Arrival[],
    private readonly isPoison: (text: string) => boolean,
  ) {
    this.name = id;
  }

  open(observer: LinkObserver): void {
    this.observer = observer;
    queueMicrotask(() => {
      if (this.observer === observer) {
        if (this.reachable) {
          observer.opened();
        } else {
          this.die();
        }
      }
    });
  }

  send(outgoing: Outgoing, answer: (answer: Answer) => void): void {
    this.wire.push({ outgoing, answer, session: this.session });
  }

  refresh(): void {
    // Its settings never change.
  }

  close(): void {
    this.observer = undefined;
    this.session++;
    this.loseSome();
  }

  die(): void {
    const { observer } = this;
    this.close();
    observer?.lost({ reason: 'reset', closed: true });
  }

  /** The other side handles one message, in any way it may. */
  step(kind: 'any' | 'kind'): void {
    if (this.frozen || this.wire.length === 0) {
      return;
    }
    const index = this.ordered ? 0 : this.random.int(this.wire.length);
    const [{ outgoing, answer, session }] = this.wire.splice(index, 1);
    const reply = this.handle(outgoing, session, kind);
    const lostOnTheWay = kind === 'any' && this.random.next() < 0.15;
    if (session === this.session && reply && !lostOnTheWay) {
      answer(reply);
    }
  }

  get busy(): boolean {
    return this.wire.length > 0;
  }

  private handle(outgoing: Outgoing, session: number, kind: 'any' | 'kind'): Answer | undefined {
    const entries = entriesOf(outgoing);
    const [{ id, text }] = entries;
    const sequence = Number(id.split(':')[1]);
    if (entries.some((entry) => this.isPoison(entry.text))) {
      return { outcome: 'rejected', reason: 'poison' };
    }
    const stream = `${session} ${outgoing.topic} ${text.split(' ')[1]}`;
    const refused = this.refusedFrom.get(stream);
    if (refused !== undefined && sequence > refused) {
      return { outcome: 'retry', reason: 'refused' };
    }
    if (kind === 'any' && this.random.next() < 0.15) {
      this.refusedFrom.set(stream, sequence);
      return { outcome: 'retry', reason: 'refused' };
    }
    this.refusedFrom.delete(stream);
    this.arrivals.push(...entries);
    return { outcome: 'acknowledged' };
  }

  /** Of what is on the wire when it is cut, a first part may still arrive. */
  private loseSome(): void {
    this.wire.splice(this.random.int(this.wire.length + 1));
  }
}
