import type { FollowedMessage } from '../../shared/in-flight';

/**
 * Turns of the event loop that a message may be out of sight between two nodes of the suite: each ordinary node that it
 * passes through takes one.
 */
const QUIET_TURNS = 6;

interface Waiting {
  message: FollowedMessage;
  acknowledge: () => void;
  settled: boolean;
}

/**
 * Acknowledges messages to the broker once the flow has done with them: no node of the suite holds them any more, and
 * none has taken them up for a few turns of the event loop. What a kill then loses, the broker sends again. In the order
 * of arrival, as MQTT asks (MQTT 5, 4.6).
 */
export class AckQueue {
  private queue: Waiting[] = [];
  private onDrained: (() => void)[] = [];

  /** @param nextTurn runs an action in the next turn of the event loop */
  constructor(private readonly nextTurn: (action: () => void) => void) {}

  get size(): number {
    return this.queue.length;
  }

  /** Call it when the message has been handed on. */
  add(message: FollowedMessage, acknowledge: () => void): void {
    const waiting: Waiting = { message, acknowledge, settled: false };
    this.queue.push(waiting);
    this.watch(waiting, QUIET_TURNS);
  }

  /** Gives up what is not acknowledged, as when the connection is lost: the broker will send it again. */
  clear(): void {
    this.queue.forEach(({ message }) => message.forget());
    this.queue = [];
    this.drained();
  }

  /** Resolves when nothing waits. */
  whenEmpty(): Promise<void> {
    return this.queue.length === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.onDrained.push(resolve);
        });
  }

  private watch(waiting: Waiting, turns: number): void {
    if (waiting.message.held) {
      waiting.message.onRelease(() => this.watch(waiting, QUIET_TURNS));
    } else if (turns > 0) {
      this.nextTurn(() => this.watch(waiting, turns - 1));
    } else {
      waiting.settled = true;
      this.acknowledgeFirst();
    }
  }

  private acknowledgeFirst(): void {
    let count = 0;
    while (count < this.queue.length && this.queue[count].settled) {
      count++;
    }
    for (const { message, acknowledge } of this.queue.splice(0, count)) {
      message.forget();
      acknowledge();
    }
    if (this.queue.length === 0) {
      this.drained();
    }
  }

  private drained(): void {
    const actions = this.onDrained;
    this.onDrained = [];
    actions.forEach((action) => action());
  }
}
