import assert from 'node:assert/strict';
import { replicaOf } from './oracle';
import { Scenario } from './scenario';
import type { Station } from './world';

/** Longer than a gateway listens once somebody has answered it, ms. */
const MEETING_MS = 10_000;

/**
 * A history in which a disk is copied halfway, and gateway and copy live side by side from then on.
 *
 * Where the file tells that it is a copy (`known`), the copy takes an identity of its own before it says anything:
 * whatever is lost, cut or crashes from then on, nothing is lost or counted twice.
 *
 * Where nothing tells (`alike`), the two find out by hearing each other, and that is what must not fail: from the
 * moment when the copy hears anybody at all until they have met, no frame between the two is lost and neither crashes.
 * Before that the copy may write while it hears nobody, and so may the original; to the others frames may get lost at
 * any time. Of writes on the disk that nobody had been told of when it was copied, both would tell as their own: the
 * disk is therefore copied when all are level. Afterwards they have two identities, and anything may happen again.
 */
export class DoubleScenario extends Scenario {
  protected override addStation(gatewayId?: string): Station {
    const station = super.addStation(gatewayId);
    if (this.options.double === 'known') {
      station.disk.place = station.name;
    }
    return station;
  }

  protected override async halfway(): Promise<void> {
    this.world.echoes = this.world.chance(0.5);
    if (this.options.double === 'known') {
      await this.copyAtAnyTime();
    } else {
      await this.copyAlike();
    }
  }

  private async copyAtAnyTime(): Promise<void> {
    const { world } = this;
    for (let copies = 1 + world.random.int(2); copies > 0; copies--) {
      const original = world.pick(world.stations);
      await this.tellAll(original);
      const copy = this.copy(original);
      if (world.chance(0.5)) {
        this.isolate(copy, [original]);
      }
      await this.boot(copy);
    }
  }

  /** Until a station has told all that is on its disk, whether that arrives or not. */
  private async tellAll(station: Station): Promise<void> {
    station.disk.failing = false;
    station.disk.slow = false;
    station.disk.sync();
    if (!station.host) {
      await this.boot(station);
    }
    await this.run(MEETING_MS);
    if (!station.host || !hasToldAll(station)) {
      await this.heal();
    }
  }

  private async copyAlike(): Promise<void> {
    const { world } = this;
    const original = world.pick(world.stations);
    await this.heal();
    await this.tellAll(original);
    await this.heal();
    const others = [...this.present];
    // Whoever never heard anybody does not wait for anybody.
    const apart = world.chance(0.5) && replicaOf(original).peers.size > 0;
    if (apart && world.chance(0.5)) {
      this.isolate(original, others);
    }
    const together = world.chance(0.5);
    if (together) {
      this.crash(original);
    }
    const copy = this.copy(original);
    for (const link of linksOf(original, copy)) {
      world.sure.add(link);
    }
    world.weather = { loss: 0.2, repeat: 0.1, maxDelay: 400 };
    if (apart) {
      this.isolate(copy, others);
    }
    if (together) {
      await this.boot(original);
      this.oracle.shares(original);
      await this.run(world.random.int(world.chance(0.5) ? 2 : 4000));
    }
    await this.boot(copy);
    this.oracle.shares(copy);
    await this.writeBoth(original, copy);
    if (apart) {
      await this.run(world.random.int(20_000));
      this.note('all can hear each other again');
      world.cut.clear();
      await this.writeBoth(original, copy);
    }
    await this.run(MEETING_MS);
    assert.notEqual(
      replicaOf(copy).id,
      replicaOf(original).id,
      `${copy.name} and ${original.name} go on under one identity`,
    );
    world.sure.clear();
  }

  private async writeBoth(original: Station, copy: Station): Promise<void> {
    const { world } = this;
    for (let writes = world.random.int(8); writes > 0; writes--) {
      await this.write(world.pick([original, copy]));
      await this.run(world.random.int(800));
    }
  }

  private copy(original: Station): Station {
    const copy = this.addStation(original.gatewayId);
    copy.disk.rows = new Map(original.disk.rows);
    this.note(`${copy.name} has a copy of the disk of ${original.name}`);
    return copy;
  }

  private isolate(station: Station, others: readonly Station[]): void {
    this.note(`${station.name} is cut off from ${others.map(({ name }) => name).join(', ')}`);
    for (const link of others.flatMap((other) => linksOf(station, other))) {
      this.world.cut.add(link);
    }
  }
}

function hasToldAll(station: Station): boolean {
  const { id, counter, contacted } = replicaOf(station);
  return contacted && (station.told.get(id) ?? 0) >= counter;
}

function linksOf(one: Station, other: Station): string[] {
  return [`${one.name}>${other.name}`, `${other.name}>${one.name}`];
}
