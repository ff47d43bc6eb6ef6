import type { IPublishPacket } from 'mqtt';
import { Receipts } from './receipts';

/** What to call when the flow has done with a message, or has lost it. */
export interface Ends {
  settle: () => void;
  lose: () => void;
}

/** Says to the broker what came of its messages, under the rules of MQTT for each quality of service. */
export class Acknowledger {
  /** Counts connections, and the times between them: the number of a message of QoS 1 belongs to one of them. */
  private connection = 0;
  private readonly receipts: Receipts;
  /** Whether the flow has lost a message, so that nothing more is acknowledged in this connection. */
  private broken = false;

  /** @param answer sends a packet, where there is a connection */
  constructor(private readonly answer: (cmd: 'puback' | 'pubrec', messageId: number) => void) {
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

  /** How a message that is taken now is to end; undefined for one that the broker wants to hear nothing of. */
  begin({ qos, messageId = 0 }: IPublishPacket): Ends | undefined {
    if (qos === 0) {
      return undefined;
    }
    return qos === 2 ? this.receipts.begin(messageId) : this.acknowledgementOf(messageId);
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
