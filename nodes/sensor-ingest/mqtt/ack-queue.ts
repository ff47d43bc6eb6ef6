import { unfollow, type FollowedMessage } from '../../shared/in-flight';

/**
 * Turns of the event loop that a message may be out of sight between two nodes of the suite: each ordinary node that it
 * passes through takes one.
 */
const QUIET_TURNS = 6;

interface Waiting {
  message: FollowedMessage;
  acknowledge: () => void;
  /** The turn since which no node of the suite has held it. */
  since: number;
}

/**
 * Acknowledges messages to the broker once the flow has done with them: no node of the suite holds them any more, and
 * none has taken them up for a few turns of the event loop. What a kill then loses, the broker sends again. In the order
 * of arrival, as MQTT asks (MQTT 5, 4.6).
 */
export class AckQueue {
  private queue: Waiting[] = [];
  private onDrained: (() => void)[] = [];
  private turn = 0;
  private ticking = false;

  /** @param nextTurn runs an action in the next turn of the event loop */
  constructor(private readonly nextTurn: (action: () => void) => void) {}

  /** Call it when the message has been handed on. */
  add(message: FollowedMessage, acknowledge: () => void): void {
    const waiting: Waiting = { message, acknowledge, since: this.turn };
    message.onRelease = () => {
      waiting.since = this.turn;
      this.tickWhileNeeded();
    };
    this.queue.push(waiting);
    this.tickWhileNeeded();
  }

  /** Gives up what is not acknowledged, as when the connection is lost: the broker will send it again. */
  clear(): void {
    this.queue.forEach(({ message }) => unfollow(message));
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

  /** One tick a turn for all messages; none while the first one is held, whose release begins them again. */
  private tickWhileNeeded(): void {
    const [first] = this.queue as readonly (Waiting | undefined)[];
    if (!this.ticking && first && first.message.holds === 0) {
      this.ticking = true;
      this.nextTurn(() => this.tick());
    }
  }

  private tick(): void {
    this.ticking = false;
    this.turn++;
    let settled = 0;
    for (const { message, since } of this.queue) {
      if (message.holds > 0 || this.turn - since <= QUIET_TURNS) {
        break;
      }
      settled++;
    }
    for (const { message, acknowledge } of this.queue.splice(0, settled)) {
      unfollow(message);
      acknowledge();
    }
    if (this.queue.length === 0) {
      this.drained();
    }
    this.tickWhileNeeded();
  }

  private drained(): void {
    const actions = this.onDrained;
    this.onDrained = [];
    actions.forEach((action) => action());
  }
}
