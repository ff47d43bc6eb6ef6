import type { Batching, Portion } from './batching';
import { sizeOf, type StoredMessage } from './outbox-port';
import { roomForEntries } from './parcel';
import type { TokenBucket } from './token-bucket';
import { TopicQueue, type Held } from './topic-queue';
import { UnheldTopics } from './unheld-topics';

/** Bounds of what one lane holds in memory, however much is stored. */
export const LANE_ROWS = 1024;
export const LANE_BYTES = 8 * 1024 * 1024;

/** What asks a lane for its next messages. */
export interface Ask {
  carrier: object;
  /** Whether the connection keeps order. */
  ordered: boolean;
  /** Monotonic ms. */
  now: number;
  /** The store's age. */
  age: number;
  /** Bytes that the connection takes for a topic. */
  bodyLimit: (topic: string) => number;
}

/**
 * One priority's messages on their way out: a window over the store that a cursor moves through, sorted by topic,
 * where every topic keeps its order and a stuck one does not hold up the others.
 */
export class Lane {
  /** Sequence up to which every stored message is held, settled or parked. */
  cursor = 0;
  /** Whether everything that is stored lies before the cursor. */
  caughtUp = false;
  reading = false;
  /** Counts arrivals, so that a read can tell whether one came in between. */
  arrivals = 0;
  /** Counts rewinds, so that a read can tell whether its page is still asked for. */
  rewinds = 0;
  /** Monotonic time when a topic that waits for company should go. */
  dueAt = Infinity;
  readonly topics = new Map<string, TopicQueue>();
  /** What is known of the store behind the cursor. */
  readonly unheld = new UnheldTopics();
  private ready: TopicQueue[] = [];
  private readonly held = new Set<number>();
  /** Held messages that lie behind the cursor: live ones that went past the backlog. */
  private readonly ahead = new Set<number>();
  /** Live messages that went to the store instead of memory: so many of the backlog may go in their stead. */
  private credits = 0;
  private bytes = 0;

  /** @param replay limits what was stored before the connection worked; nothing does without */
  constructor(
    readonly priority: number,
    private readonly replay?: TokenBucket,
  ) {}

  get hasRoom(): boolean {
    return this.held.size < LANE_ROWS && this.bytes < LANE_BYTES;
  }

  /** Whether the window should be filled from the store. */
  get wantsRead(): boolean {
    return !this.reading && !this.caughtUp && this.held.size < LANE_ROWS / 2 && this.bytes < LANE_BYTES / 2;
  }

  /** A connection begins to work: everything that is stored now is backlog. */
  beginReplay(): void {
    this.credits = 0;
    for (const queue of this.topics.values()) {
      queue.waiting.forEach((held) => {
        held.live = false;
      });
    }
  }

  /**
   * Takes a message that was just stored, if the window reaches to it, or past the backlog if nothing of its topic is
   * there; else it is read from the store later.
   *
   * @param works whether a connection works, which makes it a live message
   */
  offer(message: StoredMessage, works = false): void {
    this.arrivals++;
    const live = works && this.replay !== undefined;
    const goesAtOnce = live && this.hasRoom && this.isAllLive(message.topic);
    if (this.caughtUp && !this.reading && (goesAtOnce || this.hasRoomForWaiting)) {
      this.take(message, live);
      return;
    }
    this.caughtUp = false;
    if (goesAtOnce && !this.unheld.mayHave(message.topic, this.cursor)) {
      this.ahead.add(message.sequence);
      this.hold(this.queueOf(message.topic), message, live);
    } else {
      this.unheld.note(message.topic, message.sequence);
      this.credits += live ? 1 : 0;
    }
  }

  /** Takes the next message after the cursor. */
  take(message: StoredMessage, live = false): void {
    this.cursor = message.sequence;
    if (this.ahead.delete(message.sequence)) {
      return;
    }
    const queue = this.queueOf(message.topic);
    if (queue.parkedFrom === undefined || message.sequence < queue.parkedFrom) {
      this.hold(queue, message, live);
    }
  }

  /**
   * Moves the cursor back to before a sequence, where messages were put back to the store. A message that is held
   * already is passed over when it is read again; one that is not goes before all later ones of its topic that wait.
   */
  rewind(sequence: number): void {
    this.unheld.doubt(this.cursor);
    // After a restart the cursor may stand before it, with nothing in between.
    this.cursor = Math.min(this.cursor, sequence - 1);
    this.caughtUp = false;
    this.rewinds++;
  }

  hold(queue: TopicQueue, message: StoredMessage, live = false): void {
    if (this.held.has(message.sequence)) {
      return;
    }
    queue.insert({
      message,
      attempts: message.attempts,
      duplicatePossible: message.earlierRun,
      live,
      closures: 0,
      closedAt: 0,
    });
    this.held.add(message.sequence);
    this.bytes += sizeOf(message);
    this.wake(queue);
  }

  /** With a limit on the backlog, half of the window is kept for what need not wait. */
  private get hasRoomForWaiting(): boolean {
    return this.replay ? this.held.size < LANE_ROWS / 2 && this.bytes < LANE_BYTES / 2 : this.hasRoom;
  }

  /** Whether nothing of the topic that is held is backlog or was put back to the store. */
  private isAllLive(topic: string): boolean {
    const queue = this.topics.get(topic);
    return (
      !queue || (queue.parkedFrom === undefined && !queue.fetching && queue.waiting.every(({ live }) => live))
    );
  }

  /** Lets a topic take part again after something changed for it. */
  wake(queue: TopicQueue): void {
    if (!queue.ready && queue.waiting.length > 0) {
      queue.ready = true;
      this.ready.push(queue);
    }
  }

  /**
   * The next messages for a connection, all of one topic; topics take turns. A batch is alone under way for its topic:
   * were it split while a later one was acknowledged, its messages would have been overtaken.
   */
  next(ask: Ask, batching: Batching): { cargo: Held[]; queue: TopicQueue } | undefined {
    const { carrier, now } = ask;
    const ordered = ask.ordered && !batching.enveloped;
    for (let queue = this.ready.shift(); queue; queue = this.ready.shift()) {
      queue.ready = false;
      if (!queue.mayStart(carrier, ordered, now)) {
        continue;
      }
      const waitMs = this.waitMs(queue, ask.age, batching);
      if (waitMs > 0) {
        this.dueAt = Math.min(this.dueAt, now + waitMs);
        continue;
      }
      if (!this.mayGo(queue, now)) {
        continue;
      }
      return this.nextOf(queue, ask, batching);
    }
    return undefined;
  }

  /** The next messages of one topic, whatever keeps it from its turn. */
  nextOf(
    queue: TopicQueue,
    { carrier, now, bodyLimit }: Ask,
    batching: Batching,
  ): { cargo: Held[]; queue: TopicQueue } {
    const room = roomForEntries(bodyLimit(queue.topic), queue.topic);
    const cargo = this.takeFrom(queue, batching.portion(room), now);
    queue.flying++;
    queue.carrier = carrier;
    this.wake(queue);
    return { cargo, queue };
  }

  private mayGo(queue: TopicQueue, now: number): boolean {
    const { replay } = this;
    if (!replay || queue.waiting[0].live || this.credits > 0 || replay.isReady(now)) {
      return true;
    }
    this.dueAt = Math.min(this.dueAt, replay.readyAt(now));
    return false;
  }

  private takeFrom(queue: TopicQueue, portion: Portion, now: number): Held[] {
    const cargo = queue.takePortion(portion);
    if (this.replay) {
      const old = cargo.filter(({ live }) => !live).length;
      const free = Math.min(this.credits, old);
      this.credits -= free;
      this.replay.take(old - free, now);
    }
    return cargo;
  }

  /** Nothing waits for company when the window is full of it, or when what goes next is decided. */
  private waitMs(queue: TopicQueue, age: number, batching: Batching): number {
    const full = !this.caughtUp && !this.wantsRead && !this.reading;
    return full || queue.hurried || queue.isPart
      ? 0
      : batching.waitMs(this.priority, queue.waiting.length, age - queue.waiting[0].message.storedAge);
  }

  /** Forgets a message that came to its end. */
  release(queue: TopicQueue, held: Held): void {
    this.held.delete(held.message.sequence);
    this.bytes -= sizeOf(held.message);
    this.ahead.delete(held.message.sequence);
    this.tidy(queue);
  }

  /** Drops a waiting message, if it is held. */
  drop(message: StoredMessage): void {
    const queue = this.topics.get(message.topic);
    const index = queue?.waiting.findIndex((held) => held.message.sequence === message.sequence) ?? -1;
    if (queue && index >= 0) {
      const [held] = queue.waiting.splice(index, 1);
      this.release(queue, held);
    }
  }

  /** Whether topics that cannot be sent have filled the window. */
  isStuck(now: number): boolean {
    return (
      !this.caughtUp &&
      !this.wantsRead &&
      !this.reading &&
      [...this.topics.values()].every(
        (queue) => queue.flying === 0 && (queue.waiting.length === 0 || queue.retryAt > now),
      )
    );
  }

  /** Puts all but the first message of the stuck topics back to the store, where they are. */
  park(now: number): void {
    for (const queue of this.topics.values()) {
      // While parked messages are fetched, their end is not known: what is parked then would be passed over.
      if (queue.retryAt > now && queue.waiting.length > 1 && !queue.fetching) {
        const parked = queue.waiting.splice(1);
        const reached = parked.find(({ message }) => !this.ahead.has(message.sequence));
        queue.parkedFrom = reached?.message.sequence ?? queue.parkedFrom;
        for (const { message } of parked) {
          this.held.delete(message.sequence);
          this.bytes -= sizeOf(message);
          // What lies behind the cursor comes with the window again.
          if (this.ahead.delete(message.sequence)) {
            this.unheld.note(message.topic, message.sequence);
          }
        }
      }
    }
  }

  /** Removes a topic that has nothing left to remember. */
  tidy(queue: TopicQueue): void {
    if (queue.flying === 0 && queue.waiting.length === 0 && queue.parkedFrom === undefined) {
      this.topics.delete(queue.topic);
    }
  }

  private queueOf(topic: string): TopicQueue {
    let queue = this.topics.get(topic);
    if (!queue) {
      queue = new TopicQueue(topic);
      this.topics.set(topic, queue);
    }
    return queue;
  }
}
