import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connectAsync, type MqttClient } from 'mqtt';
import { TEMPLATE } from '../../test/support/template';
import { table } from '../table';
import type { Verdict } from './report';
import type { Site } from './site';
import { gatewayName, stateLog } from './state-flow';
import type { StateAnswer } from './state-nodes';
import { StateOracle } from './state-oracle';
import { STOPS } from './state-writes';

/** What became of the state that all gateways shared. */
export interface StateFigures {
  gateways: number;
  /** In the state of the first gateway. */
  keys: number;
  /** Sent into the replicas, and acknowledged by them; the rest was under way when the gateway was killed. */
  writes: number;
  acknowledged: number;
  seconds: number;
  /** Of the state's frames, as PUBLISH packets at the broker. */
  frames: number;
  bytes: number;
  /** How often writes that did not know of each other have met in a key, at all gateways since their last start. */
  conflicts: number;
  /** From the start of the killed gateway's process until it held all that anybody had acknowledged by then. */
  levelAfterRestartSeconds: number | null;
  /** From the last writes, by all gateways at once, until all held the same, and knew it of each other. */
  levelAtEndSeconds: number | null;
  /** Of each gateway's keys and values. */
  digests: string[];
  /** Keys that some gateway lacks or holds otherwise than the first. */
  differing: string[];
  /** Keys of some gateway without an acknowledged write, and with what nobody wrote. */
  missing: string[];
  invented: string[];
}

type State = Record<string, unknown>;

const ANSWER_MS = 20_000;
const LEVEL_MS = 60_000;
const LOOK_MS = 100;
/** Under load, each look at the whole state costs the gateway some of its time. */
const LOOK_UNDER_LOAD_MS = 250;

/** Looks from outside at the state that the gateways of a site share. */
export class SharedState {
  private readonly began = performance.now();
  private levelAfterRestartSeconds: number | null = null;
  private frames = 0;
  private bytes = 0;
  private asked = 0;

  private constructor(
    private readonly site: Site,
    /** Where the gateways log their writes. */
    private readonly folder: string,
    private readonly client: MqttClient,
  ) {
    client.on('message', (_topic, _body, packet) => {
      this.frames++;
      this.bytes += 2 + (packet.length ?? 0);
    });
  }

  static async watch(site: Site, folder: string): Promise<SharedState> {
    const client = await connectAsync(site.machinesBroker.url, {
      clientId: 'factory-state',
      protocolVersion: 5,
    });
    const shared = new SharedState(site, folder, client);
    await client.subscribeAsync('edge/state/#', { qos: 1 });
    return shared;
  }

  /** What has been written so far. */
  oracle(): StateOracle {
    const logOf = (gateway: number): string => readFileSync(stateLog(this.folder, gateway), 'utf8');
    return new StateOracle(
      new Map(this.site.gateways.map((_, gateway) => [gatewayName(gateway), logOf(gateway)])),
    );
  }

  /** Waits until a gateway that is being started again holds what had been acknowledged before. */
  async levelAfterRestart(gateway: number, before: StateOracle, since: number): Promise<void> {
    for (const deadline = since + LEVEL_MS; performance.now() < deadline;) {
      const { state } = await this.ask(gateway);
      if (before.missing(state).size === 0) {
        this.levelAfterRestartSeconds = (performance.now() - since) / 1000;
        return;
      }
      await pause(LOOK_UNDER_LOAD_MS);
    }
  }

  /** Lets all gateways write a last time, waits until they hold the same, and compares them; once the machines are still. */
  async settle(): Promise<StateFigures> {
    const { site } = this;
    const since = performance.now();
    const seconds = (since - this.began) / 1000;
    site.gateways.forEach((station) => station.order({ probe: 'still' }));
    let answers = await this.askAll();
    while (!isLevel(answers) && performance.now() - since < LEVEL_MS) {
      await pause(LOOK_MS);
      answers = await this.askAll();
    }
    const levelAtEndSeconds = isLevel(answers) ? (performance.now() - since) / 1000 : null;
    const states = answers.map(({ state }) => state);
    const oracle = this.oracle();
    const missing = new Map(states.flatMap((state) => [...oracle.missing(state)]));
    const all = await Promise.all(site.gateways.map((station) => station.figures(TEMPLATE.state)));
    return {
      gateways: states.length,
      keys: Object.keys(states[0]).length,
      writes: oracle.sent,
      acknowledged: oracle.acknowledged,
      seconds,
      frames: this.frames,
      bytes: this.bytes,
      conflicts: all.reduce((sum, figures) => sum + figures.edge_state_conflicts_total, 0),
      levelAfterRestartSeconds: this.levelAfterRestartSeconds,
      levelAtEndSeconds,
      digests: states.map(digestOf),
      differing: differing(states),
      missing: [...missing].map(([key, fault]) => `${key} ${fault}`),
      invented: [...new Set(states.flatMap((state) => oracle.invented(state)))],
    };
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }

  private askAll(): Promise<StateAnswer[]> {
    return Promise.all(this.site.gateways.map((_, gateway) => this.ask(gateway)));
  }

  private ask(gateway: number): Promise<StateAnswer> {
    const station = this.site.gateways[gateway];
    const asked = ++this.asked;
    return new Promise((resolve, reject) => {
      const heard = (id: string, { payload }: { payload: unknown }): void => {
        if (id === 'state' && (payload as StateAnswer).asked === asked) {
          end();
          resolve(payload as StateAnswer);
        }
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`Gateway ${gateway + 1} has not said what its state is for ${ANSWER_MS} ms`));
      }, ANSWER_MS);
      const end = (): void => {
        clearTimeout(timer);
        station.off('sink', heard);
      };
      station.on('sink', heard);
      station.inject(TEMPLATE.state, { operation: 'snapshot', asked });
    });
  }
}

/** Whether everything that was asked of a shared state holds. */
export function isShared(figures: StateFigures): boolean {
  const { levelAfterRestartSeconds, levelAtEndSeconds, digests, missing, invented, keys } = figures;
  const equal = keys > 0 && levelAtEndSeconds !== null && new Set(digests).size === 1;
  return equal && levelAfterRestartSeconds !== null && missing.length + invented.length === 0;
}

export function stateVerdict(figures: StateFigures): Verdict {
  const { gateways, keys, acknowledged, digests, missing, invented } = figures;
  const same = digests.filter((digest) => digest === digests[0]).length;
  return {
    figure: 'state that gateways share',
    asked: 'equal, no acknowledged write missing',
    here: `${same} of ${gateways} equal in ${keys} keys, ${acknowledged} writes, ${missing.length} keys lack one, ${invented.length} hold what nobody wrote`,
    pass: isShared(figures),
  };
}

export function stateTable(figures: StateFigures): string {
  const { keys, writes, acknowledged, seconds, frames, bytes, conflicts, digests } = figures;
  const shownSeconds = (value: number | null): string => (value === null ? 'never' : `${value.toFixed(1)} s`);
  return table(
    ['state that gateways share', ''],
    [
      ['keys', String(keys)],
      ['writes, acknowledged', `${writes}, ${acknowledged} (${(writes / seconds).toFixed(0)}/s)`],
      ['concurrent writes that met', String(conflicts)],
      [
        'published',
        `${(bytes / 1000).toFixed(1)} kB, ${(bytes / writes).toFixed(0)} bytes a write, ${frames} frames`,
      ],
      ['level after the restart', shownSeconds(figures.levelAfterRestartSeconds)],
      ['all level after the last writes', shownSeconds(figures.levelAtEndSeconds)],
      ['digests', [...new Set(digests)].map((digest) => digest.slice(0, 12)).join(', ')],
      ['keys that differ', listed(figures.differing)],
      ['keys without an acknowledged write', listed(figures.missing)],
      ['keys with what nobody wrote', listed(figures.invented)],
    ],
  );
}

/** How many, and the first few of them. */
function listed(some: readonly string[]): string {
  return [String(some.length), ...some.slice(0, 3)].join('; ');
}

/** Whether all gateways hold the last write of each, and the same of everything. */
function isLevel(answers: readonly StateAnswer[]): boolean {
  const known = answers.every(({ pending, state }) => pending === 0 && state[STOPS] === answers.length);
  return known && new Set(answers.map(({ state }) => digestOf(state))).size === 1;
}

function digestOf(state: State): string {
  const entries = Object.keys(state)
    .sort()
    .map((key) => [key, state[key]]);
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex');
}

function differing(states: readonly State[]): string[] {
  const keys = new Set(states.flatMap((state) => Object.keys(state)));
  const at = (state: State, key: string): string => JSON.stringify(state[key] ?? null);
  return [...keys].filter((key) => states.some((state) => at(state, key) !== at(states[0], key)));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
