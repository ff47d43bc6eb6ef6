import { connectAsync, type MqttClient } from 'mqtt';
import { messagesIn } from '../../scripts/demo/cloud-messages';
import { publishSecond } from '../../simulation/commissioning';
import { Line, type Fault } from '../../simulation/index';
import type { Detection, EdgeMessage, Reading } from '../../nodes/shared/messages';

/** A fault that a run plans, in seconds from its start. */
export interface PlannedFault {
  machine: string;
  fault: Fault;
  from: number;
  seconds: number;
}

/** What the cloud received: content `message` of the uplink. */
export interface CloudMessage {
  id: string;
  topic: string;
  payload: Record<string, unknown>;
  reading?: Reading;
  detection?: Detection;
}

/** What identifies a message from the flow's point of view, before the uplink gave it an id. */
export function identity({ reading, detection }: { reading?: Reading; detection?: Detection }): string {
  return [
    reading?.id,
    detection ? `alert ${detection.detector} ${detection.episode?.phase ?? ''}` : 'reduced',
  ].join(' ');
}

export function identityOfMessage(msg: EdgeMessage): string {
  return identity(msg as { reading?: Reading; detection?: Detection });
}

/** Publishes a line's readings as fast as the broker takes them, breaking machines on schedule. */
export class FactoryRun {
  readonly line: Line;
  readonly startTs: number;
  /** Every telemetry payload that was published, in order, with its topic. */
  readonly telemetry: { topic: string; payload: Record<string, number> }[] = [];
  private second = 0;

  private constructor(
    private readonly client: MqttClient,
    private readonly plan: readonly PlannedFault[],
    options: { machines: number; seed: number; seconds: number },
  ) {
    this.startTs = Date.now() - options.seconds * 1000;
    this.line = new Line({ machines: options.machines, seed: options.seed, startTs: this.startTs });
  }

  static async start(
    url: string,
    plan: readonly PlannedFault[],
    options: { machines: number; seed: number; seconds: number },
  ): Promise<FactoryRun> {
    const client = await connectAsync(url, {
      clientId: 'factory',
      clean: false,
      reconnectPeriod: 50,
    });
    // Reconnecting is what the tests do on purpose; mqtt.js publishes again what was not acknowledged.
    client.on('error', () => undefined);
    return new FactoryRun(client, plan, options);
  }

  /** Publishes so many seconds of operation and resolves when the broker has acknowledged all of it. */
  async publishSeconds(seconds: number): Promise<void> {
    for (const end = this.second + seconds; this.second < end;) {
      for (const { machine, fault, seconds: length } of this.plan.filter(
        ({ from }) => from === this.second,
      )) {
        this.line.machine(machine)?.inject(fault, length);
      }
      const published = publishSecond(this.line, this.second++);
      for (const { kind, topic, payload } of published) {
        if (kind === 'telemetry') {
          this.telemetry.push({ topic, payload: payload as Record<string, number> });
        }
      }
      await Promise.all(
        published.map(({ topic, payload, kind }) =>
          this.client.publishAsync(
            topic,
            kind === 'telemetry' ? JSON.stringify(payload) : Buffer.from(payload.buffer as ArrayBuffer),
            { qos: 1 },
          ),
        ),
      );
    }
  }

  /** Seconds since the run's start of an event time. */
  secondOf(ts: number): number {
    return (ts - this.startTs) / 1000;
  }

  async stop(): Promise<void> {
    await this.client.endAsync(true);
  }
}

/** Collects what arrives under the cloud topics, with a session that survives its broker. */
export class Cloud {
  readonly messages: CloudMessage[] = [];

  private constructor(private readonly client: MqttClient) {
    client.on('message', (_topic, body) => this.messages.push(...messagesIn<CloudMessage>(body)));
    client.on('error', () => undefined);
  }

  static async open(url: string): Promise<Cloud> {
    const client = await connectAsync(url, {
      clientId: 'cloud-oracle',
      clean: false,
      reconnectPeriod: 50,
    });
    const cloud = new Cloud(client);
    await client.subscribeAsync('cloud/#', { qos: 1 });
    return cloud;
  }

  get alerts(): CloudMessage[] {
    return this.messages.filter(({ detection }) => detection !== undefined);
  }

  identities(): Set<string> {
    return new Set(this.messages.map(identity));
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }
}

/** Waits until something and then nothing new has arrived for a while: the runs' only way to know that they are over. */
export async function quiet(count: () => number, forMs = 1500, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last = count();
  let since = Date.now();
  while (last === 0 || Date.now() - since < forMs) {
    if (Date.now() > deadline) {
      throw new Error(`Still busy after ${timeoutMs} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (count() !== last) {
      last = count();
      since = Date.now();
    }
  }
}
