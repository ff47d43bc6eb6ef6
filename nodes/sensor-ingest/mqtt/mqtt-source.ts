import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import type { Broker } from '../../shared/connections';
import { heldMessages, onLowered, type FollowedMessage } from '../../shared/in-flight';
import { endClient, explainFailure } from '../../shared/mqtt-client';
import { AckQueue } from './ack-queue';
import type { Pacer } from './pacer';
import type { Subscription } from './subscription';

/** Messages that the broker may have under way to this node without an acknowledgement. */
const RECEIVE_MAXIMUM = 100;
/** Messages that nodes of the suite may be working on before no more are read from the broker. */
const MOST_HELD = 2000;
/** How long a closing node waits for the flow to be done with what it was handed, ms. */
const SETTLE_MS = 1000;

/** How the connection stands; `denied` when the broker refuses it, `refused` when it does not grant a subscription. */
export type LinkState = 'connecting' | 'listening' | 'disconnected' | 'denied' | 'refused';

export interface MqttSourceOptions {
  broker: Broker;
  nodeId: string;
  subscription: Subscription;
  maxBytes: number;
  pacer: Pacer;
  /** Runs an action in the next turn of the event loop. */
  nextTurn: (action: () => void) => void;
  /** Hands one message on; must not throw. Returns where it is, for one that is to be acknowledged. */
  onMessage(packet: IPublishPacket, followed: boolean): FollowedMessage | undefined;
  onState(state: LinkState): void;
  warn(text: string): void;
}

/**
 * The direct source: a connection of its own with a persistent session. A message is acknowledged to the broker only
 * after the flow has done with it, so what was under way when the gateway stopped comes again; and while the flow has
 * too much to do, nothing more is read.
 */
export class MqttSource {
  private readonly client: MqttClient;
  private readonly acks: AckQueue;
  private closing = false;
  private denied = false;
  private readonly warned = new Set<string>();

  constructor(private readonly options: MqttSourceOptions) {
    this.acks = new AckQueue(options.nextTurn);
    this.client = options.broker.connect({ nodeId: options.nodeId, mqtt: linkOptions(options.maxBytes) });
    // mqtt.js sends the acknowledgement when the callback is called, and reads no further packet before.
    this.client.handleMessage = (packet, callback) => this.handle(packet, callback);
    this.client.on('connect', () => this.subscribe());
    this.client.on('close', () => {
      // Acknowledgements belong to a connection; without them the broker sends the messages again.
      this.acks.clear();
      this.show(this.denied ? 'denied' : 'disconnected');
      this.denied = false;
    });
    this.client.on('error', (error) => {
      // Errors of the network have texts for codes; the reason for which a broker refuses is a number.
      this.denied = 'code' in error && typeof error.code === 'number';
      this.warnOnce(`${options.broker.name}: ${explainFailure(error)}`);
    });
    options.onState('connecting');
  }

  /** Publishes without waiting, while there is a connection. */
  publish(topic: string, payload: Uint8Array): void {
    if (this.client.connected && !this.closing) {
      this.client.publish(topic, Buffer.from(payload), { qos: 0 });
    }
  }

  async close(): Promise<void> {
    this.closing = true;
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, SETTLE_MS);
    });
    await Promise.race([this.acks.whenEmpty(), late]);
    clearTimeout(deadline);
    this.acks.clear();
    await endClient(this.client);
  }

  private handle(packet: IPublishPacket, callback: (error?: Error) => void): void {
    if (this.closing) {
      // With an error nothing is acknowledged: the broker keeps the message for the next session.
      callback(new Error('The node is closing.'));
      return;
    }
    const { qos, messageId } = packet;
    const message = this.options.onMessage(packet, qos > 0);
    const goOn = (error?: Error): void => this.whenRoom(() => this.options.pacer.next(() => callback(error)));
    if (!message) {
      goOn();
    } else if (qos === 2) {
      // mqtt.js knows a message by its number until it is acknowledged, so these come one by one.
      this.acks.add(message, () => callback());
    } else {
      // With an error mqtt.js itself acknowledges nothing and goes on.
      this.acks.add(message, () => this.acknowledge(messageId));
      goOn(new Error('Acknowledged later.'));
    }
  }

  private acknowledge(messageId: number | undefined): void {
    if (this.client.connected) {
      // What mqtt.js itself calls; it offers no way to acknowledge later.
      const send = this.client['_sendPacket'] as (this: MqttClient, packet: object) => void;
      send.call(this.client, { cmd: 'puback', messageId, reasonCode: 0 });
    }
  }

  private whenRoom(goOn: () => void): void {
    if (heldMessages() < MOST_HELD) {
      goOn();
    } else {
      onLowered(() => this.whenRoom(goOn));
    }
  }

  private subscribe(): void {
    const { filters, qos } = this.options.subscription;
    // Also when the broker has kept the session: the filters may have changed, and doing it again does no harm.
    // rh 1: messages that the broker retains come only with a new subscription, not with each reconnection.
    this.client.subscribe(filters, { qos, rh: 1 }, (error, granted = []) => {
      const refused = granted.filter((grant) => grant.qos >= 128).map(({ topic }) => topic);
      if (refused.length > 0 || error) {
        const what =
          refused.length > 0 ? `refuses ${refused.join(', ')}` : `refuses: ${error?.message ?? ''}`;
        this.warnOnce(
          `${this.options.broker.name} ${what}. Check its access rules and the property "topic".`,
        );
        this.show('refused');
      } else {
        this.warned.clear();
        this.show('listening');
      }
    });
  }

  private show(state: LinkState): void {
    if (!this.closing) {
      this.options.onState(state);
    }
  }

  /** A broker that is away fails every two seconds; the log says each reason once until it is back. */
  private warnOnce(text: string): void {
    if (!this.warned.has(text) && !this.closing) {
      this.warned.add(text);
      this.options.warn(text);
    }
  }
}

function linkOptions(maxBytes: number): Partial<IClientOptions> {
  return {
    properties: {
      receiveMaximum: RECEIVE_MAXIMUM,
      // Somewhat above the limit, so that a reading that is too large is reported and a flood is not even received.
      maximumPacketSize: Math.min(4 * maxBytes + 65_536, 0xfffffff),
    },
  };
}
