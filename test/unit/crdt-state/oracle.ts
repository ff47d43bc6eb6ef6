import assert from 'node:assert/strict';
import type { Json } from '../../../nodes/crdt-state/json';
import type { Replica } from '../../../nodes/crdt-state/replica';
import { isLive, readMerged } from '../../../nodes/crdt-state/strategies';
import { STRATEGY_RULES, type Station } from './world';

/** One write, with the set of writes that its station knew: nothing but sets, so that it can be believed. */
export interface Happened {
  bit: bigint;
  station: Station;
  key: string;
  operation: string;
  value: Json;
  past: bigint;
  dot: { replica: string; counter: number };
  /** The flow was told that it is on disk. */
  done: boolean;
  /** Written by a station that was restored and has not found out. */
  doubtful: boolean;
}

/**
 * Remembers the causal history of every write as plain sets and says what each station must read: an independent
 * check on version vectors, joins and catching up.
 */
export class Oracle {
  private events: Happened[] = [];
  private count = 0;
  /**
   * Stations whose identity may have others' writes beyond `base`: those that were restored and still use the old one,
   * and those whose disk was copied. One of the latter may keep it, and has when it begins to tell.
   */
  private readonly doubts = new Map<Station, { replica: string; base: number; mayKeep?: boolean }>();
  /** Where the old images ended that stations were put back to, by replica. */
  private readonly putBack = new Map<string, number>();

  private readonly wiped = new Set<string>();

  /** Watches a station's own writes. */
  watch(station: Station, next: () => Pick<Happened, 'operation' | 'value'>): void {
    const replica = replicaOf(station);
    const write = replica.write.bind(replica);
    replica.write = (key, replaces, texts) => {
      const past = this.visible(station);
      write(key, replaces, texts);
      this.events.push({
        ...next(),
        bit: 1n << BigInt(this.count++),
        station,
        key,
        past,
        dot: { replica: replica.id, counter: replica.counter },
        done: false,
        doubtful: this.doubts.has(station),
      });
    };
  }

  /** The station's latest write was acknowledged, or refused. */
  settled(station: Station, done: boolean): void {
    const event = this.events.findLast((each) => each.station === station && !each.done);
    if (event && done) {
      event.done = true;
    } else if (event) {
      this.forget(event);
    }
  }

  /** After a crash: what is not on disk is gone, which must be nothing that was acknowledged or sent. */
  restarted(station: Station, stations: readonly Station[]): void {
    const replica = replicaOf(station);
    // The power may have failed when the new identity was on the disk and nobody had seen it yet.
    const doubt = this.doubts.get(station);
    this.follow(station);
    for (const event of this.events.filter((each) => each.station === station && !each.done)) {
      if ((replica.context.get(event.dot.replica) ?? 0) < event.dot.counter) {
        this.forget(event);
      }
    }
    for (const event of this.events.filter((each) => each.station === station)) {
      const { dot } = event;
      const replaced = dot.counter > (this.putBack.get(dot.replica) ?? Infinity) && !event.doubtful;
      if (replaced || this.wiped.has(dot.replica)) {
        // Gone with the disk; the others have it.
        continue;
      }
      assert.ok(
        (replica.context.get(dot.replica) ?? 0) >= dot.counter,
        `acknowledged ${show(event)} is gone`,
      );
      event.done = true;
    }
    for (const other of stations) {
      const known = other.host?.replica?.context.get(replica.id) ?? 0;
      assert.ok(
        doubt !== undefined || known <= replica.counter,
        `${other.name} knows writes that were never on disk`,
      );
    }
  }

  /** A replica's disk was lost when all its writes were known elsewhere. */
  lost(replica: string): void {
    this.wiped.add(replica);
  }

  /** A station was put back to an old image that ends at `base`; all its writes are known elsewhere. */
  restored(station: Station, replica: string, base: number): void {
    if (this.events.some(({ dot }) => dot.replica === replica && dot.counter > base)) {
      this.doubts.set(station, { replica, base });
      this.putBack.set(replica, base);
    }
  }

  /** A station runs on a copy of another's disk, or has one, and has told nothing beyond it. */
  shares(station: Station): void {
    const { id, base, counter } = replicaOf(station);
    assert.equal(
      base,
      counter,
      `the disk of ${station.name} was copied with writes that nobody had heard of`,
    );
    this.doubts.set(station, { replica: id, base, mayKeep: true });
  }

  /** Follows the writes of a station that has taken a new identity, or has kept the one that another had too. */
  follow(station: Station): void {
    const doubt = this.doubts.get(station);
    const replica = station.host?.replica;
    if (!doubt || !replica) {
      return;
    }
    const { id } = replica;
    const kept = id === doubt.replica;
    if (kept && !(doubt.mayKeep && replica.contacted)) {
      return;
    }
    this.doubts.delete(station);
    for (const event of this.events) {
      if (event.doubtful && event.station === station) {
        event.doubtful = false;
        if (!kept) {
          event.dot = { replica: id, counter: event.dot.counter - doubt.base };
        }
      }
    }
  }

  /** What the station must hold, judged by the writes that it knows. */
  check(station: Station): void {
    const replica = station.host?.replica;
    if (!replica) {
      return;
    }
    this.follow(station);
    const visible = this.visible(station);
    for (const key of new Set(this.events.map((event) => event.key))) {
      this.checkKey(station, replica, key, visible);
    }
  }

  /** Every write must be known everywhere. */
  checkComplete(stations: readonly Station[]): void {
    for (const station of stations) {
      this.check(station);
      const visible = this.visible(station);
      for (const event of this.events) {
        assert.ok((visible & event.bit) !== 0n, `${station.name} never learns of ${show(event)}`);
      }
    }
    assert.equal(this.doubts.size, 0, 'a restored station never found out');
  }

  get size(): number {
    return this.events.length;
  }

  private checkKey(station: Station, replica: Replica, key: string, visible: bigint): void {
    const seen = this.events.filter((event) => event.key === key && (event.bit & visible) !== 0n);
    const strategy = STRATEGY_RULES.of(key);
    const siblings = replica.siblings(key);
    const { exists, value } = readMerged(strategy, siblings);
    const at = `${station.name} reads ${key} wrongly`;
    if (strategy === 'counter') {
      const sum = seen.reduce((total, event) => total + Number(event.value), 0);
      assert.deepEqual([exists, value], seen.length > 0 ? [true, sum] : [false, null], at);
      return;
    }
    if (strategy === 'set') {
      const removals = seen.filter(({ operation }) => operation === 'remove');
      const elements = seen
        .filter(({ operation }) => operation === 'add')
        .filter((add) => !removals.some((each) => each.value === add.value && (each.past & add.bit) !== 0n))
        .map((add) => add.value);
      assert.deepEqual(value ?? [], [...new Set(elements)].sort(), at);
      return;
    }
    const replaced = seen.reduce((mask, event) => mask | event.past, 0n);
    const live = seen.filter((event) => (event.bit & replaced) === 0n && event.operation !== 'delete');
    assert.equal(exists, live.length > 0, at);
    assert.deepEqual(
      siblings
        .filter(isLive)
        .map(({ text }) => text)
        .sort(),
      live.map((event) => JSON.stringify(event.value)).sort(),
      at,
    );
    if (live.length > 0) {
      this.checkMerged(
        strategy,
        live.map((event) => event.value),
        value,
        at,
      );
    }
  }

  private checkMerged(strategy: string, values: Json[], merged: Json, at: string): void {
    if (strategy === 'mean') {
      const mean = values.reduce((sum: number, each) => sum + Number(each), 0) / values.length;
      assert.ok(Math.abs(Number(merged) - mean) < 1e-9, at);
    } else if (strategy === 'flag') {
      assert.equal(merged, values.includes(true), at);
    } else if (strategy === 'union') {
      assert.deepEqual(
        merged,
        [...new Set(values)].sort((a, b) => Number(a) - Number(b)),
        at,
      );
    } else {
      assert.ok(
        values.some((each) => JSON.stringify(each) === JSON.stringify(merged)),
        at,
      );
    }
  }

  private visible(station: Station): bigint {
    const { context } = replicaOf(station);
    const doubt = this.doubts.get(station);
    let mask = 0n;
    for (const { bit, dot, doubtful, station: writer } of this.events) {
      const known = (context.get(dot.replica) ?? 0) >= dot.counter;
      const mistaken = doubt?.replica === dot.replica && dot.counter > doubt.base && !doubtful;
      if (known && !mistaken && (!doubtful || writer === station)) {
        mask |= bit;
      }
    }
    return mask;
  }

  private forget(event: Happened): void {
    this.events = this.events.filter((each) => each !== event);
  }
}

export function replicaOf(station: Station): Replica {
  const replica = station.host?.replica;
  assert.ok(replica, `${station.name} is down`);
  return replica;
}

function show({ station, operation, key, value, dot }: Happened): string {
  return `${operation} ${key} ${JSON.stringify(value)} of ${station.name} (${dot.replica}:${dot.counter})`;
}

export function readKey(station: Station, key: string): Json {
  return readMerged(STRATEGY_RULES.of(key), replicaOf(station).siblings(key)).value;
}
