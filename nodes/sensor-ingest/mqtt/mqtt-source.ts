import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import type { Broker } from '../../shared/connections';
import { endClient, explainFailure } from '../../shared/mqtt-client';
import type { Subscription } from '../config';
import type { Pacer } from './pacer';

/** Messages that the broker may have under way to this node without an acknowledgement. */
const RECEIVE_MAXIMUM = 100;

/** How the connection stands; `denied` when the broker refuses it, `refused` when it does not grant a subscription. */
export type LinkState = 'connecting' | 'listening' | 'disconnected' | 'denied' | 'refused';

export interface MqttSourceOptions {
  broker: Broker;
  nodeId: string;
  subscription: Subscription;
  maxBytes: number;
  pacer: Pacer;
  /** Handles one message to the end; must not throw. */
  onMessage(packet: IPublishPacket): void;
  onState(state: LinkState): void;
  warn(text: string): void;
}

/**
 * The direct source: a connection of its own with a persistent session. A message is acknowledged to the broker only
 * after it was handed on, so what was under way when the gateway stopped comes again.
 */
export class MqttSource {
  private readonly client: MqttClient;
  private closing = false;
  private denied = false;
  private readonly warned = new Set<string>();

  constructor(private readonly options: MqttSourceOptions) {
    this.client = options.broker.connect({ nodeId: options.nodeId, mqtt: linkOptions(options.maxBytes) });
    // mqtt.js sends the acknowledgement when the callback is called, and reads no further packet before.
    this.client.handleMessage = (packet, callback) => this.handle(packet, callback);
    this.client.on('connect', () => this.subscribe());
    this.client.on('close', () => {
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

  async close(): Promise<void> {
    this.closing = true;
    await endClient(this.client);
  }

  private handle(packet: IPublishPacket, callback: (error?: Error) => void): void {
    if (this.closing) {
      // With an error nothing is acknowledged: the broker keeps the message for the next session.
      callback(new Error('The node is closing.'));
      return;
    }
    this.options.onMessage(packet);
    this.options.pacer.next(() => callback());
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
