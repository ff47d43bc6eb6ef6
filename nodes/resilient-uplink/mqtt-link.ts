import { ErrorWithReasonCode, type IClientPublishOptions, type MqttClient } from 'mqtt';
import type { Broker } from '../shared/connections';
import { wireBody } from './envelope';
import type { Answer, Link, LinkObserver, Outgoing } from './link';

const WINDOW = 128;
/** MQTT's own bytes around a message, generously. */
const PACKET_OVERHEAD = 256;

/** PUBACK and PUBREC reasons (MQTT 5, 3.4.2.1) that lie in the message itself and would come every time. */
const PERMANENT_REASONS = new Set([
  0x90, // Topic Name invalid
  0x95, // Packet too large
  0x99, // Payload format invalid
]);

/** What a broker's refusal means for the message. */
export function answerOf(error: Error): Answer {
  const code = error instanceof ErrorWithReasonCode ? error.code : undefined;
  return {
    outcome: code !== undefined && PERMANENT_REASONS.has(code) ? 'rejected' : 'retry',
    reason: error.message,
  };
}

/**
 * One uplink's own connection to a broker. Every connection begins a new session and mqtt.js reconnects never by
 * itself: what is sent again, where and when is decided by the outbox alone.
 */
export class MqttLink implements Link {
  readonly ordered = true;
  readonly id: string;
  readonly name: string;
  window = WINDOW;
  private maxPacket = Infinity;
  private client: MqttClient | undefined;

  constructor(
    private readonly broker: Broker,
    private readonly nodeId: string,
    private readonly qos: 1 | 2,
  ) {
    this.id = broker.id;
    this.name = broker.name;
  }

  open(observer: LinkObserver): void {
    this.close();
    let client: MqttClient;
    try {
      client = this.broker.connect({
        nodeId: this.nodeId,
        mqtt: { reconnectPeriod: 0, clean: true, properties: { sessionExpiryInterval: 0 } },
      });
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      queueMicrotask(() => observer.lost(reason));
      return;
    }
    this.client = client;
    const lose = (reason: string): void => {
      if (this.client === client) {
        this.close();
        observer.lost(reason);
      }
    };
    client.on('connect', ({ properties }) => {
      if (this.client === client) {
        this.window = Math.min(WINDOW, properties?.receiveMaximum ?? WINDOW);
        this.maxPacket = properties?.maximumPacketSize ?? Infinity;
        observer.opened();
      }
    });
    client.on('error', (error) => lose(error.message || 'the connection failed'));
    client.on('disconnect', ({ reasonCode }) =>
      lose(`the broker disconnected with reason ${reasonCode ?? 0}`),
    );
    client.on('close', () => lose('the connection closed'));
  }

  send({ id, topic, kind, body }: Outgoing, answer: (answer: Answer) => void): void {
    const { client } = this;
    const bytes = wireBody(kind, body, id);
    if (bytes.byteLength + Buffer.byteLength(topic) + PACKET_OVERHEAD > this.maxPacket) {
      const reason = `the broker takes packets of at most ${this.maxPacket} bytes`;
      queueMicrotask(() => answer({ outcome: 'rejected', reason }));
      return;
    }
    const options: IClientPublishOptions = { qos: this.qos };
    if (this.broker.protocolVersion === 5) {
      options.properties = { userProperties: { 'edge-id': id } };
    }
    client?.publish(topic, bytes, options, (error) => {
      // Answers of a connection that was given up say nothing.
      if (this.client === client && client.connected) {
        answer(error ? answerOf(error) : { outcome: 'acknowledged' });
      }
    });
  }

  close(): void {
    const { client } = this;
    this.client = undefined;
    this.window = WINDOW;
    client?.end(true);
  }
}
