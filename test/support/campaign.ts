import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { MqttClient } from 'mqtt';
import { campaignMessage } from './campaign-message';
import type { CampaignOrder } from './campaign-process';

/** Numbers between the first messages of two launches on one store. */
export const STRIDE = 1_000_000;

/** The process that is killed. What it said before it died counts, whenever it is read. */
export class Victim {
  readonly complaints: string[] = [];
  /** Resolves with the number of messages in the store it found, or undefined when it died before. */
  readonly ready: Promise<number | undefined>;
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(order: CampaignOrder, accepted: (number: number) => void) {
    this.child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        join(__dirname, 'campaign-process.js'),
        JSON.stringify(order),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    if (!this.child.stdout) {
      throw new Error('The victim has no output.');
    }
    const lines = createInterface(this.child.stdout);
    this.ended = Promise.all([once(this.child, 'close'), once(lines, 'close')]);
    this.ready = new Promise((resolve) => {
      lines.on('close', () => resolve(undefined));
      lines.on('line', (line) => {
        const [word, value] = line.split(' ', 2);
        if (word === 'accepted') {
          accepted(Number(value));
        } else if (word === 'ready') {
          resolve(Number(value));
        } else {
          this.complaints.push(line);
        }
      });
    });
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
    if (this.child.signalCode !== 'SIGKILL') {
      this.complaints.push(`ended by itself: ${this.child.exitCode ?? this.child.signalCode ?? ''}`);
    }
  }
}

/** Knows what was accepted and what arrived under one topic prefix, and what is wrong with that. */
export class Oracle {
  readonly accepted = new Set<number>();
  readonly arrived = new Set<number>();
  duplicates = 0;
  readonly faults: string[] = [];
  private readonly numbers = new Map<string, number>();
  private readonly last = new Map<string, number>();
  private waiting: (() => void) | undefined;

  constructor(
    private readonly seed: number,
    private readonly prefix: string,
    client: MqttClient,
  ) {
    client.on('message', (topic, body, { properties }) => {
      if (topic.startsWith(`${prefix}/`)) {
        this.arrive(topic, body.toString(), String(properties?.userProperties?.['edge-id']));
      }
    });
  }

  missing(): number[] {
    return [...this.accepted].filter((number) => !this.arrived.has(number));
  }

  /**
   * Resolves when nothing that was accepted is missing and a fresh message has arrived, or with what is missing after the
   * time is over. The fresh one may not be accepted yet when everything else has long arrived.
   */
  async complete(fresh: number, timeoutMs: number): Promise<number[]> {
    const deadline = Date.now() + timeoutMs;
    for (let missing = this.missing(); ; missing = this.missing()) {
      if ((missing.length === 0 && this.arrived.has(fresh)) || Date.now() > deadline) {
        return missing;
      }
      await new Promise<void>((resolve) => {
        // Looking through all of them at each arrival would take longer than the arrivals.
        const timer = setTimeout(resolve, 500);
        this.waiting = () => {
          if (this.arrived.size >= this.accepted.size) {
            clearTimeout(timer);
            resolve();
          }
        };
      });
    }
  }

  private arrive(topic: string, text: string, id: string): void {
    const number = Number(text.split(' ', 1)[0]);
    const expected = campaignMessage(this.seed, this.prefix, number);
    if (expected.text !== text || expected.topic !== topic) {
      this.faults.push(`invented or damaged: ${topic} ${text.slice(0, 60)}`);
    }
    const known = this.numbers.get(id);
    if (known === undefined) {
      this.numbers.set(id, number);
      if (this.arrived.has(number)) {
        this.faults.push(`${number} came under a second id, ${id}`);
      }
      if ((this.last.get(topic) ?? -1) >= number) {
        this.faults.push(`${number} was overtaken on ${topic} by ${this.last.get(topic) ?? -1}`);
      }
      this.last.set(topic, Math.max(number, this.last.get(topic) ?? -1));
    } else {
      this.duplicates++;
      if (known !== number) {
        this.faults.push(`${id} stands for ${known} and ${number}`);
      }
    }
    this.arrived.add(number);
    this.waiting?.();
  }
}
