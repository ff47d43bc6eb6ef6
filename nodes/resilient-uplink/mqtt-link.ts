import { ErrorWithReasonCode, type IClientPublishOptions, type MqttClient } from 'mqtt';
import type { Broker } from '../shared/connections';
import { explainFailure } from '../shared/mqtt-client';
import { isOther, SETTINGS_CHANGED, type Answer, type Link, type LinkObserver, type Outgoing } from './link';

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
 * What MQTT 5 says about a message. A receiver that believes `application/json` tries to parse it, so compressed bytes
 * are called what they are.
 */
function propertiesOf(outgoing: Outgoing): IClientPublishOptions['properties'] {
  const { id, contentType, encoding, batch, storedMs, replay } = outgoing;
  const userProperties: Record<string, string> = { 'edge-id': id, 'edge-stored': String(storedMs) };
  if (replay) {
    userProperties['edge-replay'] = '1';
  }
  if (batch !== undefined) {
    userProperties['edge-batch'] = String(batch);
  }
  if (encoding) {
    userProperties['content-encoding'] = encoding;
    return { contentType: 'application/gzip', userProperties };
  }
  return batch === undefined ? { userProperties } : { contentType, userProperties };
}

/**
 * One uplink's own connection to a broker. Every connection begins a new session and mqtt.js reconnects never by
 * itself: what is sent again, where and when is decided by the outbox alone.
 */
export class MqttLink implements Link {
  readonly ordered = true;
  window = WINDOW;
  private maxPacket = Infinity;
  private client: MqttClient | undefined;
  private lose: ((reason: string) => void) | undefined;
  private broker: Broker;
  /** Tries in a row that did not connect: each begins with the next server of a cluster. */
  private tries = 0;

  /** @param lookUp the broker as it is set up now; throws when there is none any more. */
  constructor(
    private readonly lookUp: () => Broker,
    private readonly nodeId: string,
    private readonly qos: 1 | 2,
  ) {
    this.broker = lookUp();
  }

  get id(): string {
    return this.broker.id;
  }

  get name(): string {
    return this.broker.name;
  }

  open(observer: LinkObserver): void {
    this.close();
    let client: MqttClient;
    try {
      this.broker = this.lookUp();
      client = this.broker.connect({
        nodeId: this.nodeId,
        firstServer: this.tries++,
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
    this.lose = lose;
    client.on('connect', ({ properties }) => {
      if (this.client === client) {
        this.tries = 0;
        this.window = Math.min(WINDOW, properties?.receiveMaximum ?? WINDOW);
        this.maxPacket = properties?.maximumPacketSize ?? Infinity;
        observer.opened();
      }
    });
    client.on('error', (error) => lose(explainFailure(error)));
    client.on('disconnect', ({ reasonCode }) =>
      lose(`the broker disconnected with reason ${reasonCode ?? 0}`),
    );
    client.on('close', () => lose('the connection closed'));
  }

  bodyLimit(topic: string): number {
    return this.maxPacket - Buffer.byteLength(topic) - PACKET_OVERHEAD;
  }

  send(outgoing: Outgoing, answer: (answer: Answer) => void): void {
    const { client } = this;
    const { topic, body } = outgoing;
    if (body.byteLength > this.bodyLimit(topic)) {
      const reason = `the broker takes packets of at most ${this.maxPacket} bytes`;
      queueMicrotask(() => answer({ outcome: 'rejected', reason }));
      return;
    }
    const options: IClientPublishOptions = { qos: this.qos };
    if (this.broker.protocolVersion === 5) {
      options.properties = propertiesOf(outgoing);
    }
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    client?.publish(topic, bytes, options, (error) => {
      // Answers of a connection that was given up say nothing.
      if (this.client === client && client.connected) {
        answer(error ? answerOf(error) : { outcome: 'acknowledged' });
      }
    });
  }

  refresh(): void {
    if (this.client && isOther(this.lookUp, this.broker)) {
      this.lose?.(SETTINGS_CHANGED);
    }
  }

  close(): void {
    const { client } = this;
    this.client = undefined;
    this.window = WINDOW;
    client?.end(true);
  }
}
