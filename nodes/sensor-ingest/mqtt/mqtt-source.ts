import type { IPublishPacket, MqttClient } from 'mqtt';
import type { Broker } from '../../shared/connections';
import { heldMessages, onLowered } from '../../shared/in-flight';
import { endClient } from '../../shared/mqtt-client';
import { troubleOf } from '../../shared/trouble';
import { Acknowledger, type Handed } from './acknowledger';
import { GatheredWrites } from './gathered-writes';
import { linkOptions } from './link-options';
import type { Pacer } from './pacer';
import type { Subscription } from './subscription';

/** Messages that nodes of the suite may be working on before no more are read from the broker. */
const MOST_HELD = 2000;
/** What mqtt.js is told so that it goes on and acknowledges nothing; it reports it as an error of the client, too. */
const LATER = new Error('Acknowledged later.');
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
  /** Runs an action after so many ms. */
  later: (ms: number, action: () => void) => void;
  /** Does something after the deployment that is under way, where there is one. */
  afterDeployment: (action: () => void) => void;
  /** Hands one message on; must not throw. Says where it is, for one that is to be acknowledged. */
  onMessage(packet: IPublishPacket, followed: boolean): Handed | undefined;
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
  private readonly acknowledger: Acknowledger;
  private readonly answers: GatheredWrites;
  private closing = false;
  private denied = false;
  private readonly warned = new Set<string>();

  constructor(private readonly options: MqttSourceOptions) {
    this.answers = new GatheredWrites(options.later);
    this.acknowledger = new Acknowledger(
      options.nextTurn,
      (cmd, messageId) => this.answer(cmd, messageId),
      () => this.sendAgain(),
    );
    this.client = options.broker.connect({
      nodeId: options.nodeId,
      mqtt: {
        ...linkOptions(options.maxBytes),
        // Asked before mqtt.js confirms that it has received a message of QoS 2, after which the broker forgets it.
        customHandleAcks: (_topic, _payload, packet: IPublishPacket, answer) =>
          packet.qos === 2 ? this.handle(packet, (error) => answer(error ?? LATER)) : answer(0),
      },
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
      this.warnOnce(`${options.broker.name}: ${troubleOf(error).reason}.`);
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
    await Promise.race([this.acknowledger.whenEmpty(), late]);
    clearTimeout(deadline);
    this.acknowledger.giveUp();
    await endClient(this.client);
  }

  /** @param callback with an error, mqtt.js acknowledges nothing and goes on */
  private handle(packet: IPublishPacket, callback: (error?: Error) => void): void {
    if (this.closing) {
      // The broker keeps the message for the next session.
      callback(LATER);
      return;
    }
    const { connection } = this.acknowledger;
    this.options.afterDeployment(() => {
      if (!this.closing && (packet.qos === 0 || connection === this.acknowledger.connection)) {
        this.take(packet, callback);
      }
    });
  }

  private take(packet: IPublishPacket, callback: (error?: Error) => void): void {
    const goOn = (error?: Error): void => this.whenRoom(() => this.options.pacer.next(() => callback(error)));
    if (this.acknowledger.isKnown(packet)) {
      goOn(LATER);
      return;
    }
    const handed = this.options.onMessage(packet, packet.qos > 0);
    if (handed) {
      this.acknowledger.add(packet, handed);
    }
    goOn(handed && LATER);
  }

  private answer(cmd: 'puback' | 'pubrec', messageId: number): void {
    if (this.client.connected) {
      // What mqtt.js itself calls; it offers no way to acknowledge later.
      const send = this.client['_sendPacket'] as (this: MqttClient, packet: object) => void;
      this.answers.write(this.client.stream, () => send.call(this.client, { cmd, messageId, reasonCode: 0 }));
    }
  }

  /** Lets the broker send again what was not acknowledged, which it does for a new connection only. */
  private sendAgain(): void {
    this.options.afterDeployment(() => {
      if (this.client.connected && !this.closing) {
        this.client.stream.destroy();
      }
    });
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
