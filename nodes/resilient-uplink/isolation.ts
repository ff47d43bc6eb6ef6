import type { Random } from '../shared/random';
import type { Carrier, Flight } from './carrier';
import type { Lane } from './lane';
import type { Loss } from './link';
import type { TopicQueue } from './topic-queue';

/** Closures in a row that a message was under way at before it is sent by itself only. */
const SUSPICION = 3;
/** Trials in a row after which it is held to be the cause. */
const CONVICTION = 3;
/**
 * How many times longer than the closure took after the message was sent the connection must have lasted before. A
 * network that fails at random moments then meets three trials in a row with a chance of less than one in a million.
 */
const QUIET_FACTOR = 50;
/** How long before a trial a sign of life may be. */
const FRESH_MS = 1000;
/** How long a sign of life is waited for. */
const PATIENCE_MS = 10_000;

/** A topic whose first message may be the cause of closures. */
interface Suspect {
  queue: TopicQueue;
  lane: Lane;
  /** Of its first message. */
  sequence: number;
  convictions: number;
  /** Where they were. */
  carrier?: Carrier;
  /** Whether the next trial waits for a quiet connection, so that it says something. */
  patient: boolean;
  quietMs: number;
}

interface Trial {
  suspect: Suspect;
  flight: Flight;
  carrier: Carrier;
  sentAt: number;
  /** Whether the connection was quiet and alive before. */
  sound: boolean;
}

/**
 * Finds messages that make the other side close the connection, as brokers do for a topic or a size that they do not
 * take. One that was under way at three closures in a row is held back and sent by itself while the others go on
 * around it; only a connection that was quiet and alive before, and closes right after it, three times with no other
 * closure in between, speaks against it. A network that flaps does not look like that.
 */
export class Isolation {
  private suspects: Suspect[] = [];
  private trial: Trial | undefined;

  /** @param quietMs how long a connection has to have been up before a trial counts, at least */
  constructor(
    private readonly quietMs: number,
    private readonly random: Random,
  ) {}

  /** Whether a message is being sent by itself: nothing else may go. */
  get busy(): boolean {
    return this.trial !== undefined;
  }

  has(queue: TopicQueue): boolean {
    return this.suspects.some((suspect) => suspect.queue === queue);
  }

  /** The topic whose first message should go by itself over a connection now. */
  due(carrier: Carrier, now: number): { queue: TopicQueue; lane: Lane } | undefined {
    this.tidy();
    return this.trial ? undefined : this.suspects.find((suspect) => isDue(suspect, carrier, now));
  }

  /** A suspect's message was sent by itself. */
  launched(flight: Flight, carrier: Carrier, now: number): void {
    const suspect = this.suspects.find(({ queue }) => queue === flight.queue);
    if (suspect) {
      const sound = isQuiet(suspect, carrier, now) && now - carrier.provenAt <= FRESH_MS;
      this.trial = { suspect, flight, carrier, sentAt: now, sound };
    }
  }

  /** A message was answered, whatever the answer: if it was a suspect's, that is none any more. */
  answered(flight: Flight): void {
    if (this.trial?.flight === flight) {
      this.acquit(this.trial.suspect);
      this.trial = undefined;
    }
  }

  /**
   * A connection was lost; call before what was under way is put back.
   *
   * @returns what was sent by itself and is held to be the cause
   */
  lost(carrier: Carrier, loss: Loss, now: number): Flight | undefined {
    const { trial } = this;
    const own = trial?.carrier === carrier ? trial : undefined;
    if (own) {
      this.trial = undefined;
      own.suspect.patient = true;
    }
    if (!loss.closed) {
      if (!own) {
        this.forget(carrier, own);
      }
      return undefined;
    }
    const tookMs = own ? now - own.sentAt : Infinity;
    const counts =
      own?.sound && !loss.fault && !loss.shared && tookMs * QUIET_FACTOR <= own.sentAt - carrier.openedAt;
    if (!counts) {
      this.forget(carrier, own);
    }
    if (!own) {
      return undefined;
    }
    const { suspect } = own;
    suspect.quietMs = Math.max(this.quietMs, tookMs * QUIET_FACTOR) * (1 + 2 * this.random.next());
    // The others have their turn first.
    this.suspects = [...this.suspects.filter((other) => other !== suspect), suspect];
    if (!counts) {
      return undefined;
    }
    suspect.convictions = suspect.carrier === carrier ? suspect.convictions + 1 : 1;
    suspect.carrier = carrier;
    // Where none was ever taken, the cause need not be this one; a batch is taken apart all the same.
    const blamed = carrier.acknowledged || own.flight.cargo.length > 1;
    if (suspect.convictions < CONVICTION || !blamed) {
      return undefined;
    }
    // What comes behind it in its topic is as suspicious.
    Object.assign(suspect, { convictions: 0, patient: false });
    return own.flight;
  }

  /** Messages were under way at a closure and wait again. */
  suspect(flights: readonly Flight[], carrier: Carrier): void {
    for (const { cargo, queue, lane } of flights) {
      for (const held of cargo) {
        held.closures = held.closedAt === carrier.closures - 1 ? held.closures + 1 : 1;
        held.closedAt = carrier.closures;
      }
      const first = queue.waiting.at(0);
      if (first && first.closures >= SUSPICION && !this.has(queue)) {
        this.suspects.push({
          queue,
          lane,
          sequence: first.message.sequence,
          convictions: 0,
          patient: false,
          quietMs: this.quietMs * (1 + 2 * this.random.next()),
        });
      }
    }
    this.suspects.forEach(({ queue }) => queue.holdBack());
  }

  /** Tries every suspect at once. */
  hurry(): void {
    this.suspects.forEach((suspect) => {
      suspect.patient = false;
    });
  }

  /** A loss that no trial explains: what seemed proven may have been the network's doing as well. */
  private forget(carrier: Carrier, own: Trial | undefined): void {
    for (const suspect of this.suspects) {
      if (suspect.carrier === carrier) {
        suspect.convictions = 0;
      }
      if (!own) {
        suspect.patient = false;
      }
    }
  }

  /** Lets go of topics whose first message is another one now: it expired, or an earlier one was put back. */
  private tidy(): void {
    for (const suspect of this.suspects) {
      const { queue, sequence } = suspect;
      if (queue.flying > 0) {
        continue;
      }
      const first = queue.waiting.at(0);
      if (!first || first.message.sequence < sequence) {
        this.acquit(suspect);
      } else {
        suspect.sequence = first.message.sequence;
      }
    }
  }

  private acquit(suspect: Suspect): void {
    this.suspects = this.suspects.filter((other) => other !== suspect);
    for (const held of suspect.queue.waiting) {
      held.closures = 0;
    }
    suspect.queue.release();
    suspect.lane.wake(suspect.queue);
  }
}

function isQuiet({ quietMs }: Suspect, carrier: Carrier, now: number): boolean {
  return now - carrier.openedAt >= quietMs;
}

/** A patient one waits until the connection is quiet, and for a sign of life that may come. */
function isDue(suspect: Suspect, carrier: Carrier, now: number): boolean {
  if (!suspect.patient) {
    return true;
  }
  if (!isQuiet(suspect, carrier, now)) {
    return false;
  }
  if (now - carrier.provenAt <= FRESH_MS) {
    return true;
  }
  carrier.probe(now);
  return !carrier.link.probe || now - carrier.openedAt >= suspect.quietMs + PATIENCE_MS;
}
