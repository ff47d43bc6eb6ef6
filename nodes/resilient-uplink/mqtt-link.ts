import type { IClientPublishOptions, MqttClient } from 'mqtt';
import type { Clock, Timer } from '../shared/clock';
import type { Broker } from '../shared/connections';
import { endClient } from '../shared/mqtt-client';
import { isClosedByPeer, troubleOf } from '../shared/trouble';
import {
  isOther,
  SETTINGS_CHANGED,
  type Answer,
  type Link,
  type LinkObserver,
  type Loss,
  type Outgoing,
} from './link';
import { answerOf, lossOf } from './mqtt-answers';

const WINDOW = 128;
const RENEW_POLL_MS = 20;
/** MQTT's own bytes around a message, generously. */
const PACKET_OVERHEAD = 256;

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
  private lose: ((loss: Loss) => void) | undefined;
  private broker: Broker;
  /** What is published with: what is asked for, unless the broker takes less. */
  private sendQos: 1 | 2;
  /** Connections in a row over which nothing was acknowledged: each is to the next server of a cluster. */
  private tries = 0;
  /** What is under way. */
  private unanswered = 0;
  /** Whoever waits for a sign of life. */
  private alive: (() => void) | undefined;
  /** What one read of the socket answered. */
  private answers: (() => void)[] = [];
  private renewal: Timer | undefined;
  private renewing = false;

  /** @param lookUp the broker as it is set up now; throws when there is none any more. */
  constructor(
    private readonly lookUp: () => Broker,
    private readonly nodeId: string,
    private readonly qos: 1 | 2,
    private readonly clock: Clock,
  ) {
    this.broker = lookUp();
    this.sendQos = qos;
  }

  get id(): string {
    return this.broker.id;
  }

  get name(): string {
    return this.broker.name;
  }

  open(observer: LinkObserver): void {
    this.close();
    this.connect(observer);
  }

  private connect(observer: LinkObserver): void {
    let client: MqttClient;
    try {
      this.broker = this.lookUp();
      client = this.broker.connect({
        nodeId: this.nodeId,
        firstServer: this.tries++,
        mqtt: { reconnectPeriod: 0, clean: true, properties: { sessionExpiryInterval: 0 } },
      });
    } catch (thrown) {
      const trouble = troubleOf(thrown instanceof Error ? thrown : new Error(String(thrown)));
      queueMicrotask(() => observer.lost(trouble));
      return;
    }
    this.client = client;
    this.unanswered = 0;
    const lose = (loss: Loss): void => {
      if (this.client === client) {
        this.window = 0;
        this.tellAnswers();
        this.close();
        observer.lost(loss);
      }
    };
    this.lose = lose;
    client.on('connect', ({ properties }) => {
      if (this.client !== client) {
        return;
      }
      const { receiveMaximum, maximumPacketSize, maximumQoS } = properties ?? {};
      if (maximumQoS === 0) {
        lose({ reason: 'the broker takes QoS 0 only, which acknowledges nothing: use another broker' });
        return;
      }
      this.window = Math.min(WINDOW, receiveMaximum ?? WINDOW);
      this.maxPacket = maximumPacketSize ?? Infinity;
      this.sendQos = maximumQoS === 1 || this.broker.maxQos === 1 ? 1 : this.qos;
      this.renewing = false;
      this.renewLater(observer);
      observer.opened();
    });
    client.on('packetreceive', ({ cmd }) => {
      if (cmd === 'pingresp' && this.client === client) {
        this.alive?.();
      }
    });
    client.on('error', (error) => lose({ ...troubleOf(error), closed: isClosedByPeer(error) }));
    client.on('disconnect', ({ reasonCode, properties }) =>
      lose(lossOf(reasonCode, properties?.reasonString)),
    );
    client.on('close', () => lose({ reason: 'the broker closed the connection', closed: true }));
  }

  bodyLimit(topic: string): number {
    return this.maxPacket - Buffer.byteLength(topic) - PACKET_OVERHEAD;
  }

  probe(alive: () => void): void {
    if (this.client?.connected) {
      this.alive = alive;
      this.client.sendPing();
    }
  }

  send(outgoing: Outgoing, answer: (answer: Answer) => void): void {
    const { client } = this;
    const { topic, body } = outgoing;
    if (body.byteLength > this.bodyLimit(topic)) {
      const reason = `the broker takes packets of at most ${this.maxPacket} bytes`;
      queueMicrotask(() => answer({ outcome: 'rejected', reason }));
      return;
    }
    const options: IClientPublishOptions = { qos: this.sendQos };
    if (this.broker.protocolVersion === 5) {
      options.properties = propertiesOf(outgoing);
    }
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.unanswered++;
    client?.publish(topic, bytes, options, (error) => {
      // Answers of a connection that was given up say nothing.
      if (this.client === client && client.connected) {
        this.unanswered--;
        if (!error) {
          this.tries = 0;
        }
        this.tellSoon(() => answer(error ? answerOf(error) : { outcome: 'acknowledged' }));
      }
    });
  }

  /** Answers are told together: what takes their place under way leaves in one write then, not in one for each. */
  private tellSoon(tell: () => void): void {
    if (this.answers.push(tell) === 1) {
      setImmediate(() => this.tellAnswers());
    }
  }

  private tellAnswers(): void {
    this.answers.splice(0).forEach((tell) => tell());
  }

  private renewLater(observer: LinkObserver): void {
    const { renewAfterMs } = this.broker;
    if (renewAfterMs !== undefined) {
      this.renewal = this.clock.after(renewAfterMs, () => {
        this.renewing = true;
        this.window = 0;
        this.renew(observer);
      });
    }
  }

  /** Connects anew with a new credential once nothing is under way, and sends nothing in the meantime. */
  private renew(observer: LinkObserver): void {
    if (this.unanswered > 0) {
      this.renewal = this.clock.after(RENEW_POLL_MS, () => this.renew(observer));
      return;
    }
    const { client } = this;
    if (client) {
      this.client = undefined;
      const next = (): void => {
        if (this.renewing && !this.client) {
          this.tries = 0;
          this.connect(observer);
        }
      };
      endClient(client).then(next, next);
    }
  }

  refresh(): void {
    if (this.client && isOther(this.lookUp, this.broker)) {
      this.lose?.({ reason: SETTINGS_CHANGED });
    }
  }

  close(): void {
    const { client } = this;
    this.client = undefined;
    this.answers = [];
    this.window = WINDOW;
    this.alive = undefined;
    this.renewal?.cancel();
    this.renewing = false;
    client?.end(true);
  }
}
