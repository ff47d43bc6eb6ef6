import assert from 'node:assert/strict';
import type { Json } from '../../../nodes/crdt-state/json';
import type { WriteOperation } from '../../../nodes/crdt-state/operations';
import { Oracle, replicaOf } from './oracle';
import { settle, World, type Station } from './world';

/** Steps of a history, unless told otherwise. */
export const DEFAULT_STEPS = 40;
const YEAR = 365 * 86_400_000;
/** A power cut costs a retirement one try; more of them mean that it can never succeed. */
const MAX_RETIRE_TRIES = 10;
/** A history that goes round in circles would otherwise fill the memory with what it has done. */
const MAX_TRACE = 10_000;

export interface ScenarioOptions {
  steps?: number;
  /** The power fails at the how-manieth write to any disk, which took or did not. */
  powerCut?: { write: number; took: boolean };
  /** Halfway a disk is copied, and the copy runs beside its original; see {@link DoubleScenario}. */
  double?: 'known' | 'alike';
}

/** One seeded history of writes, losses, partitions, wrong clocks, crashes and restores, judged after every happening. */
export class Scenario {
  readonly world: World;
  readonly oracle = new Oracle();
  /** What was done, for reading a failure. */
  readonly trace: string[] = [];
  /** Writes to all disks. */
  diskWrites = 0;
  private readonly busy = new Set<Station>();
  private readonly departed = new Set<Station>();
  private written = 0;

  constructor(
    readonly seed: number,
    protected readonly options: ScenarioOptions = {},
  ) {
    this.world = new World(seed);
  }

  async play(): Promise<void> {
    const { world } = this;
    const stations = 2 + world.random.int(3);
    for (let i = 0; i < stations; i++) {
      await this.boot(this.addStation());
    }
    const steps = this.options.steps ?? DEFAULT_STEPS;
    for (let step = 0; step < steps; step++) {
      if (step === steps >> 1) {
        await this.halfway();
      }
      await this.step();
    }
    const dice = world.random.next();
    if (dice < 0.4) {
      await this.restore(world.pick(world.stations));
    } else if (dice < 0.5) {
      await this.wipe(world.pick(world.stations));
    } else if (dice < 0.7 && world.stations.length > 2 && !this.options.double) {
      await this.retire(world.pick(world.stations));
    }
    await this.heal();
    this.checkLevel();
  }

  /** What else happens once, between the steps. */
  protected halfway(): Promise<void> {
    return Promise.resolve();
  }

  protected get present(): Station[] {
    return this.world.stations.filter((station) => !this.departed.has(station));
  }

  private checkLevel(): void {
    this.oracle.checkComplete(this.present);
    if (this.options.double) {
      // To the others a gateway and its copy are one peer, which has acknowledged what the one last heard has.
      return;
    }
    for (const station of this.present) {
      assert.equal(station.host?.pending, 0, `${station.name} waits for acknowledgements for ever`);
    }
  }

  /** @param gatewayId that of another station, which this one is to be a copy of */
  protected addStation(gatewayId?: string): Station {
    const { world } = this;
    const station = world.addStation(`gateway-${world.stations.length}`, gatewayId);
    station.disk.powerFails = () => {
      this.diskWrites++;
      const { powerCut } = this.options;
      if (this.diskWrites !== powerCut?.write) {
        return undefined;
      }
      this.note(`power cut at write ${powerCut.write} of ${station.name}, took: ${powerCut.took}`);
      this.crash(station);
      return powerCut;
    };
    return station;
  }

  protected crash(station: Station): void {
    this.note(`crash ${station.name}`);
    this.world.crash(station);
    this.busy.delete(station);
  }

  protected note(what: string): void {
    assert.ok(this.trace.length < MAX_TRACE, 'the history never ends');
    this.trace.push(`${this.world.time} ms: ${what}`);
  }

  private async step(): Promise<void> {
    const { world } = this;
    const station = world.pick(world.stations);
    const dice = world.random.next();
    if (dice < 0.5) {
      await this.write(station);
    } else if (dice < 0.62) {
      await this.run(world.random.int(1500));
    } else if (dice < 0.72) {
      const link = `${station.name}>${world.pick(world.stations).name}`;
      this.note(`cut or mend ${link}`);
      if (!world.cut.delete(link)) {
        world.cut.add(link);
      }
    } else if (dice < 0.78) {
      station.skew = (world.random.next() * 2 - 1) * YEAR;
      this.note(`the clock of ${station.name} is off by ${Math.round(station.skew)} ms`);
    } else if (dice < 0.84) {
      await this.collect(station);
    } else if (dice < 0.9) {
      station.disk.slow = !station.disk.slow;
      this.note(`the disk of ${station.name} is slow: ${station.disk.slow}`);
      station.disk.sync();
      await settle();
    } else if (dice < 0.93) {
      station.disk.failing = !station.disk.failing;
      this.note(`the disk of ${station.name} is full: ${station.disk.failing}`);
    } else if (dice < 0.98) {
      await this.crashOrBoot(station);
    } else if (world.stations.length < 5) {
      await this.boot(this.addStation());
    }
    this.checkAll();
  }

  protected async write(station: Station): Promise<void> {
    const { host } = station;
    if (!host || this.busy.has(station)) {
      return;
    }
    const [key, operation, value] = this.randomWrite();
    const before = this.oracle.size;
    const told = (done: boolean): void => {
      if (station.host === host && this.oracle.size > before) {
        this.oracle.settled(station, done);
      }
      this.busy.delete(station);
    };
    this.note(`${station.name}: ${operation} ${key} ${JSON.stringify(value)}`);
    this.busy.add(station);
    this.current.set(station, { operation, value });
    host.write(operation, key, value ?? undefined).then(
      () => told(true),
      () => told(false),
    );
    await settle();
  }

  private readonly current = new Map<Station, { operation: string; value: Json }>();

  private randomWrite(): [string, WriteOperation, Json] {
    const { world } = this;
    const number = world.random.int(100);
    switch (world.random.int(6)) {
      case 0:
        return ['count/parts', 'increment', 1 + world.random.int(9)];
      case 1:
        return ['set/alarms', world.chance(0.6) ? 'add' : 'remove', `alarm-${world.random.int(3)}`];
      case 2:
        return world.chance(0.1)
          ? ['flag/stop', 'delete', null]
          : world.chance(0.5)
            ? ['flag/stop', 'enable', true]
            : ['flag/stop', 'disable', false];
      case 3:
        return ['mean/load', 'set', number];
      case 4:
        return world.chance(0.3)
          ? ['union/tools', 'delete', null]
          : ['union/tools', 'set', this.written++ + 1000];
      default: {
        const key = `setpoint-${world.random.int(2)}`;
        return world.chance(0.3) ? [key, 'delete', null] : [key, 'set', `value ${this.written++}`];
      }
    }
  }

  private async crashOrBoot(station: Station): Promise<void> {
    if (!station.host) {
      await this.boot(station);
    } else if (!station.disk.failing) {
      this.crash(station);
    }
  }

  protected async boot(station: Station, remembers = true): Promise<void> {
    this.note(`start ${station.name}`);
    const again = station.life > 0;
    await this.world.boot(station);
    if (!station.host) {
      return;
    }
    if (again && remembers) {
      this.oracle.restarted(station, this.world.stations);
    }
    this.oracle.watch(station, () => this.current.get(station) ?? { operation: '', value: null });
  }

  private async collect(station: Station): Promise<void> {
    this.note(`${station.name} forgets what was deleted`);
    station.host?.collect().catch(() => undefined);
    await settle();
  }

  /** All level, then one is put back to what its disk held a while before, and writes on without knowing. */
  private async restore(station: Station): Promise<void> {
    const { world } = this;
    await this.heal();
    await this.run(5000);
    await this.heal();
    if (replicaOf(station).peers.size === 0) {
      // Whoever never heard anybody cannot know that there is somebody to listen to.
      return;
    }
    const image = new Map(station.disk.rows);
    const { id, counter } = replicaOf(station);
    for (let i = world.random.int(6); i > 0; i--) {
      await this.write(world.pick(world.stations));
    }
    await this.heal();
    this.crash(station);
    station.disk.rows = image;
    this.note(`start ${station.name} from its image of counter ${counter}`);
    await world.boot(station);
    this.oracle.restored(station, id, counter);
    this.oracle.watch(station, () => this.current.get(station) ?? { operation: '', value: null });
    for (let i = world.random.int(8); i > 0; i--) {
      await this.write(station);
      this.checkAll();
    }
    await this.run(5000);
  }

  /** All level, then one loses its disk. */
  private async wipe(station: Station): Promise<void> {
    await this.heal();
    const { id } = replicaOf(station);
    this.crash(station);
    station.disk.rows.clear();
    this.oracle.lost(id);
    this.note(`the disk of ${station.name} is new`);
    await this.boot(station, false);
    assert.notEqual(
      replicaOf(station).id,
      id,
      `${station.name} goes on under an identity whose dots it has lost`,
    );
  }

  /** All level, then one goes for good as far as the others know; some come back after all. */
  private async retire(station: Station): Promise<void> {
    await this.heal();
    // Long enough to have been heard by most.
    await this.run(5000);
    await this.heal();
    const { id } = replicaOf(station);
    this.crash(station);
    this.departed.add(station);
    const other = this.world.pick(this.present);
    for (let tries = 0; other.host?.synchronizer?.retirement.has(id) !== true; tries++) {
      await this.heal();
      if (!hasHeard(other, id)) {
        // The retirement would be refused, however often it is asked for.
        return;
      }
      assert.ok(tries < MAX_RETIRE_TRIES, `${other.name} never gets ${station.name} retired`);
      this.note(`${other.name} retires ${station.name}`);
      this.current.set(other, { operation: 'set', value: [id] });
      other.host?.retire(station.name).then(
        () => this.oracle.settled(other, true),
        () => undefined,
      );
      await settle();
    }
    for (let i = this.world.random.int(6); i > 0; i--) {
      await this.write(this.world.pick(this.present));
    }
    await this.heal();
    this.checkLevel();
    for (const { host, name } of this.present) {
      const listed = host?.synchronizer?.peers.ids.includes(id);
      assert.equal(listed, false, `${name} still counts on the retired ${station.name}`);
    }
    if (this.world.chance(0.5)) {
      this.departed.delete(station);
      await this.boot(station);
      await this.write(station);
      await this.heal();
      await this.run(5000);
      await this.heal();
      assert.notEqual(replicaOf(station).id, id, `${station.name} never found out that it was retired`);
    }
  }

  /** Everybody up, the network whole though not perfect, and time to level out. */
  protected async heal(): Promise<void> {
    const { world } = this;
    world.cut.clear();
    world.weather = { loss: 0.1, repeat: 0.1, maxDelay: 100 };
    for (let i = 0; i < 60; i++) {
      for (const station of this.present) {
        station.disk.failing = false;
        station.disk.slow = false;
        station.disk.sync();
        if (!station.host) {
          await this.boot(station);
        }
      }
      await settle();
      if (this.level()) {
        return;
      }
      await this.run(5000);
    }
  }

  private level(): boolean {
    if (this.present.some(({ host }) => !host)) {
      return false;
    }
    const [first, ...others] = this.present.map((station) => replicaOf(station).context);
    return (
      others.every(
        (context) =>
          context.size === first.size && [...first].every(([id, counter]) => context.get(id) === counter),
      ) &&
      (this.options.double !== undefined || this.present.every(({ host }) => host?.pending === 0))
    );
  }

  protected run(ms: number): Promise<void> {
    return this.world.run(ms, () => this.checkAll());
  }

  private readonly checked = new Map<Station, string>();

  private checkAll(): void {
    for (const station of this.world.stations) {
      this.oracle.follow(station);
      const replica = station.host?.replica;
      if (!replica) {
        continue;
      }
      const mark = `${station.life} ${[...replica.context].join(' ')}`;
      if (this.checked.get(station) !== mark && !(station.disk.slow && this.busy.has(station))) {
        this.checked.set(station, mark);
        this.oracle.check(station);
      }
    }
  }
}

/** Whether a station knows of a replica, by its frames or by its writes. */
function hasHeard(station: Station, id: string): boolean {
  const known = station.host?.synchronizer?.peers.ids.includes(id) ?? false;
  return known || replicaOf(station).context.has(id);
}
