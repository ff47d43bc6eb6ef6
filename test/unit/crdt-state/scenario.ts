import assert from 'node:assert/strict';
import type { Json } from '../../../nodes/crdt-state/json';
import type { WriteOperation } from '../../../nodes/crdt-state/operations';
import { Oracle, replicaOf } from './oracle';
import { settle, World, type Station } from './world';

const YEAR = 365 * 86_400_000;

export interface ScenarioOptions {
  steps?: number;
  tamper?: World['tamper'];
}

/** One seeded history of writes, losses, partitions, wrong clocks, crashes and restores, judged after every happening. */
export class Scenario {
  readonly world: World;
  readonly oracle = new Oracle();
  private readonly busy = new Set<Station>();
  private written = 0;

  constructor(
    readonly seed: number,
    private readonly options: ScenarioOptions = {},
  ) {
    this.world = new World(seed);
    this.world.tamper = options.tamper ?? this.world.tamper;
  }

  async play(): Promise<void> {
    const { world } = this;
    const stations = 2 + world.random.int(3);
    for (let i = 0; i < stations; i++) {
      await this.boot(world.addStation(`gateway-${i}`));
    }
    for (let step = this.options.steps ?? 40; step > 0; step--) {
      await this.step();
    }
    if (world.chance(0.4)) {
      await this.restore(world.pick(world.stations));
    }
    await this.heal();
    this.oracle.checkComplete(world.stations);
    for (const station of world.stations) {
      assert.equal(station.host?.pending, 0, `${station.name} waits for acknowledgements for ever`);
    }
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
      if (!world.cut.delete(link)) {
        world.cut.add(link);
      }
    } else if (dice < 0.78) {
      station.skew = (world.random.next() * 2 - 1) * YEAR;
    } else if (dice < 0.84) {
      await this.collect(station);
    } else if (dice < 0.9) {
      station.disk.slow = !station.disk.slow;
      station.disk.sync();
      await settle();
    } else if (dice < 0.93) {
      station.disk.failing = !station.disk.failing;
    } else if (dice < 0.98) {
      await this.crashOrBoot(station);
    } else if (world.stations.length < 5) {
      await this.boot(world.addStation(`gateway-${world.stations.length}`));
    }
    this.checkAll();
  }

  private async write(station: Station): Promise<void> {
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
      this.world.crash(station);
      this.busy.delete(station);
    }
  }

  private async boot(station: Station): Promise<void> {
    const again = station.life > 0;
    const pending = this.world.boot(station);
    await pending;
    if (again) {
      this.oracle.restarted(station, this.world.stations);
    }
    this.oracle.watch(station, () => this.current.get(station) ?? { operation: '', value: null });
  }

  private async collect(station: Station): Promise<void> {
    station.host?.collect().catch(() => undefined);
    await settle();
  }

  /** All level, then one is put back to what its disk held a while before, and writes on without knowing. */
  private async restore(station: Station): Promise<void> {
    const { world } = this;
    await this.heal();
    const image = new Map(station.disk.rows);
    const { id, counter } = replicaOf(station);
    for (let i = world.random.int(6); i > 0; i--) {
      await this.write(world.pick(world.stations));
    }
    await this.heal();
    world.crash(station);
    this.busy.delete(station);
    station.disk.rows = image;
    await world.boot(station);
    this.oracle.restored(station, id, counter);
    this.oracle.watch(station, () => this.current.get(station) ?? { operation: '', value: null });
    world.weather = { ...world.weather, loss: 0 };
    for (let i = world.random.int(8); i > 0; i--) {
      await this.write(station);
      this.checkAll();
    }
    await this.run(5000);
  }

  /** Everybody up, the network whole though not perfect, and time to level out. */
  private async heal(): Promise<void> {
    const { world } = this;
    world.cut.clear();
    world.weather = { loss: 0.1, repeat: 0.1, maxDelay: 100 };
    for (const station of world.stations) {
      station.disk.failing = false;
      station.disk.slow = false;
      station.disk.sync();
      if (!station.host) {
        await this.boot(station);
      }
    }
    await settle();
    for (let i = 0; i < 60 && !this.level(); i++) {
      await this.run(5000);
    }
  }

  private level(): boolean {
    const [first, ...others] = this.world.stations.map((station) => replicaOf(station).context);
    return (
      others.every(
        (context) =>
          context.size === first.size && [...first].every(([id, counter]) => context.get(id) === counter),
      ) && this.world.stations.every(({ host }) => host?.pending === 0)
    );
  }

  private run(ms: number): Promise<void> {
    return this.world.run(ms, () => this.checkAll());
  }

  private readonly checked = new Map<Station, string>();

  private checkAll(): void {
    for (const station of this.world.stations) {
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
