import assert from 'node:assert/strict';
import { SeededRandom } from '../../nodes/shared/random';
import type { Batch, Contestant, MakeContestant } from './contestant';

const REPLICAS = 3;
const KEYS = 3000;
/** Overwrites between two exchanges. */
const EXCHANGE = 1000;

/** What one library took in one process. */
export interface Findings {
  updates: number;
  /** µs of processor time for an update: written once, sent, taken by both others. */
  cpuMicros: number;
  wallMicros: number;
  /** Received by one replica for an update of another. */
  bytes: number;
  stateBytes: number;
  /** MB held more than before there was a replica, everything garbage collected. */
  heapMB: number;
  /** The same after all of `heapUpdates`. */
  heapLaterMB?: number;
  heapUpdates?: number;
  /** Bytes to heal a replica that missed so many updates, and those. */
  healed: { missed: number; bytes: number }[];
}

export interface Work {
  updates: number;
  /** Goes on to so many, to see what memory does; 0 = not. */
  heapUpdates: number;
  /** How many updates a replica misses, one time after the other. */
  missed: number[];
}

/** Runs the workload: random overwrites, 3 replicas, 3,000 keys, an exchange every 1,000; the same for every library. */
export async function measure(make: MakeContestant, folder: string, work: Work): Promise<Findings> {
  const random = new SeededRandom(20, 26);
  const keys = Array.from({ length: KEYS }, (_, index) => `line-${index % 30}/machine-${index}/load`);
  const before = await held();
  const contestant = await make(REPLICAS, folder);
  const all = [0, 1, 2];
  const run = async (members: readonly number[], updates: number): Promise<number> => {
    let bytes = 0;
    for (let made = 0; made < updates; made += EXCHANGE) {
      const batches = batchesOf(random, keys, members.length);
      for (const [index, member] of members.entries()) {
        await contestant.write(member, batches[index]);
      }
      bytes += await contestant.exchange(members);
    }
    return bytes;
  };
  // Every key is there, and the code is warm, before anything counts.
  await contestant.write(0, { keys, values: keys.map((_, index) => index) });
  await contestant.exchange(all);
  await run(all, Math.min(20_000, work.updates / 10));
  const began = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  const received = await run(all, work.updates);
  const { user, system } = process.cpuUsage(cpu);
  const wall = Number(process.hrtime.bigint() - began) / 1000;
  const stateBytes = await contestant.stateBytes();
  await checkLevel(contestant, all);
  // After what checking itself leaves behind, which is there the second time as well.
  const heapMB = (await held()) - before;
  const later: Partial<Findings> = {};
  if (work.heapUpdates > 0) {
    await run(all, work.heapUpdates - work.updates);
    later.heapLaterMB = (await held()) - before;
    later.heapUpdates = work.heapUpdates;
  }
  const healed: Findings['healed'] = [];
  for (const missed of work.missed) {
    await run([0, 1], missed);
    healed.push({ missed, bytes: await contestant.heal(0, 2) });
    await checkLevel(contestant, all);
  }
  await contestant.close?.();
  return {
    updates: work.updates,
    cpuMicros: (user + system) / work.updates,
    wallMicros: wall / work.updates,
    bytes: received / (work.updates * (REPLICAS - 1)),
    stateBytes,
    heapMB,
    healed,
    ...later,
  };
}

function batchesOf(random: SeededRandom, keys: readonly string[], members: number): Batch[] {
  const batches = Array.from({ length: members }, (): Batch => ({ keys: [], values: [] }));
  for (let update = 0; update < EXCHANGE; update++) {
    const batch = batches[update % members];
    batch.keys.push(keys[random.int(keys.length)]);
    batch.values.push(random.int(100_000));
  }
  return batches;
}

async function checkLevel(contestant: Contestant, members: readonly number[]): Promise<void> {
  const first = await contestant.read(members[0]);
  assert.equal(Object.keys(first).length, KEYS);
  for (const member of members.slice(1)) {
    assert.deepEqual(await contestant.read(member), first, 'the replicas differ');
  }
}

/** MB in use: JavaScript's and what lies outside of it, such as a WebAssembly memory. */
async function held(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}
