/**
 * `resilient-uplink` with gigabytes in its outbox and the broker away: how long Node-RED takes to start, the memory it
 * takes, and what the first seconds of the drain are like. The outbox is filled through the product's own thread.
 *
 *   npm run bench:uplink-large -- [--gigabytes 10] [--bytes 65536] [--seconds 10]
 */
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { mkdirSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { OutboxClient } from '../../nodes/resilient-uplink/outbox-client';
import { outboxFile } from '../../nodes/resilient-uplink/left-behind/store-folder';
import { systemClock } from '../../nodes/shared/clock';
import { Mosquitto } from '../../test/support/mosquitto';
import type { Station } from '../../test/support/station';
import { carryOut, startMeasured } from '../measured-station';
import { needMosquitto, runProgram } from '../program';
import { table } from '../table';
import type { UplinkFindings, UplinkOrder } from './protocol';

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '10' },
    bytes: { type: 'string', default: '65536' },
    seconds: { type: 'string', default: '10' },
  },
});
const GIGABYTES = Number(values.gigabytes);
const BYTES = Number(values.bytes);
const SECONDS = Number(values.seconds);
/** Bytes that wait for their commit while the outbox is filled. */
const AHEAD = 16 * 1024 * 1024;
const MB = 1024 * 1024;

async function fill(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const { outbox } = await OutboxClient.open(path, {
    clock: systemClock,
    limits: { hardBytes: Infinity, holdBytes: Infinity, batchBytes: 4 * MB },
    onStored: () => undefined,
    onHeld: () => undefined,
    onFailure: (error) => console.error(error),
  });
  const body = Buffer.alloc(BYTES, 'x');
  const count = Math.ceil((GIGABYTES * 1024 * MB) / BYTES);
  const under = Math.max(1, Math.floor(AHEAD / BYTES));
  for (let n = 0; n < count; n += under) {
    const some = Array.from({ length: Math.min(under, count - n) }, (_, index) =>
      outbox.append({ priority: 1, topic: `plant/${(n + index) % 50}`, kind: 'text', body, ttlMs: 0 }),
    );
    await Promise.all(some);
  }
  await outbox.close();
}

async function launch(station: Station): Promise<number> {
  const began = performance.now();
  await station.launch();
  return performance.now() - began;
}

function watch(station: Station, seconds: number, bytes = BYTES): Promise<UplinkFindings> {
  const order: UplinkOrder = {
    driver: 'uplink',
    count: seconds * 20,
    seconds,
    rate: 20,
    ahead: 100,
    bytes,
    alerts: 0,
    delivered: 0,
  };
  return carryOut<UplinkFindings>(station, order);
}

async function main(): Promise<void> {
  const program = needMosquitto();
  const broker = await Mosquitto.start(program);
  await broker.kill();
  const station = await startMeasured({
    script: join(__dirname, 'bench-nodes.js'),
    types: ['bench-uplink', 'bench-arrival'],
    flow: [
      { id: 'tab', type: 'tab', label: 'bench' },
      { id: 'driver', type: 'bench-uplink', z: 'tab', wires: [['measured']] },
      { id: 'broker', type: 'edge-broker', url: broker.url },
      {
        id: 'measured',
        type: 'resilient-uplink',
        z: 'tab',
        connections: ['broker'],
        limitMB: 100_000,
        retryMaxMs: 1000,
        wires: [['arrival'], []],
      },
      { id: 'arrival', type: 'bench-arrival', z: 'tab', wires: [] },
    ],
  });
  const rows: string[][] = [];
  const note = (what: string, startMs: number, found: UplinkFindings): number =>
    rows.push([
      what,
      startMs > 0 ? (startMs / 1000).toFixed(2) : '–',
      found.acceptance.p99.toFixed(1),
      found.delivered > 0 ? ((found.delivered * BYTES) / MB / found.seconds).toFixed(0) : '–',
      `${found.loopDelay.p99.toFixed(1)} / ${found.loopBusy.p99.toFixed(1)}`,
      `${found.residentMB} (${found.heapMB}, ${found.externalMB})`,
    ]);
  try {
    await station.shutDown();
    const emptyMs = await launch(station);
    note('empty outbox, broker away', emptyMs, await watch(station, SECONDS, 1024));
    await station.shutDown();
    const path = outboxFile(join(station.userDir, 'edge'), 'measured');
    await fill(path);
    console.error(`${(statSync(path).size / 1024 / MB).toFixed(2)} GB in ${path}`);
    const fullMs = await launch(station);
    note(`${GIGABYTES} GB in the outbox, broker away`, fullMs, await watch(station, SECONDS, 1024));
    await broker.launch();
    note(`the first ${SECONDS} s of its drain`, 0, await watch(station, SECONDS, 1024));
  } finally {
    await station.kill();
    await station.stop().catch(() => undefined);
    await broker.stop();
  }
  console.log(`messages of ${BYTES} bytes in the outbox, of 1024 bytes sent meanwhile, 20/s\n`);
  console.log(
    table(
      [
        'what',
        'start, s',
        'accepted in ms, p99',
        'drained MB/s',
        'loop delay / CPU a turn ms, p99',
        'RSS MB (heap, external)',
      ],
      rows,
    ),
  );
}

runProgram(main);
