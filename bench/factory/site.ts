import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { Mosquitto } from '../../test/support/mosquitto';
import type { Station } from '../../test/support/station';
import { startMeasured } from '../measured-station';
import { cpuSecondsOf, mainThreadSecondsOf, residentMegabytesOf } from '../processes';
import { needMosquitto } from '../program';
import { Cloud, type Alert } from './cloud';
import { factoryFlow } from './flow';
import {
  STREAMS,
  type KeptReading,
  type LoadOptions,
  type LoadOrder,
  type LoadReport,
  type LoopDelay,
  type PerStream,
  type Played,
  type ProbeCount,
  type ProbeOrder,
  type StageProfile,
} from './protocol';
import { STATE_NODES } from './state-nodes';

export interface SiteOptions extends Omit<LoadOptions, 'port'> {
  gateways: number;
  /** Folder for every score of each gateway, in a file `gateway-<n>.tsv`. */
  scoresFolder?: string;
  /** Folder for the logs of what the gateways write to the state that they share; they share none otherwise. */
  stateFolder?: string;
}

/** CPU seconds so far and resident MB of every process. */
export type Usage = Record<string, ProcessUsage>;

export interface ProcessUsage {
  cpu: number;
  mainThread: number;
  megabytes: number;
}

/** An alert with when its reading was published: for a raw window, as the machines' process remembers it. */
export interface TimedAlert extends Alert {
  publishedAt: number;
}

/** Both streams keep their proportion: each may be so many seconds of its rate ahead of the slower one. */
export interface Pace {
  rates: PerStream;
  seconds: number;
}

const NO_USAGE: ProcessUsage = { cpu: 0, mainThread: 0, megabytes: 0 };
const NOTHING: ProbeCount = { handled: { telemetry: 0, waves: 0 }, stored: 0, queued: 0, rejected: 0 };

/** The whole factory on this computer: machines, their broker, the gateways, the cloud with its broker. */
export class Site {
  readonly played = new Map<number, Played>();
  readonly alerts: TimedAlert[] = [];
  sent: PerStream = { telemetry: 0, waves: 0 };
  bytes: PerStream = { telemetry: 0, waves: 0 };
  acknowledged = 0;
  /** How far behind its clock the machines' process was at worst, in ms, since somebody reset it. */
  behindMs = 0;
  private readonly events = new EventEmitter();
  private pace: Pace = { rates: { telemetry: 1, waves: 1 }, seconds: 0 };
  /** What had been handled when the pace was set. */
  private base: PerStream = { telemetry: 0, waves: 0 };
  private asked = 0;
  private restarted = false;
  /** Gateways that do not run now, and what they had used before they were killed. */
  private readonly down = new Set<string>();
  private readonly spent = new Map<string, ProcessUsage>();
  private readonly counts: ProbeCount[];
  /** What gateways had counted before they were killed. */
  private readonly earlier: ProbeCount[];

  private constructor(
    readonly options: SiteOptions,
    readonly machinesBroker: Mosquitto,
    readonly cloudBroker: Mosquitto,
    readonly gateways: Station[],
    private readonly load: ChildProcess,
    readonly cloud: Cloud,
  ) {
    this.counts = gateways.map(() => NOTHING);
    this.earlier = gateways.map(() => NOTHING);
    gateways.forEach((station, index) =>
      station.on('sink', (id: string, { payload }: { payload: unknown }) => {
        if (id === 'count') {
          this.counts[index] = payload as ProbeCount;
          this.allow();
        } else {
          this.events.emit(`${id} ${index}`, payload);
        }
      }),
    );
    load.on('message', (report: LoadReport) => this.heard(report));
  }

  static async start(options: SiteOptions): Promise<Site> {
    const program = needMosquitto();
    const machinesBroker = await Mosquitto.start(program, undefined, { persistence: false });
    const cloudBroker = await Mosquitto.start(program, undefined, { persistence: false });
    const late: { site?: Site } = {};
    const cloud = await Cloud.open(cloudBroker.url, (alert) => late.site?.alerted(alert));
    const gateways: Station[] = [];
    for (let gateway = 0; gateway < options.gateways; gateway++) {
      const station = await startMeasured({
        script: join(__dirname, 'probe.js'),
        types: ['bench-probe', 'bench-tap', ...STATE_NODES],
        flow: factoryFlow({
          machinesUrl: machinesBroker.url,
          cloudUrl: cloudBroker.url,
          gateway,
          ...options,
          ...(options.scoresFolder !== undefined && {
            scoresFile: join(options.scoresFolder, `gateway-${gateway}.tsv`),
          }),
        }),
      });
      await station.shows('edge-pm-ingest', 'sensor-ingest.status.listening');
      await station.shows('edge-pm-waves', 'sensor-ingest.status.listening');
      gateways.push(station);
    }
    const { machines, seed, waveQos, kept, lockstep } = options;
    const loadOptions: LoadOptions = { port: machinesBroker.port, machines, seed, waveQos, kept, lockstep };
    const load = fork(join(__dirname, 'load.js'), [JSON.stringify(loadOptions)]);
    await once(load, 'message');
    const site = new Site(options, machinesBroker, cloudBroker, gateways, load, cloud);
    late.site = site;
    return site;
  }

  /** What all gateways have done so far, also before they were killed. */
  get count(): ProbeCount {
    return [...this.counts, ...this.earlier].reduce(added);
  }

  /** How far the machines may be ahead of the flow from here on. */
  limit(pace: Pace): void {
    this.pace = pace;
    this.base = this.count.handled;
    this.allow();
  }

  order(order: LoadOrder): void {
    if (this.load.connected) {
      this.load.send(order);
    }
  }

  /** Tells the probes of all gateways, and resolves with their answers when there are any. */
  async ask(order: ProbeOrder & { probe: 'profile' }): Promise<StageProfile[]>;
  async ask(order: ProbeOrder & { probe: 'end' }): Promise<LoopDelay[]>;
  async ask(order: ProbeOrder): Promise<unknown[]> {
    const answer = order.probe === 'profile' ? 'profile' : 'loop';
    return Promise.all(
      this.gateways.map(async (station, index) => {
        const answered = once(this.events, `${answer} ${index}`) as Promise<[unknown]>;
        station.order(order);
        return (await answered)[0];
      }),
    );
  }

  beginLoopDelay(): void {
    this.gateways.forEach((station) => station.order({ probe: 'begin' }));
  }

  /** The readings that the machines' process kept. */
  async kept(): Promise<KeptReading[]> {
    const answered = once(this.events, 'kept') as Promise<[KeptReading[]]>;
    this.order({ kind: 'kept' });
    return (await answered)[0];
  }

  usage(): Usage {
    const pids: Record<string, number> = {
      machines: this.load.pid ?? 0,
      'machines’ broker': this.machinesBroker.pid,
      'cloud broker': this.cloudBroker.pid,
      'cloud and measuring': process.pid,
    };
    this.gateways.forEach((station, index) => (pids[`gateway ${index + 1}`] = station.pid));
    return Object.fromEntries(
      Object.entries(pids).map(([name, pid]) => {
        const spent = this.spent.get(name) ?? NO_USAGE;
        const used = this.down.has(name) ? NO_USAGE : usageOf(pid);
        return [
          name,
          {
            cpu: spent.cpu + used.cpu,
            mainThread: spent.mainThread + used.mainThread,
            megabytes: used.megabytes,
          },
        ];
      }),
    );
  }

  /** Kills a gateway without warning; start it again with {@link Site.restart}. */
  async kill(gateway: number): Promise<void> {
    const name = `gateway ${gateway + 1}`;
    this.spent.set(name, this.usage()[name]);
    this.down.add(name);
    await this.gateways[gateway].kill();
    this.earlier[gateway] = added(this.earlier[gateway], { ...this.counts[gateway], queued: 0 });
    this.counts[gateway] = NOTHING;
  }

  async restart(gateway: number): Promise<void> {
    this.restarted = true;
    await this.gateways[gateway].launch();
    this.down.delete(`gateway ${gateway + 1}`);
  }

  /** Waits until a condition holds. */
  async until(condition: () => boolean, what: string, timeoutMs = 120_000): Promise<void> {
    for (const deadline = Date.now() + timeoutMs; !condition();) {
      if (Date.now() > deadline) {
        const { handled, stored, queued, rejected } = this.count;
        const state = { sent: this.sent, handled, stored, queued, rejected, received: this.cloud.received };
        throw new Error(`Waited ${timeoutMs} ms in vain for ${what}: ${JSON.stringify(state)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    const ended = once(this.load, 'exit');
    this.load.disconnect();
    await ended;
    await Promise.all(this.gateways.map((station) => station.stop()));
    await this.cloud.close();
    await this.machinesBroker.stop();
    await this.cloudBroker.stop();
  }

  private allow(): void {
    const { handled } = this.count;
    const { rates, seconds } = this.pace;
    const running = STREAMS.filter((stream) => rates[stream] > 0);
    const done = Math.min(...running.map((stream) => (handled[stream] - this.base[stream]) / rates[stream]));
    const allowed = { telemetry: 0, waves: 0 };
    for (const stream of STREAMS) {
      allowed[stream] = Math.floor(this.base[stream] + rates[stream] * (done + seconds));
    }
    this.order({ kind: 'allow', allowed });
  }

  private heard(report: LoadReport): void {
    if (report.kind === 'state') {
      this.sent = report.sent;
      this.bytes = report.bytes;
      this.acknowledged = report.acknowledged;
      this.behindMs = Math.max(this.behindMs, report.loopBehindMs);
    } else if (report.kind === 'began') {
      this.played.set(report.incident.id, report.incident);
    } else if (report.kind === 'over') {
      const incident = this.played.get(report.id);
      if (incident) {
        incident.overAt = report.at;
      }
    } else if (report.kind === 'when') {
      this.events.emit(`when ${report.ask}`, report.at);
    } else if (report.kind === 'kept') {
      this.events.emit('kept', report.readings);
    }
  }

  private alerted(alert: Alert): void {
    // A reading says itself when it was published, in whole ms. A gateway that was started again counts windows anew.
    if (this.restarted || !alert.source.endsWith('/vibration')) {
      this.alerts.push({ ...alert, publishedAt: alert.ts });
      return;
    }
    const ask = this.asked++;
    this.events.once(`when ${ask}`, (at: number) => this.alerts.push({ ...alert, publishedAt: at }));
    this.order({ kind: 'when', machine: machineOf(alert.source), seq: alert.seq, ask });
  }
}

function usageOf(pid: number): ProcessUsage {
  return {
    cpu: cpuSecondsOf(pid),
    mainThread: mainThreadSecondsOf(pid),
    megabytes: residentMegabytesOf(pid),
  };
}

/** The place of a machine among all, from its topic. */
export function machineOf(source: string): number {
  return Number(/cnc-(\d+)/.exec(source)?.[1]) - 1;
}

function added(a: ProbeCount, b: ProbeCount): ProbeCount {
  return {
    handled: {
      telemetry: a.handled.telemetry + b.handled.telemetry,
      waves: a.handled.waves + b.handled.waves,
    },
    stored: a.stored + b.stored,
    queued: a.queued + b.queued,
    rejected: a.rejected + b.rejected,
  };
}
