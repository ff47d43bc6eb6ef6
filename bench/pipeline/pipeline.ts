/**
 * The predictive-maintenance flow in the real runtime with 3,000 machines: how many readings a second it takes, and how
 * long it takes from publishing a reading to the alert. Machines, broker and Node-RED share the cores of this computer.
 *
 *   npm run bench:pipeline -- [--machines 3000] [--rate 1000] [--seconds 60] [--warmup 150]
 */
import { parseArgs } from 'node:util';
import { connectAsync } from 'mqtt';
import { startBroker } from '../../scripts/demo/broker';
import { FAILURE_MODES, Line } from '../../simulation/index';
import { Mosquitto } from '../../test/support/mosquitto';
import { Station } from '../../test/support/station';
import { messagesIn } from '../../scripts/demo/cloud-messages';
import { templateOverMqtt } from '../../test/support/template';
import { findProgram } from '../../test/support/tools';
import { cores, runProgram, saveResults } from '../program';
import { latencyRow, table } from '../table';

const { values } = parseArgs({
  options: {
    machines: { type: 'string', default: '3000' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    warmup: { type: 'string', default: '150' },
    broker: { type: 'string', default: 'auto' },
  },
});
const MACHINES = Number(values.machines);
const RATE = Number(values.rate);
const SECONDS = Number(values.seconds);
const WARMUP = Number(values.warmup);
/** Machines that break each second, so that there are alerts to time. */
const BREAKS_PER_SECOND = 10;
const FAULT_SECONDS = 12;
/** Readings that may be on their way while the flow is driven as fast as it goes. */
const WINDOW = 2000;

interface Alert {
  detection?: { kind?: string; ts: number; detector: string; episode?: { phase: string } };
}

/** A clock with microseconds that all processes of one computer share. */
const now = (): number => performance.timeOrigin + performance.now();

async function main(): Promise<void> {
  const program = values.broker === 'aedes' ? undefined : findProgram('mosquitto');
  const broker = program ? await Mosquitto.start(program) : await startBroker();
  const station = await Station.start({ flow: benchFlow(broker.url, program ? '5' : '4') });
  await station.shows('edge-pm-ingest', 'sensor-ingest.status.listening');
  const machines = await connectAsync(broker.url, { clientId: 'machines' });
  const alerts = await connectAsync(broker.url, { clientId: 'alerts' });
  const inFlow: number[] = [];
  const inCloud: number[] = [];
  let measuring = false;
  alerts.on('message', (topic, body) => {
    const at = now();
    for (const { detection } of messagesIn<Alert>(body)) {
      if (measuring && detection?.episode?.phase === 'start') {
        (topic.startsWith('bench/') ? inFlow : inCloud).push(at - detection.ts);
      }
    }
  });
  await alerts.subscribeAsync(['bench/alert', 'cloud/#'], { qos: 0 });

  const line = new Line({ machines: MACHINES, seed: 1, startTs: Date.now() });
  const topics = line.machines.map((machine) => line.telemetryTopic(machine));
  const publish = (index: number): Promise<unknown> => {
    const reading = { ...line.machines[index].step(1), ts: Number(now().toFixed(3)) };
    return machines.publishAsync(topics[index], JSON.stringify(reading), { qos: 1 });
  };

  const warmup = await driveFlatOut(publish, station);
  measuring = true;
  const started = now();
  await driveAtRate(publish, line, started);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const figures = await stationFigures(station);

  const rows: [string, string][] = [
    ['machines (sources)', String(MACHINES)],
    ['broker', program ? 'mosquitto' : 'aedes'],
    ['cores', cores()],
    ['as fast as it goes, readings/s', warmup.perSecond.toFixed(0)],
    ['steady rate, readings/s', String(RATE)],
    latencyRow('publish → alert in the flow, ms', inFlow),
    latencyRow('publish → alert in the cloud, stored on disk first, ms', inCloud),
    ['Node-RED resident memory, MB', (figures.rss / 1e6).toFixed(0)],
    ['log problems', String(station.problems().length)],
  ];
  console.log(table(['figure', 'value'], rows));
  saveResults('pipeline', Object.fromEntries(rows));
  for (const problem of station.problems().slice(0, 5)) {
    console.log(problem);
  }
  await machines.endAsync(true);
  await alerts.endAsync(true);
  await station.stop();
  await ('stop' in broker ? broker.stop() : broker.close());
}

/** The template, whose alerts also leave at once by a core node, to be timed before the uplink stores them. */
function benchFlow(
  url: string,
  protocolVersion: '4' | '5',
): { id: string; type: string; [property: string]: unknown }[] {
  const flow = templateOverMqtt({ machines: url, cloud: url, protocolVersion }).filter(
    // What only watches: the sidebar, the tests' sinks and the cloud's own subscription.
    ({ type, id }) => type !== 'debug' && !id.startsWith('accepted') && id !== 'edge-demo-arrived',
  );
  const words = flow.find(({ id }) => id === 'edge-pm-alert') as { wires: string[][] } | undefined;
  words?.wires[0].push('bench-pick');
  const counter = { id: 'bench-count', type: 'test-sink', z: 'edge-pm', x: 0, y: 0, wires: [] };
  return [
    ...flow,
    {
      id: 'bench-pick',
      type: 'function',
      z: 'edge-pm',
      func: "return { topic: 'bench/alert', payload: JSON.stringify({ detection: msg.detection }) };",
      outputs: 1,
      wires: [['bench-out']],
      x: 0,
      y: 0,
    },
    {
      id: 'bench-out',
      type: 'mqtt out',
      z: 'edge-pm',
      topic: 'bench/alert',
      qos: '0',
      broker: 'edge-demo-mqtt',
      wires: [],
      x: 0,
      y: 0,
    },
    counter,
  ];
}

/** Publishes the warm-up of every machine with so many readings under way, and waits until the forests have all of it. */
async function driveFlatOut(
  publish: (index: number) => Promise<unknown>,
  station: Station,
): Promise<{ perSecond: number }> {
  const started = now();
  const total = WARMUP * MACHINES;
  let sent = 0;
  let judged = 0;
  const timer = setInterval(() => {
    stationFigures(station).then(
      (figures) => (judged = figures.judged),
      () => undefined,
    );
  }, 100);
  while (sent < total) {
    if (sent - judged > WINDOW + RATE) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    await Promise.all(Array.from({ length: 100 }, () => publish(sent++ % MACHINES)));
  }
  while (judged < total) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  clearInterval(timer);
  return { perSecond: total / ((now() - started) / 1000) };
}

async function driveAtRate(
  publish: (index: number) => Promise<unknown>,
  line: Line,
  started: number,
): Promise<void> {
  const total = RATE * SECONDS;
  let broken = 0;
  for (let sent = 0; sent < total;) {
    const elapsed = (now() - started) / 1000;
    for (const due = Math.min(total, Math.floor(elapsed * RATE)); sent < due; sent++) {
      publish(sent % MACHINES).catch((error: unknown) => console.error(error));
    }
    for (; broken < elapsed * BREAKS_PER_SECOND; broken++) {
      const machine = line.machines[(broken * 7919) % MACHINES];
      machine.inject(FAILURE_MODES[1 + (broken % 3)], FAULT_SECONDS);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** How many readings the forest behind the telemetry has judged, and the memory of the process. */
async function stationFigures(station: Station): Promise<{ judged: number; rss: number }> {
  const response = await fetch(`${station.url}/edge/status`);
  const { nodes } = (await response.json()) as { nodes: { id: string; figures: Record<string, number> }[] };
  const figures = (id: string): Record<string, number | undefined> =>
    nodes.find((node) => node.id === id)?.figures ?? {};
  // Alerts leave the flow before the forest, which therefore never sees them.
  const announced = figures('edge-pm-known')['edge_detections_total{kind="KNOWN_FAILURE"}'] ?? 0;
  return {
    judged: (figures('edge-pm-novel').edge_readings_total ?? 0) + announced,
    rss: await station.residentMemory(),
  };
}

runProgram(main);
