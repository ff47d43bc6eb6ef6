import { EdgeError } from '../../shared/errors';
import { FollowedMessage, heldMessages, onLowered } from '../../shared/in-flight';
import { AckQueue } from '../mqtt/ack-queue';
import type { Pacer } from '../mqtt/pacer';
import { GatheredEnds } from './gathered-ends';
import type { Delivery } from './packing';
import type { LinkState, ReaderReport, ReaderSettings, Wanted } from './protocol';
import { BatchTally } from './tallies';
import type { ReaderLink, ReaderListener } from './threads';
import { DeliveryUnpacker } from './unpacking';

/** Messages that nodes of the suite may be working on before no more are read from the broker. */
const MOST_HELD = 2000;
/** How long a closing node waits for the flow to be done with what it was handed, and then for its reader, ms. */
const SETTLE_MS = 1000;
const CLOSE_MS = 5000;
/** When a reader whose thread has ended is started again, ms: each time later, until one has listened. */
const RESTART_MS = 1000;
const LONGEST_RESTART_MS = 60_000;

interface Batch {
  deliveries: Delivery[];
  /** In which it came. */
  connection: number;
}

const NO_READER: ReaderLink = { order: () => undefined, release: () => undefined };

/** A message on its way through the flow; `forget` lets it be taken in again. */
export interface Handed {
  message: FollowedMessage;
  forget: () => void;
}

export interface DirectSourceOptions {
  /** Finds a thread for a reader. */
  attach(listener: ReaderListener): ReaderLink;
  /** What a reader is made of, with the credentials of now. */
  settings(): ReaderSettings;
  /** Whether each connection needs a new credential. */
  renews: boolean;
  pacer: Pacer;
  /** Runs an action in the next turn of the event loop. */
  nextTurn: (action: () => void) => void;
  /** Runs an action after so many ms. */
  later: (ms: number, action: () => void) => void;
  /** Does something after the deployment that is under way, where there is one. */
  afterDeployment: (action: () => void) => void;
  /** Takes one delivery in; must not throw. Says where it is, for one that is to be acknowledged. */
  onDelivery(delivery: Delivery, followed: boolean): Handed | undefined;
  onState(state: LinkState): void;
  /** The reader cannot be opened, and is not tried again. */
  onFailed(error: EdgeError): void;
  warn(text: string): void;
}

/**
 * The node's end of a direct source: takes in what its reader hands over, one batch at a time, and tells it what came of
 * each message when the flow has done with it. While the flow has too much to do, it asks for nothing more.
 */
export class DirectSource {
  private link: ReaderLink;
  private readonly queue: AckQueue;
  private unpacker = new DeliveryUnpacker();
  /** Counts connections, and readers: what was handed over by an earlier one comes again. */
  private connection = 0;
  private readonly settled: GatheredEnds;
  private taken = new BatchTally();
  /** Those that have not been handed on as a whole; the reader sees to it that they are few. */
  private batches: Batch[] = [];
  private restartMs = RESTART_MS;
  private closing = false;
  private onClosed: (() => void) | undefined;

  constructor(private readonly options: DirectSourceOptions) {
    this.queue = new AckQueue(options.nextTurn);
    this.settled = new GatheredEnds(options.later, () => this.link.order({ kind: 'look' }));
    this.link = this.open();
    options.onState('connecting');
  }

  /** Publishes without waiting, while there is a connection. */
  publish(topic: string, payload: Uint8Array): void {
    this.link.order({ kind: 'publish', topic, payload });
  }

  /** Tells which messages are wanted as they came. */
  want(wanted: Wanted): void {
    this.link.order({ kind: 'want', wanted });
  }

  async close(): Promise<void> {
    this.closing = true;
    this.link.order({ kind: 'stop' });
    // The broker sends them again; the reader must not wait for room.
    this.batches.forEach(() => this.noteTaken());
    this.batches = [];
    await within(SETTLE_MS, this.queue.whenEmpty());
    this.queue.giveUp().forEach(({ lose }) => lose());
    if (this.link !== NO_READER) {
      const closed = new Promise<void>((resolve) => {
        this.onClosed = resolve;
      });
      this.link.order({ kind: 'close' });
      await within(CLOSE_MS, closed);
    }
    // Also without an answer, as of a thread that is stuck: nobody waits for what it hears of any more.
    this.gone();
  }

  private open(): ReaderLink {
    const link = this.options.attach({
      report: (report) => this.hear(report),
      died: (error) => this.died(error),
    });
    this.taken = new BatchTally();
    const ends = this.settled.renew();
    link.order({ kind: 'open', settings: this.options.settings(), batches: this.taken.shared, ends });
    return link;
  }

  private hear(report: ReaderReport): void {
    const { options } = this;
    switch (report.kind) {
      case 'deliveries':
        this.take(this.unpacker.unpack(report.packed));
        break;
      case 'state':
        if (report.state === 'disconnected' || report.state === 'denied') {
          this.connection++;
          if (options.renews) {
            this.link.order({ kind: 'renew', connection: options.settings().connection });
          }
        }
        this.restartMs = report.state === 'listening' ? RESTART_MS : this.restartMs;
        this.show(report.state);
        break;
      case 'warning':
        options.warn(report.text);
        break;
      case 'failed':
        this.gone();
        options.onFailed(new EdgeError(report.code, report.message));
        break;
      case 'closed':
        this.gone();
    }
  }

  private take(deliveries: Delivery[]): void {
    if (this.closing) {
      this.noteTaken();
      return;
    }
    this.batches.push({ deliveries, connection: this.connection });
    if (this.batches.length === 1) {
      this.goOn(this.link, 0);
    }
  }

  private goOn(link: ReaderLink, from: number): void {
    this.options.afterDeployment(() => this.handOn(link, from));
  }

  /** Hands on the first batch from a place on, then those behind it. */
  private handOn(link: ReaderLink, from: number): void {
    const [batch] = this.batches as readonly (Batch | undefined)[];
    if (link !== this.link || !batch) {
      return;
    }
    const { deliveries, connection } = batch;
    for (let place = from; place < deliveries.length;) {
      this.hand(deliveries[place++], connection);
      if (!this.options.pacer.goesOn() || heldMessages() >= MOST_HELD) {
        this.whenRoom(() => this.options.pacer.pause(() => this.goOn(link, place)));
        return;
      }
    }
    this.noteTaken();
    this.batches.shift();
    this.goOn(link, 0);
  }

  private hand(delivery: Delivery, connection: number): void {
    const { link } = this;
    const followed = delivery.qos > 0;
    // After a deployment in which the connection was lost, it comes again.
    const stale = delivery.qos === 1 && connection !== this.connection;
    const handed = stale ? undefined : this.options.onDelivery(delivery, followed);
    if (!followed) {
      return;
    }
    this.queue.add(handed?.message ?? new FollowedMessage(''), {
      settle: () => {
        if (link === this.link) {
          this.settled.add();
        }
      },
      lose: () => {
        handed?.forget();
        if (link === this.link) {
          link.order({ kind: 'lost', ends: this.settled.renew() });
          this.options.afterDeployment(() => link.order({ kind: 'sendAgain' }));
        }
      },
    });
  }

  private noteTaken(): void {
    if (this.taken.take()) {
      this.link.order({ kind: 'look' });
    }
  }

  private whenRoom(goOn: () => void): void {
    if (heldMessages() < MOST_HELD) {
      goOn();
    } else {
      onLowered(() => this.whenRoom(goOn));
    }
  }

  private died(error: EdgeError): void {
    this.gone();
    if (this.closing) {
      return;
    }
    this.show('disconnected');
    this.options.warn(
      `${error.message} It is started again; what was under way comes again from the broker.`,
    );
    const delay = this.restartMs;
    this.restartMs = Math.min(2 * delay, LONGEST_RESTART_MS);
    this.options.later(delay, () => {
      if (!this.closing) {
        this.unpacker = new DeliveryUnpacker();
        this.link = this.open();
        this.show('connecting');
      }
    });
  }

  /** There is no reader any more: nothing is told of what it handed over. */
  private gone(): void {
    this.link.release();
    this.link = NO_READER;
    this.connection++;
    this.batches = [];
    this.settled.renew();
    this.onClosed?.();
  }

  private show(state: LinkState): void {
    if (!this.closing) {
      this.options.onState(state);
    }
  }
}

async function within(ms: number, done: Promise<void>): Promise<void> {
  let deadline: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    deadline = setTimeout(resolve, ms);
  });
  await Promise.race([done, late]);
  clearTimeout(deadline);
}
