import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '../../nodes/shared/random';
import { openStateStore } from '../../nodes/shared/store/state-store';
import { FrameCodec, type Frame } from '../../nodes/crdt-state/frames';
import { ReplicaHost, type ReplicaStore } from '../../nodes/crdt-state/host';
import { HybridClock } from '../../nodes/crdt-state/hybrid-clock';
import { parseJson } from '../../nodes/crdt-state/json';
import { writeKey } from '../../nodes/crdt-state/operations';
import { newImage, Replica, replicaId } from '../../nodes/crdt-state/replica';
import { readMerged, StrategyBook } from '../../nodes/crdt-state/strategies';
import { DEFAULT_TIMES, Synchronizer } from '../../nodes/crdt-state/synchronizer';
import type { Batch, Contestant } from './contestant';
import { SimulatedTime } from '../simulated-time';

/** As a gateway's id looks when nobody names it. */
export function gatewayName(index: number): string {
  return `${index.toString(16).padStart(8, '0')}-5b1c-4c6e-9d1f-0123456789ab`;
}

const STRATEGIES = new StrategyBook('last_write_wins', []);
/** As many writes share a turn of the node at most. */
const TURN = 500;
/** The writes between two exchanges come over a second and go out in one delta at its end. */
const TIMES = { ...DEFAULT_TIMES, flushMs: 0 };

/** One gateway: what it writes, what it takes, what it holds. */
export interface Gateway {
  write(key: string, value: number): void;
  /** Ends what {@link Gateway.write} began. */
  settled(): void | Promise<void>;
  receive(bytes: Uint8Array): void | Promise<void>;
  replica(): Replica;
  /** Resolves when what was begun is on disk. */
  idle?(): Promise<unknown>;
  close?(): Promise<void>;
}

export type Tell = (frame: Frame, bytes: Uint8Array) => void;

/** Replica, exchange and frames as the node uses them, without its queue of turns and its disk. */
export function bareGateway(
  index: number,
  time: SimulatedTime,
  tell: Tell,
  times: typeof DEFAULT_TIMES,
  turnSize = TURN,
): Gateway {
  const replica = new Replica(
    newImage(replicaId(gatewayName(index), `${index}`.padStart(12, '0'))),
    new HybridClock(() => time.now()),
  );
  const codec = new FrameCodec('bench', '');
  let outbox: Frame[] = [];
  const turn = (work: () => Generator<void, void>): void => {
    replica.begin();
    const steps = work();
    while (steps.next().done !== true) {
      // Nothing else waits for its turn.
    }
    commit();
  };
  const commit = (): void => {
    const { changes } = replica;
    replica.commit();
    synchronizer.committed(changes);
    const frames = outbox;
    outbox = [];
    frames.forEach((frame) => tell(frame, codec.encode(frame)));
  };
  const synchronizer = new Synchronizer(replica, STRATEGIES.hash, times, {
    clock: time,
    random: new SeededRandom(index),
    resumed: false,
    send: (frame) => void outbox.push(frame),
    connected: () => true,
    schedule: turn,
    newIncarnation: () => {
      throw new Error('a replica was taken for a copy');
    },
    problem: (error) => {
      throw error;
    },
  });
  synchronizer.start();
  let written = 0;
  return {
    write: (key, value) => {
      if (written++ === 0) {
        replica.begin();
      }
      writeKey(replica, STRATEGIES.of(key), 'set', key, value);
      if (written === turnSize) {
        commit();
        written = 0;
      }
    },
    settled: () => {
      if (written > 0) {
        commit();
        written = 0;
      }
    },
    receive: (bytes) => turn(() => synchronizer.receive(codec.decode(bytes))),
    replica: () => replica,
  };
}

/** The node's own host, with its turns and promises, and a disk when it is given one. */
export async function hostGateway(
  index: number,
  time: SimulatedTime,
  tell: Tell,
  times: typeof DEFAULT_TIMES,
  store?: ReplicaStore,
): Promise<Gateway> {
  const codec = new FrameCodec('bench', '');
  const host = new ReplicaHost({
    gatewayId: gatewayName(index),
    strategies: STRATEGIES,
    clock: time,
    random: new SeededRandom(index),
    ...(store && { store }),
    namespace: `bench-${index}`,
    times,
    newIncarnation: () => `${index}`.padStart(12, '0'),
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  });
  host.listeners.add({ frame: (frame) => tell(frame, codec.encode(frame)) });
  await host.start();
  let writes: Promise<unknown>[] = [];
  return {
    write: (key, value) => void writes.push(host.write('set', key, value)),
    settled: async () => {
      await Promise.all(writes);
      writes = [];
    },
    receive: (bytes) => host.receive(codec.decode(bytes)),
    replica: () => {
      const { replica } = host;
      if (!replica) {
        throw new Error('the host has not started');
      }
      return replica;
    },
    idle: () => host.get('idle'),
    close: () => host.close(),
  };
}

type MakeGateway = (index: number, time: SimulatedTime, tell: Tell) => Gateway | Promise<Gateway>;

/** Gateways around one broker that delivers at once. */
async function around(replicas: number, make: MakeGateway): Promise<Contestant> {
  const time = new SimulatedTime();
  const gateways: Gateway[] = [];
  let listening = new Set<number>();
  let received = 0;
  let deliveries: (void | Promise<void>)[] = [];
  const tell = (from: number, bytes: Uint8Array): void => {
    time.after(0, () => {
      for (const to of listening) {
        if (to !== from && listening.has(from)) {
          received += bytes.length;
          deliveries.push(gateways[to].receive(bytes));
        }
      }
    });
  };
  for (let index = 0; index < replicas; index++) {
    gateways.push(await make(index, time, (_, bytes) => tell(index, bytes)));
  }
  const settle = async (): Promise<void> => {
    while (deliveries.length > 0) {
      const open = deliveries;
      deliveries = [];
      await Promise.all(open.map((each) => Promise.resolve(each)));
    }
    // Simulated time must not run ahead of a real disk.
    for (const gateway of gateways) {
      await gateway.idle?.();
    }
  };
  const pass = async (members: readonly number[], ms: number): Promise<number> => {
    listening = new Set(members);
    received = 0;
    await time.run(time.time + ms, settle);
    return received;
  };
  const level = (members: readonly number[]): boolean => {
    const [first, ...others] = members.map((member) => gateways[member].replica().context);
    return others.every((context) => [...first].every(([id, counter]) => context.get(id) === counter));
  };
  return {
    write: async (replica, { keys, values }: Batch) => {
      const gateway = gateways[replica];
      const began = time.time;
      for (const [index, key] of keys.entries()) {
        time.time = began + Math.floor((index * 999) / keys.length);
        gateway.write(key, values[index]);
      }
      // The end of the writes is the time of the exchange, on every replica.
      time.time = began;
      await gateway.settled();
    },
    exchange: (members) => pass(members, 1000),
    heal: async (from, to) => {
      let bytes = 0;
      const members = [from, to];
      while (!level(members)) {
        bytes += await pass(members, 100);
      }
      // The others have all that the healed one has; only it does not know yet.
      await pass(
        Array.from({ length: replicas }, (_, index) => index),
        20_000,
      );
      return bytes;
    },
    stateBytes: async () => {
      const newcomer = gateways.length;
      gateways.push(await make(newcomer, time, (_, bytes) => tell(newcomer, bytes)));
      let bytes = 0;
      while (!level([0, newcomer])) {
        bytes += await pass([0, newcomer], 100);
      }
      await gateways[newcomer].close?.();
      gateways.pop();
      return bytes;
    },
    read: (replica) => {
      const read: Record<string, unknown> = {};
      for (const [key, siblings] of gateways[replica].replica().entries()) {
        // What a read gives, with every sibling, so that a difference would be seen.
        read[key] = [
          readMerged('last_write_wins', siblings).value,
          siblings.map(({ text }) => parseJson(text ?? 'null')),
        ];
      }
      return read;
    },
    close: async () => {
      for (const gateway of gateways) {
        await gateway.close?.();
      }
    },
  };
}

export function bare(replicas: number): Promise<Contestant> {
  return around(replicas, (index, time, tell) => bareGateway(index, time, tell, TIMES));
}

/** Every write in a turn of its own. */
export function bareEach(replicas: number): Promise<Contestant> {
  return around(replicas, (index, time, tell) => bareGateway(index, time, tell, TIMES, 1));
}

export function hosted(replicas: number): Promise<Contestant> {
  return around(replicas, (index, time, tell) => hostGateway(index, time, tell, TIMES));
}

/** Each gateway with its own store on this computer's disk, synced at every turn. */
export async function stored(replicas: number): Promise<Contestant> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-bench-state-'));
  const stores: { release(): Promise<void> }[] = [];
  const contestant = await around(replicas, async (index, time, tell) => {
    const store = await openStateStore(join(folder, `${index}`));
    stores.push(store);
    return hostGateway(index, time, tell, TIMES, {
      load: () => store.load(`bench-${index}`),
      write: (rows) => store.write(rows),
    });
  });
  return {
    ...contestant,
    close: async () => {
      await contestant.close?.();
      for (const store of stores) {
        await store.release();
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
