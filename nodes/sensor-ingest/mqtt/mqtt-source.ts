import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import { endClient } from '../../shared/mqtt-client';
import { troubleOf } from '../../shared/trouble';
import type { LinkState } from '../thread/protocol';
import { Acknowledger, type Ends } from './acknowledger';
import { newIncomingStore } from './link-options';
import type { Subscription } from './subscription';

/** What mqtt.js is told so that it goes on and acknowledges nothing; it reports it as an error of the client, too. */
const LATER = new Error('Acknowledged later.');
export interface MqttSourceOptions {
  /** The broker's name, for what is reported. */
  broker: string;
  /** Opens the connection. */
  connect(overrides: Partial<IClientOptions>): MqttClient;
  subscription: Subscription;
  /** Hands one message on, with how it is to end where the broker wants to know; must not throw. */
  onMessage(packet: IPublishPacket, ends: Ends | undefined): void;
  /** Goes on when another message can be handed on. */
  whenRoom(goOn: () => void): void;
  onState(state: LinkState): void;
  warn(text: string): void;
}

/**
 * The connection of a direct source, with a persistent session. A message is acknowledged to the broker only when the
 * flow has done with it, so what was under way when the gateway stopped comes again; and while the flow has too much to
 * do, nothing more is read.
 */
export class MqttSource {
  private readonly client: MqttClient;
  private readonly acknowledger: Acknowledger;
  private closing = false;
  private denied = false;
  private readonly warned = new Set<string>();

  constructor(private readonly options: MqttSourceOptions) {
    this.acknowledger = new Acknowledger((cmd, messageId) => this.answer(cmd, messageId));
    this.client = options.connect({
      incomingStore: newIncomingStore(),
      // Asked before mqtt.js confirms that it has received a message of QoS 2, after which the broker forgets it.
      customHandleAcks: (_topic, _payload, packet: IPublishPacket, answer) =>
        packet.qos === 2 ? this.handle(packet, (error) => answer(error ?? LATER)) : answer(0),
    });
    // mqtt.js goes on when the callback is called, and reads no further packet before.
    this.client.handleMessage = (packet, callback) => this.handle(packet, callback);
    this.client.on('connect', ({ sessionPresent }) => {
      this.acknowledger.connected(sessionPresent);
      this.subscribe();
    });
    this.client.on('packetreceive', ({ cmd, messageId }) => {
      if (cmd === 'pubrel' && messageId !== undefined) {
        this.acknowledger.released(messageId);
      }
    });
    this.client.on('close', () => {
      this.acknowledger.disconnected();
      this.show(this.denied ? 'denied' : 'disconnected');
      this.denied = false;
    });
    this.client.on('error', (error) => {
      if (error === LATER) {
        return;
      }
      // Errors of the network have texts for codes; the reason for which a broker refuses is a number.
      this.denied = 'code' in error && typeof error.code === 'number';
      this.warnOnce(`${options.broker}: ${troubleOf(error).reason}.`);
    });
  }

  /** Publishes without waiting, while there is a connection. */
  publish(topic: string, payload: Uint8Array): void {
    if (this.client.connected && !this.closing) {
      this.client.publish(topic, Buffer.from(payload), { qos: 0 });
    }
  }

  /** Connects by other options from the next connection on. */
  renew(connection: Partial<IClientOptions>): void {
    Object.assign(this.client.options, connection);
  }

  /** Lets the answers that an action gives leave together. */
  together(action: () => void): void {
    const { stream } = this.client;
    stream.cork();
    action();
    stream.uncork();
  }

  /** Takes nothing more: the broker keeps it for the next session. */
  stop(): void {
    this.closing = true;
  }

  /** Lets the broker send again what was not acknowledged, which it does for a new connection only. */
  sendAgain(): void {
    if (this.client.connected && !this.closing) {
      this.client.stream.destroy();
    }
  }

  async close(): Promise<void> {
    this.closing = true;
    await endClient(this.client);
  }

  /** @param callback with an error, mqtt.js acknowledges nothing and goes on */
  private handle(packet: IPublishPacket, callback: (error?: Error) => void): void {
    if (this.closing || this.acknowledger.isKnown(packet)) {
      callback(LATER);
      return;
    }
    const ends = this.acknowledger.begin(packet);
    this.options.onMessage(packet, ends);
    this.options.whenRoom(() => callback(ends && LATER));
  }

  private answer(cmd: 'puback' | 'pubrec', messageId: number): void {
    if (this.client.connected) {
      // What mqtt.js itself calls; it offers no way to acknowledge later.
      const send = this.client['_sendPacket'] as (this: MqttClient, packet: object) => void;
      send.call(this.client, { cmd, messageId, reasonCode: 0 });
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
        this.warnOnce(`${this.options.broker} ${what}. Check its access rules and the property "topic".`);
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
