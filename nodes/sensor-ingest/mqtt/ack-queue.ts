import { unfollow, type FollowedMessage } from '../../shared/in-flight';
import type { Ends } from './acknowledger';

/** Turns of the event loop that a message may be out of sight between two nodes; Node-RED itself takes one. */
const QUIET_TURNS = 6;

interface Waiting extends Ends {
  message: FollowedMessage;
  /** The turn since which it has not moved and no node of the suite has held it. */
  since: number;
}

/**
 * Tells when the flow has done with messages, so that they can be acknowledged to the broker: no node of the suite
 * holds them any more, and no node has taken them up for a few turns of the event loop. What a kill then loses, the
 * broker sends again. In the order of arrival, as MQTT asks (MQTT 5, 4.6), also over several connections: what comes
 * again is refused as known, and must not be acknowledged before the flow has done with the first.
 */
export class AckQueue {
  private queue: Waiting[] = [];
  private onDrained: (() => void)[] = [];
  private turn = 0;
  private ticking = false;

  /** @param nextTurn runs an action in the next turn of the event loop */
  constructor(private readonly nextTurn: (action: () => void) => void) {}

  /** Call it when the message has been handed on. */
  add(message: FollowedMessage, ends: Ends): void {
    const waiting: Waiting = { message, ...ends, since: this.turn };
    message.onMove = () => {
      waiting.since = this.turn;
      this.tickWhileNeeded();
    };
    this.queue.push(waiting);
    this.tickWhileNeeded();
  }

  /** Gives up what the flow has not done with, and returns how it ends: the broker will send it again. */
  giveUp(): Ends[] {
    const left = this.queue;
    left.forEach(({ message }) => unfollow(message));
    this.queue = [];
    this.drained();
    return left;
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
    for (const { message, settle, lose } of this.queue.splice(0, settled)) {
      unfollow(message);
      const end = message.lost ? lose : settle;
      end();
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
