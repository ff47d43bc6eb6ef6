/**
 * `resilient-uplink` in the real runtime: durable messages a second beside the core `mqtt out` (which keeps nothing),
 * the drain of a backlog with live alerts in it, and the time from acceptance to acknowledgement when nothing waits.
 *
 *   npm run bench:uplink -- [--seconds 8] [--backlog 100000] [--bytes 1024]
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Mosquitto } from '../../test/support/mosquitto';
import { type FlowNode } from '../../test/support/runtime';
import type { Station } from '../../test/support/station';
import { carryOut, startMeasured } from '../measured-station';
import { cores, needMosquitto, runProgram, saveResults } from '../program';
import { table } from '../table';
import type { Quantiles, UplinkFindings, UplinkOrder } from './protocol';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    backlog: { type: 'string', default: '100000' },
    bytes: { type: 'string', default: '1024' },
  },
});
const SECONDS = Number(values.seconds);
const BACKLOG = Number(values.backlog);
const BYTES = Number(values.bytes);
const AHEAD = 2000;
const ALERTS = 20;

const NOTHING: UplinkOrder = {
  driver: 'uplink',
  count: 0,
  seconds: 0,
  rate: 0,
  ahead: AHEAD,
  bytes: BYTES,
  alerts: 0,
  delivered: 0,
};
const results: Record<string, UplinkFindings> = {};

function launch(measured: FlowNode[]): Promise<Station> {
  return startMeasured({
    script: join(__dirname, 'bench-nodes.js'),
    types: ['bench-uplink', 'bench-arrival'],
    flow: [
      { id: 'tab', type: 'tab', label: 'bench' },
      { id: 'driver', type: 'bench-uplink', z: 'tab', wires: [['measured']] },
      ...measured,
      { id: 'arrival', type: 'bench-arrival', z: 'tab', wires: [] },
    ],
  });
}

function uplink(broker: Mosquitto): FlowNode[] {
  return [
    { id: 'broker', type: 'edge-broker', url: broker.url },
    {
      id: 'measured',
      type: 'resilient-uplink',
      z: 'tab',
      connections: ['broker'],
      limitMB: 8192,
      retryMaxMs: 1000,
      wires: [['arrival'], []],
    },
  ];
}

function mqttOut(broker: Mosquitto): FlowNode[] {
  return [
    { id: 'broker', type: 'mqtt-broker', broker: '127.0.0.1', port: String(broker.port), autoConnect: true },
    { id: 'measured', type: 'mqtt out', z: 'tab', broker: 'broker', qos: '1', topic: '', wires: [] },
  ];
}

async function order(station: Station, name: string, what: Partial<UplinkOrder>): Promise<UplinkFindings> {
  results[name] = await carryOut<UplinkFindings>(station, { ...NOTHING, ...what });
  return results[name];
}

/** Nothing but the passing of time. */
const atRest = { count: 1, seconds: 10, rate: 1e-9 };
const fastest = { count: 1e9, seconds: SECONDS };

async function main(): Promise<void> {
  const bare = await launch([]);
  await order(bare, 'Node-RED alone, after 10 s', { ...atRest });
  await bare.stop();
  const program = needMosquitto();
  const broker = await Mosquitto.start(program);
  const core = await launch(mqttOut(broker));
  await order(core, 'warm-up', { count: 500, rate: 100 });
  await order(core, 'core mqtt out, QoS 1, nothing stored', fastest);
  await core.stop();

  const station = await launch(uplink(broker));
  let total = (await order(station, 'warm-up', { count: 500, rate: 100, delivered: 500 })).accepted;
  total += 1000;
  await order(station, 'empty outbox, 100 messages/s', { count: 1000, rate: 100, delivered: total });
  total += (await order(station, 'broker up: accepted while it delivers', fastest)).accepted;
  await order(station, 'the rest of that', { delivered: total });
  await broker.kill();
  const offline = await order(station, 'broker down: accepted only', fastest);
  total += offline.accepted;
  const more = Math.max(0, BACKLOG - offline.accepted);
  if (more > 0) {
    total += (await order(station, 'broker down: the rest of the backlog', { count: more })).accepted;
  }
  await broker.launch();
  await order(station, `drain of the backlog, ${ALERTS} alerts/s`, { alerts: ALERTS, delivered: total });
  await station.stop();
  await broker.stop();
  delete results['warm-up'];
  report();
}

function report(): void {
  const shown = ({ p50, p95, p99, max }: Quantiles): string =>
    [p50, p95, p99, max].map((value) => (Number.isFinite(value) ? value.toFixed(1) : '–')).join(' / ');
  console.log(`${BYTES} bytes a message, 50 topics, ${AHEAD} waiting for acceptance at most`);
  console.log(`${cores()}, load ${loadavg()[0].toFixed(1)}, Node.js ${process.version}\n`);
  console.log(
    table(
      [
        'what',
        'accepted/s',
        'delivered/s',
        'accepted in ms, p50 / p95 / p99 / max',
        'accepted → acknowledged, ms',
        'loop delay ms, p50 / p99 / max',
        'its CPU a turn, ms, p99 / max',
        'RSS MB (heap, external)',
        'µs CPU/message',
      ],
      Object.entries(results).map(([name, f]) => [
        name,
        f.accepted > 0 ? (f.accepted / f.acceptSeconds).toFixed(0) : '–',
        f.delivered > 0 ? (f.delivered / f.seconds).toFixed(0) : '–',
        shown(f.acceptance),
        shown(f.delivery),
        [f.loopDelay.p50, f.loopDelay.p99, f.loopDelay.max].map((ms) => ms.toFixed(1)).join(' / '),
        [f.loopBusy.p99, f.loopBusy.max].map((ms) => ms.toFixed(1)).join(' / '),
        `${f.residentMB} (${f.heapMB}, ${f.externalMB})`,
        f.cpuMicros.toFixed(0),
      ]),
    ),
  );
  console.log('\nA durable peer: npm run bench:uplink-peers.');
  saveResults('uplink', results);
}

runProgram(main);
