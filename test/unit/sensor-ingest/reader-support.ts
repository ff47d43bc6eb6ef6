import { EventEmitter } from 'node:events';
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import { Reader } from '../../../nodes/sensor-ingest/thread/reader';
import type { ReaderLink, ReaderListener } from '../../../nodes/sensor-ingest/thread/threads';
import { EdgeError } from '../../../nodes/shared/errors';
import { SeededRandom } from '../../../nodes/shared/random';
import { TestClock } from './support';

type Grant = { topic: string; qos: number };

/** As much of an MQTT client as the source uses. */
export class FakeClient extends EventEmitter {
  options: Partial<IClientOptions> = {};
  handleMessage: (packet: IPublishPacket, callback: (error?: Error) => void) => void = () => undefined;
  grant: (filters: string[]) => Grant[] = (filters) => filters.map((topic) => ({ topic, qos: 1 }));
  subscriptions: string[][] = [];
  connected = true;
  sent: { cmd: string; messageId: number }[] = [];
  broken = 0;
  stream = { destroy: () => this.broken++, cork: () => undefined, uncork: () => undefined };

  get acknowledged(): string[] {
    return this.sent.map(({ cmd, messageId }) => `${cmd} ${messageId}`);
  }

  _sendPacket(packet: { cmd: string; messageId: number }): void {
    this.sent.push(packet);
  }

  subscribe(filters: string[], _options: object, done: (error: null, granted: Grant[]) => void): void {
    this.subscriptions.push(filters);
    done(null, this.grant(filters));
  }

  endAsync(): Promise<void> {
    return Promise.resolve();
  }
}

/** Readers in this thread. */
export class TestThreads {
  /** Whether they do nothing that they are told to, as a thread that calculates for ever. */
  stuck = false;
  private readonly dying: (() => void)[] = [];

  constructor(private readonly connect: (options: IClientOptions) => MqttClient) {}

  attach(listener: ReaderListener): ReaderLink {
    let reader: Reader | undefined;
    let alive = true;
    this.dying.push(() => {
      alive = false;
      listener.died(new EdgeError('WORKER', 'The thread ended.'));
    });
    return {
      order: (order) => {
        if (!alive || this.stuck) {
          return;
        }
        if (order.kind !== 'open') {
          reader?.obey(order);
          return;
        }
        reader = new Reader(
          { ...order, settings: structuredClone(order.settings) },
          {
            clock: new TestClock(),
            random: new SeededRandom(1),
            connect: this.connect,
            nextTurn: (action) => action(),
            report: (report) => alive && listener.report(structuredClone(report)),
          },
        );
      },
      release: () => {
        alive = false;
      },
    };
  }

  die(): void {
    this.dying.splice(0).forEach((die) => die());
  }
}
