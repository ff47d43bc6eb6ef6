import { DeliveryPacker, type Delivery, type PackedDeliveries } from './packing';
import type { BatchTally } from './tallies';

/** Messages of a batch, and bytes of payloads that go along: what the main thread takes in one go. */
const MOST_MESSAGES = 64;
const MOST_BYTES = 1024 * 1024;
/** Batches that may be on their way, so that the main thread finds the next one when it has done with the first. */
const MOST_UNDER_WAY = 2;

/**
 * Hands deliveries over in batches: what arrives in one turn of the event loop, and while the main thread is busy with
 * earlier ones, goes together.
 */
export class BatchSender {
  private readonly packer = new DeliveryPacker();
  private sent = 0;
  private scheduled = false;
  private waiting: (() => void)[] = [];

  /**
   * @param nextTurn runs an action in the next turn of the event loop
   * @param tally counts the batches that the main thread has taken
   * @param send hands a batch over
   */
  constructor(
    private readonly nextTurn: (action: () => void) => void,
    private readonly tally: BatchTally,
    private readonly send: (packed: PackedDeliveries) => void,
  ) {}

  /** Ask {@link whenRoom} before the next one. */
  add(delivery: Delivery): void {
    this.packer.add(delivery);
    if (this.full) {
      this.flush();
    } else if (!this.scheduled) {
      this.scheduled = true;
      this.nextTurn(() => {
        this.scheduled = false;
        this.flush();
      });
    }
  }

  /** Goes on now, or when a batch has been taken. */
  whenRoom(goOn: () => void): void {
    if (this.full) {
      this.waiting.push(goOn);
    } else {
      goOn();
    }
  }

  /** Sends what has been added, if the main thread has taken enough; it calls again when it has. */
  flush(): void {
    if (this.packer.count === 0 || !this.mayGo()) {
      return;
    }
    this.sent++;
    this.send(this.packer.take());
    const { waiting } = this;
    this.waiting = [];
    waiting.forEach((goOn) => this.whenRoom(goOn));
  }

  private get full(): boolean {
    return this.packer.count >= MOST_MESSAGES || this.packer.payloadBytes >= MOST_BYTES;
  }

  private mayGo(): boolean {
    if (this.tally.underWay(this.sent) < MOST_UNDER_WAY) {
      return true;
    }
    this.tally.await();
    return this.tally.underWay(this.sent) < MOST_UNDER_WAY;
  }
}
