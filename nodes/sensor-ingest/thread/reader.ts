import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import type { Clock } from '../../shared/clock';
import { toEdgeError } from '../../shared/errors';
import type { Random } from '../../shared/random';
import { FeatureExtractor } from '../features/features';
import { MessageReader } from '../message-reader';
import type { Ends } from '../mqtt/acknowledger';
import { MqttSource } from '../mqtt/mqtt-source';
import { PayloadSchema } from '../rows/schema';
import { BatchSender } from './batch-sender';
import type { Delivery, PackedDeliveries } from './packing';
import type { ReaderOrder, ReaderReport, Wanted } from './protocol';
import { BatchTally, EndTally } from './tallies';

export interface ReaderTools {
  clock: Clock;
  random: Random;
  connect: (options: IClientOptions) => MqttClient;
  /** Runs an action in the next turn of the event loop. */
  nextTurn: (action: () => void) => void;
  report: (report: ReaderReport) => void;
}

/**
 * The part of a node that works in a thread: its connection, and all reading that needs no memory of earlier messages.
 * The node takes the readings in, and says what came of each message.
 */
export class Reader {
  private readonly messages: MessageReader;
  private readonly source: MqttSource;
  private readonly sender: BatchSender;
  /** How those that the node has not done with are to end, in the order in which they were handed over. */
  private open: Ends[] = [];
  private settled: EndTally;
  private wanted: Wanted;

  /** @throws Error of what cannot be connected by, such as a certificate that cannot be read */
  constructor(
    { settings, batches, ends }: Extract<ReaderOrder, { kind: 'open' }>,
    private readonly tools: ReaderTools,
  ) {
    const { clock, random, connect, nextTurn, report } = tools;
    const { subscription, features, sampleRate, schema } = settings.config;
    if (!subscription) {
      throw new Error('A reader needs a subscription.');
    }
    this.wanted = settings.wanted;
    this.messages = new MessageReader(
      { ...settings.config, schema: schema === undefined ? undefined : new PayloadSchema(schema) },
      clock,
      random,
      new FeatureExtractor(features, sampleRate),
    );
    this.settled = new EndTally(ends);
    this.sender = new BatchSender(
      (action) =>
        nextTurn(() => {
          this.settle();
          action();
        }),
      new BatchTally(batches),
      (packed: PackedDeliveries) => report({ kind: 'deliveries', packed }),
    );
    this.source = new MqttSource({
      broker: settings.broker,
      connect: (overrides) => connect({ ...settings.connection, ...overrides }),
      subscription,
      onMessage: (packet, ends) => this.take(packet, ends),
      whenRoom: (goOn) => this.sender.whenRoom(goOn),
      onState: (state) => report({ kind: 'state', state }),
      warn: (text) => report({ kind: 'warning', text }),
    });
  }

  obey(order: Exclude<ReaderOrder, { kind: 'open' }>): void {
    switch (order.kind) {
      case 'look':
        this.settle();
        this.sender.flush();
        break;
      case 'lost':
        this.settle();
        this.open.shift()?.lose();
        this.settled = new EndTally(order.ends);
        break;
      case 'sendAgain':
        this.source.sendAgain();
        break;
      case 'publish':
        this.source.publish(order.topic, order.payload);
        break;
      case 'want':
        this.wanted = order.wanted;
        break;
      case 'renew':
        this.source.renew(order.connection);
        break;
      case 'stop':
        this.source.stop();
        break;
      case 'close':
        void this.close();
    }
  }

  /** Ends the connection and reports `closed`; never rejects. */
  async close(): Promise<void> {
    this.settle();
    try {
      await this.source.close();
    } catch (thrown) {
      this.tools.report({ kind: 'warning', text: toEdgeError(thrown).message });
    }
    this.tools.report({ kind: 'closed' });
  }

  /** Acknowledges what the flow has done with since it was last asked. */
  private settle(): void {
    const count = this.settled.hear();
    if (count > 0) {
      this.source.together(() => this.open.splice(0, count).forEach(({ settle }) => settle()));
    }
  }

  private take({ topic, payload, qos, retain }: IPublishPacket, ends: Ends | undefined): void {
    if (ends) {
      this.open.push(ends);
    }
    const msg = { topic, payload, qos, retain };
    let read: Delivery['read'];
    try {
      read = this.messages.read(msg);
    } catch (thrown) {
      read = toEdgeError(thrown);
    }
    const whole = read === undefined || read instanceof Error || this.wants(topic);
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    this.sender.add({ topic, qos, retain, read, payload: whole ? bytes : undefined });
  }

  private wants(topic: string): boolean {
    // The first topic that is heard, unless somebody has asked for another.
    this.wanted.topic ??= topic;
    return this.wanted.all || this.wanted.topic === topic;
  }
}
