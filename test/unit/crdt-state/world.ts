import type { Clock } from '../../../nodes/shared/clock';
import { SeededRandom } from '../../../nodes/shared/random';
import type { StateWrite } from '../../../nodes/shared/store/state-store';
import { FrameCodec, type Frame } from '../../../nodes/crdt-state/frames';
import { ReplicaHost, type ReplicaStore } from '../../../nodes/crdt-state/host';
import { SentFrames } from '../../../nodes/crdt-state/sent-frames';
import { StrategyBook } from '../../../nodes/crdt-state/strategies';
import { encodeVersion1 } from './version1';

export const STRATEGY_RULES = new StrategyBook('last_write_wins', [
  { pattern: 'mean/#', strategy: 'mean' },
  { pattern: 'union/#', strategy: 'union' },
  { pattern: 'count/#', strategy: 'counter' },
  { pattern: 'set/#', strategy: 'set' },
  { pattern: 'flag/#', strategy: 'flag' },
]);

/** A disk: what was written to it survives a crash, what was under way may or may not. */
export class Disk implements ReplicaStore {
  rows = new Map<string, Uint8Array>();
  /** What tells its file from a copy; undefined where nothing does. */
  place: string | undefined;
  failing = false;
  slow = false;
  /** Asked at every write; says whether the power fails at it, and whether what was written took. */
  powerFails: () => { took: boolean } | undefined = () => undefined;
  private underWay: { rows: StateWrite[]; resolve: () => void; reject: (error: Error) => void }[] = [];

  load(): Promise<ReadonlyMap<string, Uint8Array>> {
    return Promise.resolve(new Map(this.rows));
  }

  origin(): Promise<string | undefined> {
    return Promise.resolve(this.place);
  }

  write(rows: StateWrite[]): Promise<void> {
    if (this.failing) {
      return Promise.reject(new Error('the disk is full'));
    }
    const failure = this.powerFails();
    if (failure) {
      if (failure.took) {
        this.apply(rows);
      }
      // Nobody is left to hear of it.
      return new Promise(() => undefined);
    }
    if (!this.slow) {
      this.apply(rows);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => this.underWay.push({ rows, resolve, reject }));
  }

  /** What is under way reaches the disk. */
  sync(): void {
    for (const { rows, resolve } of this.underWay.splice(0)) {
      this.apply(rows);
      resolve();
    }
  }

  /** The power fails: the writes under way were finished up to some point. */
  crash(finished: number): void {
    for (const { rows } of this.underWay.splice(0).slice(0, finished)) {
      this.apply(rows);
    }
  }

  private apply(rows: StateWrite[]): void {
    for (const { key, value } of rows) {
      if (value) {
        this.rows.set(key, value);
      } else {
        this.rows.delete(key);
      }
    }
  }
}

/** One gateway of the simulated world. */
export class Station {
  readonly disk = new Disk();
  host: ReplicaHost | undefined;
  /** Of its wall clock, in ms. */
  skew = 0;
  /** Counts its starts, so that a crashed process's timers stay silent. */
  life = 0;
  /** Of the frames that it writes; one of version 1 reads no others. */
  version: 1 | 2 = 2;
  /** What its process has sent. */
  sent = new SentFrames();
  /** By replica id, the last of its writes that a frame has told. */
  readonly told = new Map<string, number>();

  /** @param gatewayId that of another station on a copied disk */
  constructor(
    readonly name: string,
    readonly gatewayId = name,
  ) {}
}

interface Happening {
  at: number;
  order: number;
  action: () => void;
}

/** How the network treats frames. */
export interface Weather {
  loss: number;
  repeat: number;
  maxDelay: number;
}

/**
 * Gateways, their disks, clocks and network in one deterministic world: the same seed gives the same history. Time is
 * virtual; whatever a station does between two happenings is finished when the next one comes.
 */
export class World {
  readonly random: SeededRandom;
  readonly stations: Station[] = [];
  /** `from>to` pairs whose frames are lost. */
  readonly cut = new Set<string>();
  /** Pairs of which no frame is lost to the weather. */
  readonly sure = new Set<string>();
  weather: Weather = { loss: 0.2, repeat: 0.1, maxDelay: 400 };
  /** Changes or drops frames on their way; for showing that a broken protocol is found out. */
  tamper: (frame: Frame) => Frame | undefined = (frame) => frame;
  /** Whether what a station sends comes back to it, as from a broker of MQTT 3.1.1. */
  echoes = false;
  framesSent = 0;
  /** Frames that came to a station of an earlier version, which answers them with `SYNC_VERSION`. */
  framesRefused = 0;
  time = 0;
  private readonly codec: FrameCodec;
  private happenings: Happening[] = [];
  private order = 0;

  constructor(
    readonly seed: number,
    spaceKey = 'a shared secret',
  ) {
    this.random = new SeededRandom(seed);
    this.codec = new FrameCodec('simulation', spaceKey);
  }

  addStation(name: string, gatewayId?: string): Station {
    const station = new Station(name, gatewayId);
    this.stations.push(station);
    return station;
  }

  async boot(station: Station): Promise<ReplicaHost> {
    const life = ++station.life;
    const host = new ReplicaHost({
      gatewayId: station.gatewayId,
      strategies: STRATEGY_RULES,
      clock: this.clockOf(station, life),
      random: this.random,
      store: station.disk,
      namespace: 'simulation',
      newIncarnation: () => this.random.int(0x100000000).toString(16).padStart(12, '0'),
      pause: () => Promise.resolve(),
    });
    host.listeners.add({ frame: (frame) => this.broadcast(station, life, frame) });
    station.host = host;
    station.sent = new SentFrames();
    // A copy writes at its start: its disk may be slow then, or lose its power.
    await Promise.race([host.start(), settle()]);
    return host;
  }

  crash(station: Station): void {
    station.life++;
    station.host = undefined;
    station.disk.crash(this.random.int(3));
  }

  /** Runs for a while of virtual time; `after` runs whenever something has happened. */
  async run(ms: number, after?: () => void): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const next = this.happenings.at(-1);
      if (!next || next.at > end) {
        break;
      }
      this.happenings.pop();
      this.time = next.at;
      next.action();
      await settle();
      after?.();
    }
    this.time = end;
  }

  at(delay: number, action: () => void): { cancel(): void } {
    const happening = { at: this.time + Math.max(0, delay), order: this.order++, action };
    // Latest first, so that the next one is popped.
    let low = 0;
    let high = this.happenings.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.happenings[middle];
      if (other.at > happening.at || (other.at === happening.at && other.order > happening.order)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    this.happenings.splice(low, 0, happening);
    return { cancel: () => (happening.action = () => undefined) };
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random.int(items.length)];
  }

  private clockOf(station: Station, life: number): Clock {
    return {
      now: () => 1_700_000_000_000 + this.time + station.skew,
      monotonic: () => this.time,
      after: (delay, action) => this.at(delay, () => (station.life === life ? action() : undefined)),
    };
  }

  private broadcast(from: Station, life: number, sent: Frame): void {
    const frame = station_alive(from, life) ? this.tamper(sent) : undefined;
    if (!frame) {
      return;
    }
    this.framesSent++;
    from.told.set(sent.sender, Math.max(from.told.get(sent.sender) ?? 0, sent.context.get(sent.sender) ?? 0));
    const bytes = from.version === 1 ? encodeVersion1(wholeContext(frame, from)) : this.codec.encode(frame);
    from.sent.add(bytes);
    for (const to of this.stations) {
      const link = `${from.name}>${to.name}`;
      if (
        (to === from && !this.echoes) ||
        this.cut.has(link) ||
        (!this.sure.has(link) && this.chance(this.weather.loss))
      ) {
        continue;
      }
      for (let copies = this.chance(this.weather.repeat) ? 2 : 1; copies > 0; copies--) {
        this.at(1 + this.random.int(this.weather.maxDelay), () => {
          if (to === from && !station_alive(from, life)) {
            // What a process has sent comes back to itself, not to the next one.
            return;
          }
          if (to.version < bytes[0]) {
            this.framesRefused++;
            return;
          }
          to.host?.receive(this.codec.decode(bytes), { echo: to.sent.has(bytes) }).catch((error: unknown) => {
            // A full disk is part of the weather.
            if (!(error instanceof Error) || !error.message.includes('disk')) {
              throw error;
            }
          });
        });
      }
    }
  }
}

/** A frame of version 1 says everything that its sender knows of others. */
function wholeContext(frame: Frame, { host }: Station): Frame {
  const others = [...(host?.replica?.context ?? [])].filter(([id]) => id !== frame.sender);
  return { ...frame, context: new Map([...others, ...frame.context]) };
}

function station_alive(station: Station, life: number): boolean {
  return station.life === life;
}

/** Until every promise that can settle without time passing has settled. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
