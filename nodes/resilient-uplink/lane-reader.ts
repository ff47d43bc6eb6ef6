import { toEdgeError, type EdgeError } from '../shared/errors';
import type { Lane } from './lane';
import type { Outbox, ReadResult, StoredMessage } from './outbox-port';
import type { TopicQueue } from './topic-queue';

const PAGE_ROWS = 256;
const PAGE_BYTES = 2 * 1024 * 1024;

export interface LaneReaderEvents {
  /** Messages came into memory. */
  arrived(): void;
  /** Rows that the medium damaged. */
  corrupt(sequences: readonly number[]): void;
  /** The store refused; the next call tries again. */
  failed(error: EdgeError): void;
}

/** Brings messages from the store into lanes. */
export class LaneReader {
  private stopped = false;

  /** @param isSettled whether a message came to its end already, though its row may still be there */
  constructor(
    private readonly outbox: Pick<Outbox, 'age' | 'read'>,
    private readonly isSettled: (sequence: number) => boolean,
    private readonly events: LaneReaderEvents,
  ) {}

  stop(): void {
    this.stopped = true;
  }

  /** Keeps the lane's window full from the store. */
  fill(lane: Lane): void {
    if (!lane.wantsRead || this.stopped) {
      return;
    }
    lane.reading = true;
    const { arrivals, rewinds } = lane;
    this.outbox
      .read({ priority: lane.priority, after: lane.cursor, maxRows: PAGE_ROWS, maxBytes: PAGE_BYTES })
      .then((page) => {
        lane.reading = false;
        if (lane.rewinds !== rewinds) {
          this.events.arrived();
          return;
        }
        const last = this.accept(page, (message) => lane.take(message));
        lane.cursor = Math.max(lane.cursor, last);
        lane.caughtUp = !page.more && lane.arrivals === arrivals;
        if (lane.caughtUp) {
          lane.unheld.clear();
        }
        this.events.arrived();
      })
      .catch((thrown: unknown) => {
        lane.reading = false;
        this.events.failed(toEdgeError(thrown, 'STORE'));
      });
  }

  /** Fetches what was put back to the store while its topic was stuck. */
  unpark(lane: Lane, queue: TopicQueue): void {
    if (queue.parkedFrom === undefined || queue.waiting.length > 0 || queue.fetching || this.stopped) {
      return;
    }
    queue.fetching = true;
    const upTo = lane.cursor;
    const { rewinds } = lane;
    const after = queue.parkedFrom - 1;
    this.outbox
      .read({
        priority: lane.priority,
        after,
        only: { topic: queue.topic, upTo },
        maxRows: PAGE_ROWS,
        maxBytes: PAGE_BYTES,
      })
      .then((page) => {
        queue.fetching = false;
        if (lane.rewinds !== rewinds) {
          return;
        }
        const last = this.accept(page, (message) => lane.hold(queue, message));
        queue.parkedFrom = page.more ? last + 1 : lane.cursor > upTo ? upTo + 1 : undefined;
        if (queue.waiting.length === 0) {
          this.unpark(lane, queue);
          lane.tidy(queue);
        }
        this.events.arrived();
      })
      .catch((thrown: unknown) => {
        queue.fetching = false;
        this.events.failed(toEdgeError(thrown, 'STORE'));
      });
  }

  /**
   * Takes a page's messages and deletes what is damaged in it; gives the page's last sequence. What was discarded
   * while the page was read, and what expired while nobody looked, is not sent any more.
   */
  private accept(page: ReadResult, take: (message: StoredMessage) => void): number {
    const age = this.outbox.age();
    for (const message of page.messages) {
      const expired = message.ttlMs > 0 && age - message.storedAge >= message.ttlMs;
      if (!expired && !this.isSettled(message.sequence)) {
        take(message);
      }
    }
    this.events.corrupt(page.corrupt);
    return Math.max(0, page.messages.at(-1)?.sequence ?? 0, ...page.corrupt);
  }
}
