/** Nodes of the measured Node-RED: a driver that plays a fleet of machines, and a sink. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { SeededRandom } from '../../nodes/shared/random';
import type { FleetFindings, FleetOrder } from './fleet-protocol';

const POOL = 997;
const BATCH = 50;
/** Readings on their way, as fast as it goes. */
const AHEAD = 1000;
const TURN_MS = 1;

type Payload = Record<string, number>;

export = function (RED: NodeAPI): void {
  let arrived = 0;
  let flagged = 0;

  RED.nodes.registerType('bench-fleet', function (this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
    const random = new SeededRandom(1);
    const played = new Map<number, Payload[]>();
    const pool = (channels: number): Payload[] => {
      const made = played.get(channels) ?? Array.from({ length: POOL }, () => machine(channels, random));
      played.set(channels, made);
      return made;
    };
    const onOrder = (order: FleetOrder & { driver?: string }): void => {
      if (order.driver === 'fleet') {
        play(order, pool(order.channels), (msg) => this.send(msg)).then(
          (findings) => process.send?.({ kind: 'sink', id: 'fleet', msg: { payload: findings } }),
          (error: unknown) => this.error(error),
        );
      }
    };
    process.on('message', onOrder);
    this.on('close', () => process.off('message', onOrder));
  });

  RED.nodes.registerType('bench-drain', function (this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
    this.on('input', (msg, _send, done) => {
      arrived += Array.isArray(msg.payload) ? msg.payload.length : 1;
      flagged += (msg as { detection?: { kind?: string } }).detection?.kind ? 1 : 0;
      done();
    });
  });

  async function play(
    order: FleetOrder,
    pool: Payload[],
    send: (msg: NodeMessage) => void,
  ): Promise<FleetFindings> {
    arrived = flagged = 0;
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const cpu = process.cpuUsage();
    const utilization = performance.eventLoopUtilization();
    const began = performance.now();
    const behind = order.rate > 0 ? await paced(order, pool, send) : await flatOut(order, pool, send);
    while (arrived < order.sources * order.readings) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const seconds = (performance.now() - began) / 1000;
    const used = process.cpuUsage(cpu);
    loop.disable();
    const ms = (nanoseconds: number): number => nanoseconds / 1e6;
    // What the first collection freed is given back a little later.
    for (let round = 0; round < 3; round++) {
      global.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    return {
      readings: arrived,
      seconds,
      cpuMicros: (used.user + used.system) / arrived,
      busy: performance.eventLoopUtilization(utilization).utilization,
      loopDelay: { p50: ms(loop.percentile(50)), p99: ms(loop.percentile(99)), max: ms(loop.max) },
      behind,
      residentMB: Math.round(rss / 1024 / 1024),
      heldMB: Math.round((heapUsed + arrayBuffers) / 1024 / 1024),
      flagged,
    };
  }

  /** Sends what is due every millisecond; returns how far it was behind at worst. */
  async function paced(
    order: FleetOrder,
    pool: Payload[],
    send: (msg: NodeMessage) => void,
  ): Promise<number> {
    const { sources, readings, rate } = order;
    const total = sources * readings;
    const began = performance.now();
    let behind = 0;
    for (let sent = 0; sent < total;) {
      const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * sources * rate));
      behind = Math.max(behind, ((due - sent) * 1000) / (sources * rate));
      // A reading each 111 µs at 9,000 a second: a few a turn. What is behind is spread over turns, so that it cannot hold up the loop by itself.
      for (const end = Math.min(due, sent + 50); sent < end; sent++) {
        send({ topic: `machine-${sent % sources}`, payload: { ...pool[sent % POOL] } });
      }
      await new Promise((resolve) => setTimeout(resolve, TURN_MS));
    }
    return behind;
  }

  async function flatOut(
    order: FleetOrder,
    pool: Payload[],
    send: (msg: NodeMessage) => void,
  ): Promise<number> {
    const { sources, readings } = order;
    let sent = 0;
    for (let from = 0; from < readings; from += BATCH) {
      const size = Math.min(BATCH, readings - from);
      for (let source = 0; source < sources; source++) {
        const payload = Array.from({ length: size }, (_, at) => ({ ...pool[(sent + at) % POOL] }));
        send({ topic: `machine-${source}`, payload });
        sent += size;
        while (sent - arrived > AHEAD) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }
    return 0;
  }
};

function machine(channels: number, random: SeededRandom): Payload {
  const load = random.normal();
  return Object.fromEntries(
    Array.from({ length: channels }, (_, at) => [`c${at}`, 10 + (at % 2) * load + 0.5 * random.normal()]),
  );
}
