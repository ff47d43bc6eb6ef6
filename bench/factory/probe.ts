/** A node of the measured Node-RED that watches it from inside: what was handled, the event loop, the CPU by stage. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { listStation } from '../../nodes/shared/station';
import type { ProbeCount, ProbeOrder, StageProfile } from './protocol';
import { say } from './say';
import { byStage } from './stages';
import { registerStateNodes } from './state-nodes';

const REPORT_MS = 40;
const SAMPLING_MICROS = 500;
/** Where a reading may be refused, and why; anything else shows as missing. */
const JUDGING = ['edge-pm-ingest', 'edge-pm-waves', 'edge-pm-known'];
const CODES = ['DUPLICATE', 'OVERLOAD', 'RANGE', 'DECODE'];

export = function (RED: NodeAPI): void {
  registerStateNodes(RED);
  RED.nodes.registerType('bench-probe', function (this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
    const loop = monitorEventLoopDelay({ resolution: 1 });
    const timer = setInterval(() => say('count', count()), REPORT_MS);
    const onOrder = (order: Partial<ProbeOrder>): void => {
      if (order.probe === 'begin') {
        loop.reset();
        loop.enable();
      } else if (order.probe === 'end') {
        loop.disable();
        const ms = (nanoseconds: number): number => nanoseconds / 1e6;
        say('loop', { p50: ms(loop.percentile(50)), p99: ms(loop.percentile(99)), max: ms(loop.max) });
      } else if (order.probe === 'profile') {
        profile((order as { ms: number }).ms).then(
          (found) => say('profile', found),
          (error: unknown) => this.error(error),
        );
      }
    };
    process.on('message', onOrder);
    this.on('close', () => {
      clearInterval(timer);
      process.off('message', onOrder);
    });
  });

  // Written at once, so that a kill cannot lose the trace of what had been judged.
  RED.nodes.registerType('bench-tap', function (this: Node, definition: NodeDef & { file: string }) {
    RED.nodes.createNode(this, definition);
    const file = openSync(definition.file, 'a');
    this.on('input', (msg, _send, done) => {
      const { reading, detections, payload } = msg as unknown as Tapped;
      const { score } = detections[detections.length - 1];
      writeSync(file, `${reading.source}\t${payload['spindle.rms'] ?? reading.ts}\t${score}\n`);
      done();
    });
    this.on('close', () => closeSync(file));
  });
};

/** A judged reading. */
interface Tapped {
  reading: { source: string; ts: number };
  detections: { score: number | null }[];
  payload: Record<string, number | undefined>;
}

function count(): ProbeCount {
  const figures = new Map(listStation().map((entry) => [entry.id, entry.figures]));
  const figure = (id: string, name: string): number => figures.get(id)?.get(name) ?? 0;
  let rejected = 0;
  for (const id of JUDGING) {
    for (const code of CODES) {
      rejected += figure(id, `edge_rejected_total{code="${code}"}`);
    }
  }
  return {
    handled: {
      telemetry: figure('edge-pm-known', 'edge_readings_total'),
      waves: figure('edge-pm-shape', 'edge_readings_total'),
    },
    stored: figure('edge-pm-uplink', 'edge_uplink_stored_total'),
    queued: figure('edge-pm-uplink', 'edge_uplink_queue_messages'),
    rejected,
  };
}

async function profile(ms: number): Promise<StageProfile> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_MICROS });
  await session.post('Profiler.start');
  const before = count().handled;
  const cpu = process.threadCpuUsage();
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const after = count().handled;
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.threadCpuUsage(cpu);
  const { profile: found } = await session.post('Profiler.stop');
  session.disconnect();
  return {
    micros: byStage(found, user + system),
    handled: {
      telemetry: after.telemetry - before.telemetry,
      waves: after.waves - before.waves,
    },
    seconds,
  };
}
