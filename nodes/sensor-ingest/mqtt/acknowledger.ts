import type { IPublishPacket } from 'mqtt';
import type { FollowedMessage } from '../../shared/in-flight';
import { AckQueue, type Ends } from './ack-queue';
import { Receipts } from './receipts';

/** A message on its way through the flow; `forget` lets it be taken in again. */
export interface Handed {
  message: FollowedMessage;
  forget: () => void;
}

/** Says to the broker what came of its messages, under the rules of MQTT for each quality of service. */
export class Acknowledger {
  /** Counts connections, and the times between them: the number of a message of QoS 1 belongs to one of them. */
  connection = 0;
  private readonly queue: AckQueue;
  private readonly receipts: Receipts;
  /** Whether the flow has lost a message, so that nothing more is acknowledged in this connection. */
  private broken = false;

  /**
   * @param nextTurn runs an action in the next turn of the event loop
   * @param answer sends a packet, where there is a connection
   * @param sendAgain lets the broker send again what was not acknowledged
   */
  constructor(
    nextTurn: (action: () => void) => void,
    private readonly answer: (cmd: 'puback' | 'pubrec', messageId: number) => void,
    private readonly sendAgain: () => void,
  ) {
    this.queue = new AckQueue(nextTurn);
    this.receipts = new Receipts((messageId) => answer('pubrec', messageId));
  }

  connected(sessionPresent: boolean): void {
    this.connection++;
    this.broken = false;
    if (!sessionPresent) {
      this.receipts.clear();
    }
  }

  disconnected(): void {
    this.connection++;
  }

  /** The broker needs no further confirmation of a message of QoS 2. */
  released(messageId: number): void {
    this.receipts.release(messageId);
  }

  /** Whether the message has been taken already. */
  isKnown({ qos, messageId = 0 }: IPublishPacket): boolean {
    return qos === 2 && this.receipts.isKnown(messageId);
  }

  /** Acknowledges a message that has been handed on when the flow has done with it. */
  add({ qos, messageId = 0 }: IPublishPacket, { message, forget }: Handed): void {
    const { settle, lose } = qos === 2 ? this.receipts.begin(messageId) : this.acknowledgementOf(messageId);
    this.queue.add(message, {
      settle,
      lose: () => {
        forget();
        lose();
        this.sendAgain();
      },
    });
  }

  /** Resolves when the flow has done with all messages. */
  whenEmpty(): Promise<void> {
    return this.queue.whenEmpty();
  }

  /** Gives up what the flow has not done with: the broker sends it to the next instance. */
  giveUp(): void {
    this.queue.giveUp().forEach(({ lose }) => lose());
  }

  private acknowledgementOf(messageId: number): Ends {
    const { connection } = this;
    return {
      settle: () => {
        // Not in a later connection: there the message comes again by itself, under any number.
        if (connection === this.connection && !this.broken) {
          this.answer('puback', messageId);
        }
      },
      lose: () => {
        // Also what comes after it: the order must be kept, and a repetition may have been refused as known.
        this.broken = true;
      },
    };
  }
}
