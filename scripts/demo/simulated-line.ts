import { connectAsync, type MqttClient } from 'mqtt';
import { publishSecond } from '../../simulation/commissioning';
import { FAULTS, Line, type Fault } from '../../simulation/index';
import { BREAK_TOPIC } from './mqtt-flow';

const HISTORY_SECONDS = 1800;
/** The first faults come soon, so that both kinds of alert are seen within a minute. */
const PLAN: readonly Fault[] = ['heat-dissipation', 'bearing', 'overstrain', 'coolant', 'power', 'tool-wear'];
const FIRST_FAULT_AFTER = 8;
const FAULT_INTERVAL = 20;
const FAULT_SECONDS = 25;

/** A line of CNC machines that publishes over MQTT: its history as fast as it goes, then one reading a second. */
export class SimulatedLine {
  private second = 0;
  private liveSince = 0;
  private planned = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  private constructor(
    private readonly client: MqttClient,
    readonly line: Line,
    private readonly report: (text: string) => void,
  ) {}

  static async start(url: string, machines: number, report: (text: string) => void): Promise<SimulatedLine> {
    const client = await connectAsync(url, { clientId: 'simulated-line' });
    const line = new Line({ machines, seed: 7, startTs: Date.now() - HISTORY_SECONDS * 1000 });
    const simulated = new SimulatedLine(client, line, report);
    await client.subscribeAsync(BREAK_TOPIC, { qos: 1 });
    client.on('message', (_topic, payload) => simulated.breakNext(payload.toString()));
    return simulated;
  }

  /** Publishes half an hour of healthy operation and resolves when the broker has all of it. */
  async replayHistory(): Promise<void> {
    while (this.second < HISTORY_SECONDS && !this.stopped) {
      await Promise.all(this.publishNext());
    }
  }

  /** Publishes a reading a second from now on, and breaks a machine every now and then. */
  goLive(): void {
    if (this.stopped) {
      return;
    }
    this.liveSince = this.second;
    this.timer = setInterval(() => {
      Promise.all(this.publishNext()).catch((error: unknown) =>
        this.report(`the machines could not publish: ${String(error)}`),
      );
      const elapsed = this.second - this.liveSince - FIRST_FAULT_AFTER;
      if (elapsed >= 0 && elapsed % FAULT_INTERVAL === 0) {
        this.breakNext(PLAN[(elapsed / FAULT_INTERVAL) % PLAN.length]);
      }
    }, 1000);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.client.endAsync();
  }

  private breakNext(name: string): void {
    const fault = FAULTS.find((known) => known === name);
    if (!fault) {
      return;
    }
    const machine = this.line.machines[this.planned++ % this.line.machines.length];
    machine.inject(fault, FAULT_SECONDS);
    this.report(`${machine.id} breaks: ${fault}`);
  }

  private publishNext(): Promise<unknown>[] {
    return publishSecond(this.line, this.second++).map(({ topic, payload, kind }) =>
      this.client.publishAsync(
        topic,
        kind === 'telemetry' ? JSON.stringify(payload) : Buffer.from(payload.buffer as ArrayBuffer),
        { qos: 1 },
      ),
    );
  }
}
