/**
 * A durable peer of the palette beside `resilient-uplink`: the broker is away, each takes what it can for some seconds,
 * is killed with SIGKILL at once, and starts again with the broker back. Durable is what arrives at the broker then.
 *
 *   BENCH_PEERS=<folder> npm run bench:uplink-peers -- [--seconds 5] [--bytes 1024] [--only msg-queue]
 *
 * The folder holds the peers in node_modules, installed by hand: bench/README.md says how.
 */
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { connectAsync } from 'mqtt';
import { Mosquitto } from '../../test/support/mosquitto';
import type { FlowNode } from '../../test/support/runtime';
import { carryOut, startMeasured } from '../measured-station';
import { cores, needMosquitto, runProgram } from '../program';
import { table } from '../table';
import { guaranteedDelivery, messageQueue, mqttOut, uplink, type Contestant } from './contestants';
import type { UplinkFindings, UplinkOrder } from './protocol';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    bytes: { type: 'string', default: '1024' },
    only: { type: 'string', default: '' },
  },
});
const SECONDS = Number(values.seconds);
const BYTES = Number(values.bytes);
/** Ends the wait for what survived: so long nothing arrived. */
const QUIET_MS = 10_000;
const LONGEST_MS = 30_000;

interface Outcome {
  findings: UplinkFindings;
  survived: number;
  /** Messages a second, from the first to the last that arrived. */
  drained: number;
  /** Whether messages still arrived when the wait was ended. */
  cut: boolean;
}

async function play(contestant: Contestant, program: string): Promise<Outcome> {
  const broker = await Mosquitto.start(program);
  await broker.kill();
  const flow: FlowNode[] = [
    { id: 'tab', type: 'tab', label: 'bench' },
    { id: 'driver', type: 'bench-uplink', z: 'tab', wires: [['measured']] },
    ...contestant.flow(broker),
    { id: 'arrival', type: 'bench-arrival', z: 'tab', wires: [] },
  ];
  const station = await startMeasured({
    script: join(__dirname, 'bench-nodes.js'),
    types: ['bench-uplink', 'bench-arrival'],
    flow,
    modules: contestant.modules,
    settings: contestant.settings,
  });
  const order: UplinkOrder = {
    driver: 'uplink',
    count: 1e9,
    seconds: SECONDS,
    rate: 0,
    ahead: 2000,
    bytes: BYTES,
    alerts: 0,
    delivered: 0,
  };
  const findings = await carryOut<UplinkFindings>(station, order);
  await station.kill();
  await broker.launch();
  const arrived = new Set<string>();
  let first = 0;
  let last = performance.now();
  const subscriber = await connectAsync(broker.url);
  subscriber.on('message', (_topic, payload) => {
    last = performance.now();
    first ||= last;
    arrived.add(payload.toString('latin1', 0, 12).split(' ')[0]);
  });
  await subscriber.subscribeAsync('plant/#', { qos: 1 });
  await station.launch();
  const began = performance.now();
  last = began;
  const over = (): boolean => performance.now() - began > LONGEST_MS;
  while (arrived.size < findings.accepted && performance.now() - last < QUIET_MS && !over()) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const cut = over();
  const drained = last > first ? (arrived.size / (last - first)) * 1000 : 0;
  await subscriber.endAsync(true);
  await station.kill();
  await broker.stop();
  return { findings, survived: arrived.size, drained, cut };
}

async function main(): Promise<void> {
  const program = needMosquitto();
  const folder = process.env.BENCH_PEERS;
  if (folder === undefined || !existsSync(join(folder, 'node_modules'))) {
    throw new Error('Set BENCH_PEERS to a folder with the peers in node_modules: see bench/README.md.');
  }
  const rows: string[][] = [];
  let ours = 0;
  for (const contestant of [
    uplink(),
    messageQueue(folder),
    guaranteedDelivery(folder, 30),
    guaranteedDelivery(folder, 1),
    mqttOut(),
  ].filter(({ name }) => name.includes(values.only))) {
    const { findings, survived, drained, cut } = await play(contestant, program);
    const durable = survived / findings.acceptSeconds;
    ours ||= durable;
    console.error(`${contestant.name}: ${survived} of ${findings.accepted} arrived after the kill`);
    rows.push([
      contestant.name,
      (findings.accepted / findings.acceptSeconds).toFixed(0),
      `${cut ? '≥ ' : ''}${survived} of ${findings.accepted}`,
      `${cut ? '≥ ' : ''}${durable.toFixed(0)}`,
      durable > 0 ? `${cut ? '≤ ' : ''}${(ours / durable).toFixed(1)}` : '–',
      drained.toFixed(0),
      findings.loopDelay.p99.toFixed(1),
    ]);
  }
  console.log(`${BYTES} bytes a message, ${SECONDS} s, SIGKILL after the last acceptance`);
  console.log(`${cores()}, load ${loadavg()[0].toFixed(1)}, Node.js ${process.version}\n`);
  console.log(
    table(
      [
        'what',
        'accepted/s',
        'arrived after the kill',
        'durable/s',
        'resilient-uplink is × faster',
        'drained/s',
        'loop p99 ms',
      ],
      rows,
    ),
  );
}

runProgram(main);
