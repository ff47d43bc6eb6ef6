import type { Batching } from './batching';
import { sizeOf, type StoredMessage } from './outbox-port';
import { roomForEntries } from './parcel';
import { TopicQueue, type Held } from './topic-queue';

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
  bodyLimit(topic: string): number;
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
  /** Monotonic time when a topic that waits for company should go. */
  dueAt = Infinity;
  readonly topics = new Map<string, TopicQueue>();
  private ready: TopicQueue[] = [];
  private rows = 0;
  private bytes = 0;

  constructor(readonly priority: number) {}

  get hasRoom(): boolean {
    return this.rows < LANE_ROWS && this.bytes < LANE_BYTES;
  }

  /** Whether the window should be filled from the store. */
  get wantsRead(): boolean {
    return !this.reading && !this.caughtUp && this.rows < LANE_ROWS / 2 && this.bytes < LANE_BYTES / 2;
  }

  /** Takes a message that was just stored, if the window reaches to it; else it is read from the store later. */
  offer(message: StoredMessage): void {
    this.arrivals++;
    if (this.caughtUp && !this.reading && this.hasRoom) {
      this.take(message);
    } else {
      this.caughtUp = false;
    }
  }

  /** Takes the next message after the cursor. */
  take(message: StoredMessage): void {
    this.cursor = message.sequence;
    const queue = this.queueOf(message.topic);
    if (queue.parkedFrom === undefined) {
      this.hold(queue, message);
    }
  }

  hold(queue: TopicQueue, message: StoredMessage): void {
    queue.waiting.push({ message, attempts: message.attempts, duplicatePossible: message.earlierRun });
    this.rows++;
    this.bytes += sizeOf(message);
    this.wake(queue);
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
      const room = roomForEntries(ask.bodyLimit(queue.topic), queue.topic);
      const cargo = queue.takePortion(batching.portion(room));
      queue.flying++;
      queue.carrier = carrier;
      this.wake(queue);
      return { cargo, queue };
    }
    return undefined;
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
    this.rows--;
    this.bytes -= sizeOf(held.message);
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
        queue.parkedFrom = parked[0].message.sequence;
        for (const { message } of parked) {
          this.rows--;
          this.bytes -= sizeOf(message);
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
