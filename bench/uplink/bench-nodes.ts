/** Nodes of the measured Node-RED: a driver that sends and times messages, and an end for output 1. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { quantile } from '../table';
import type { Quantiles, UplinkFindings, UplinkOrder } from './protocol';

interface Timed {
  topic: string;
  payload: string;
  priority?: string;
  bench: { sentAt: number; acceptedAt: number; alert: boolean };
}
interface Completed {
  msg: Partial<Timed>;
  error?: unknown;
  node: { node: { id: string; type: string; z?: string } };
}

/** Latencies that are kept of an order. */
const SAMPLES = 200_000;
const MB = 1024 * 1024;
/** Messages given in one turn of the loop: so many of 1 KB one read of a socket brings. */
const GIVEN_PER_TURN = 64;
/** Longest that acceptance is waited for after the last message was given. */
const PATIENCE_MS = 20_000;

export = function (RED: NodeAPI): void {
  let accepted = 0;
  let errors = 0;
  let delivered = 0;
  let acceptance: number[] = [];
  let delivery: number[] = [];
  let wantAlerts = false;
  /** Called at each acceptance and delivery. */
  let moved: () => void = () => undefined;

  // The hook tells what a Complete node would, without a message of its own for each.
  const { hooks } = RED as unknown as { hooks: { add(id: string, hook: (event: Completed) => void): void } };
  hooks.add('onComplete.bench', ({ msg, error, node }) => {
    const { id, type, z } = node.node;
    // A subflow's node has the instance as its tab; what it is told of deliveries is no new message.
    const inSubflow = z === 'measured' && type === 'function' && !('control' in msg);
    if ((id !== 'measured' && !inSubflow) || type === 'queue') {
      return;
    }
    if (error) {
      errors++;
    }
    accept(msg);
  });

  // This one completes before it has stored anything.
  const { PersistentQueue } = peerStore();
  if (PersistentQueue) {
    const add = PersistentQueue.prototype.add;
    PersistentQueue.prototype.add = function (job) {
      return add.call(this, job).then((row) => {
        accept(job);
        return row;
      });
    };
  }

  function accept({ bench }: Partial<Timed>): void {
    if (!bench) {
      return;
    }
    bench.acceptedAt = performance.now();
    accepted++;
    if (acceptance.length < SAMPLES) {
      acceptance.push(bench.acceptedAt - bench.sentAt);
    }
    moved();
  }

  RED.nodes.registerType('bench-arrival', function (this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
    this.on('input', (msg, _send, done) => {
      delivered++;
      const { bench } = msg as unknown as Partial<Timed>;
      if (bench && (bench.alert || !wantAlerts) && delivery.length < SAMPLES) {
        delivery.push(performance.now() - bench.acceptedAt);
      }
      done();
      moved();
    });
  });

  RED.nodes.registerType('bench-uplink', function (this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
    const onOrder = (order: Omit<UplinkOrder, 'driver'> & { driver?: string }): void => {
      if (order.driver === 'uplink') {
        play(order, (msg) => this.send(msg as never)).then(
          (payload) => process.send?.({ kind: 'sink', id: 'uplink', msg: { payload } }),
          (error: unknown) => this.error(error),
        );
      }
    };
    process.on('message', onOrder);
    this.on('close', () => process.off('message', onOrder));
  });

  async function play(
    order: Omit<UplinkOrder, 'driver'>,
    send: (msg: Timed) => void,
  ): Promise<UplinkFindings> {
    const before = { accepted, delivered, errors };
    acceptance = [];
    delivery = [];
    wantAlerts = order.alerts > 0;
    const body = 'x'.repeat(order.bytes);
    const give = (n: number, alert: boolean): void =>
      send({
        topic: alert ? 'alerts' : `plant/${n % 50}`,
        payload: `${n} ${body}`.slice(0, order.bytes),
        ...(alert && { priority: 'alert' }),
        bench: { sentAt: performance.now(), acceptedAt: 0, alert },
      });
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const busy = watchBusy();
    const cpu = process.cpuUsage();
    const began = performance.now();
    const passed = (): number => (performance.now() - began) / 1000;
    let alerts = 0;
    const alarm = order.alerts > 0 ? setInterval(() => give(alerts++, true), 1000 / order.alerts) : undefined;
    let sent = 0;
    const goes = (): boolean => sent < order.count && (order.seconds === 0 || passed() < order.seconds);
    while (goes()) {
      const allowed = Math.min(
        order.count,
        order.rate > 0 ? Math.floor(passed() * order.rate) : Infinity,
        accepted - before.accepted + order.ahead,
        sent + GIVEN_PER_TURN,
      );
      for (; sent < allowed; sent++) {
        give(sent, false);
      }
      await (order.rate > 0 ? new Promise((resolve) => setTimeout(resolve, 1)) : turn());
    }
    const taken = (): number => accepted - before.accepted;
    await Promise.race([until(() => taken() >= sent), new Promise((end) => setTimeout(end, PATIENCE_MS))]);
    const acceptSeconds = passed();
    const acceptedInTime = taken();
    await until(() => delivered >= order.delivered);
    const seconds = passed();
    clearInterval(alarm);
    const used = process.cpuUsage(cpu);
    loop.disable();
    const memory = process.memoryUsage();
    const done = Math.max(sent, delivered - before.delivered);
    return {
      accepted: acceptedInTime,
      acceptSeconds,
      delivered: delivered - before.delivered,
      seconds,
      acceptance: quantilesOf(acceptance),
      delivery: quantilesOf(delivery),
      loopDelay: {
        p50: loop.percentile(50) / 1e6,
        p99: loop.percentile(99) / 1e6,
        max: loop.max / 1e6,
      },
      loopBusy: busy(),
      residentMB: Math.round(memory.rss / MB),
      heapMB: Math.round(memory.heapTotal / MB),
      externalMB: Math.round(memory.external / MB),
      cpuMicros: (used.user + used.system) / Math.max(1, done),
      errors: errors - before.errors,
    };
  }

  /** The next turn of the loop. */
  function turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  function until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      moved = () => {
        if (condition()) {
          moved = () => undefined;
          resolve();
        }
      };
      moved();
    });
  }
};

interface PeerStore {
  prototype: { add: (this: unknown, job: Partial<Timed>) => Promise<number> };
}

/** The store of node-red-contrib-msg-queue, where the folder of peers has it. */
function peerStore(): { PersistentQueue?: PeerStore } {
  const folder = process.env.BENCH_PEERS;
  if (folder === undefined) {
    return {};
  }
  try {
    const load = createRequire(join(folder, 'index.js'));
    return { PersistentQueue: load('node-persistent-queue') as PeerStore };
  } catch {
    return {};
  }
}

/** Gives the CPU time, in ms, that the main thread used between two of its turns, which no other process lengthens. */
function watchBusy(): () => Quantiles {
  const used = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  const turns: number[] = [];
  let last = used();
  const timer = setInterval(() => {
    const now = used();
    if (turns.length < SAMPLES) {
      turns.push(now - last);
    }
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
    return quantilesOf(turns);
  };
}

function quantilesOf(values: number[]): Quantiles {
  const sorted = values.sort((a, b) => a - b);
  return {
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: quantile(sorted, 1),
  };
}
