import { SeededRandom } from '../../nodes/shared/random';
import { DEFAULT_TIMES } from '../../nodes/crdt-state/synchronizer';
import { bareGateway, type Gateway } from './ours';
import { SimulatedTime } from '../simulated-time';

const KEYS = 3000;
/** Of all gateways together. */
const RATE = 1000;
const MAX_DELAY = 50;
/** Longer than this nothing takes that works at all, in ms. */
const PATIENCE = 120_000;

export interface MeshFindings {
  replicas: number;
  loss: number;
  updates: number;
  /** What the gateways publish for an update, by kind of frame. */
  bytes: { delta: number; vector: number; other: number };
  /** What one gateway receives in a second, in kB. */
  received: number;
  /** From the last write until all know everything, in ms. */
  converged: number;
  /** µs of processor time that one gateway takes for an update, its own or another's. */
  cpuMicros: number;
}

/**
 * Gateways around one broker in simulated time: a thousand overwrites a second at random gateways and keys, delays up
 * to 50 ms, every `loss`-th delivery lost.
 */
export async function measureMesh(replicas: number, loss: number, seconds: number): Promise<MeshFindings> {
  const random = new SeededRandom(100, replicas);
  const time = new SimulatedTime();
  const gateways: Gateway[] = [];
  const sent = { delta: 0, vector: 0, other: 0 };
  let received = 0;
  for (let index = 0; index < replicas; index++) {
    const tell: Parameters<typeof bareGateway>[2] = (frame, bytes) => {
      sent[frame.kind === 'delta' || frame.kind === 'vector' ? frame.kind : 'other'] += bytes.length;
      for (const [to, gateway] of gateways.entries()) {
        if (to !== index && random.next() >= loss) {
          time.after(1 + random.int(MAX_DELAY), () => {
            received += bytes.length;
            void gateway.receive(bytes);
          });
        }
      }
    };
    gateways.push(bareGateway(index, time, tell, DEFAULT_TIMES));
  }
  const keys = Array.from({ length: KEYS }, (_, index) => `line-${index % 30}/machine-${index}/load`);
  keys.forEach((key, index) => gateways[index % replicas].write(key, index));
  gateways.forEach((gateway) => void gateway.settled());
  await untilLevel(time, gateways);
  await time.run(time.time + 2 * DEFAULT_TIMES.announceMs);
  Object.assign(sent, { delta: 0, vector: 0, other: 0 });
  received = 0;
  const updates = RATE * seconds;
  const cpu = process.cpuUsage();
  for (let update = 0; update < updates; update++) {
    await time.run(time.time + 1000 / RATE);
    const gateway = gateways[random.int(replicas)];
    gateway.write(keys[random.int(KEYS)], random.int(100_000));
    void gateway.settled();
  }
  const { user, system } = process.cpuUsage(cpu);
  const publishedBy = { ...sent };
  const receivedBy = received;
  const converged = await untilLevel(time, gateways);
  return {
    replicas,
    loss,
    updates,
    bytes: {
      delta: publishedBy.delta / updates,
      vector: publishedBy.vector / updates,
      other: publishedBy.other / updates,
    },
    received: receivedBy / replicas / seconds / 1000,
    converged,
    cpuMicros: (user + system) / updates / replicas,
  };
}

async function untilLevel(time: SimulatedTime, gateways: readonly Gateway[]): Promise<number> {
  const began = time.time;
  while (!level(gateways)) {
    if (time.time - began > PATIENCE) {
      throw new Error('the gateways do not become level');
    }
    await time.run(time.time + 5);
  }
  for (const [key, siblings] of gateways[0].replica().entries()) {
    const text = JSON.stringify(siblings);
    if (gateways.some((gateway) => JSON.stringify(gateway.replica().siblings(key)) !== text)) {
      throw new Error(`the gateways hold different siblings of ${key}`);
    }
  }
  return time.time - began;
}

function level([first, ...others]: readonly Gateway[]): boolean {
  const { context } = first.replica();
  return others.every((gateway) => {
    const other = gateway.replica().context;
    return other.size === context.size && [...context].every(([id, counter]) => other.get(id) === counter);
  });
}
