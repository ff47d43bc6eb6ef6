/**
 * The telemetry's job beside the same in Python (paho, onnxruntime, scikit-learn fitted anew every 100 rows), row by row
 * and in batches of 100, and beside other people's nodes in Node-RED: readings for each second of CPU time.
 * bench/README.md says how to get the Python packages and the checkout.
 *
 *   npm run bench:factory:peer -- [--python <python>] [--rival <node-red-contrib-condition-monitoring>] [--sensors 100] [--seconds 20]
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Mosquitto } from '../../test/support/mosquitto';
import { packageRoot } from '../../test/support/runtime';
import { startMeasured } from '../measured-station';
import { cpuSecondsOf } from '../processes';
import { cores, needMosquitto, runProgram } from '../program';
import { table } from '../table';
import { conditionMonitoring, coreNodes, type Way } from './node-red-ways';
import type { LoadOptions, LoadOrder } from './protocol';
import { runPhase, warmUp } from './run';
import { Site } from './site';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    rival: { type: 'string' },
    sensors: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
  },
});
const MACHINES = Number(values.sensors);
const SECONDS = Number(values.seconds);
const WARM_ROUNDS = 110;
const AHEAD = 500;
const BATCH = 100;
const SEED = 1;
const LOAD: Omit<LoadOptions, 'port'> = {
  machines: MACHINES,
  seed: SEED,
  waveQos: 1,
  kept: 0,
  lockstep: false,
};

interface Result {
  what: string;
  perSecond: number;
  perCpuSecond: number;
}

/** The same job done in another way, at work behind a broker. */
interface Peer {
  what: string;
  /** Readings that were taken, and those that have their verdict. */
  handled: number;
  judged: number;
  /** Seconds of CPU time of its process. */
  cpu(): number;
  /** Called whenever the figures have changed. */
  progress: (() => void) | undefined;
  stop(): Promise<void>;
}

/** @param ahead readings that may be on their way */
async function drive(start: (broker: Mosquitto) => Promise<Peer>, ahead: number): Promise<Result> {
  const broker = await Mosquitto.start(needMosquitto(), undefined, { persistence: false });
  const peer = await start(broker);
  const options: LoadOptions = { ...LOAD, port: broker.port };
  const load = fork(join(__dirname, 'load.js'), [JSON.stringify(options)]);
  await once(load, 'message');
  const order = (what: LoadOrder): void => {
    if (load.connected) {
      load.send(what);
    }
  };
  const warm = new Promise<void>((resolve) => {
    peer.progress = () => {
      order({ kind: 'allow', allowed: { telemetry: peer.handled + ahead, waves: 0 } });
      if (peer.judged >= WARM_ROUNDS * MACHINES) {
        resolve();
      }
    };
  });
  const endless = { telemetry: Number.MAX_SAFE_INTEGER, waves: 0 };
  order({ kind: 'send', rates: { telemetry: 0, waves: 0 }, until: endless });
  await warm;
  const before = { judged: peer.judged, cpu: peer.cpu(), at: performance.now() };
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  const judged = peer.judged - before.judged;
  const result = {
    what: peer.what,
    perSecond: judged / ((performance.now() - before.at) / 1000),
    perCpuSecond: judged / (peer.cpu() - before.cpu),
  };
  peer.progress = undefined;
  load.disconnect();
  await peer.stop();
  await broker.stop();
  return result;
}

interface Spoken {
  handled: number;
  judged: number;
  cpu: number;
  version: string;
}

async function startPython(broker: Mosquitto, program: string, batch: number): Promise<Peer> {
  const child = spawn(
    program,
    [
      join(packageRoot, 'bench', 'factory', 'python_way.py'),
      String(broker.port),
      join(packageRoot, 'models', 'cnc-failure.onnx'),
      String(batch),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = createInterface(child.stdout);
  let spoken = JSON.parse(((await once(lines, 'line')) as [string])[0]) as Spoken;
  const peer: Peer = {
    what: `Python (${spoken.version}), ${batch === 1 ? 'row by row' : `${batch} rows at a time`}`,
    handled: 0,
    judged: 0,
    cpu: () => spoken.cpu,
    progress: undefined,
    stop: async () => {
      const ended = once(child, 'exit');
      lines.removeAllListeners();
      child.kill();
      await ended;
    },
  };
  lines.on('line', (line) => {
    spoken = JSON.parse(line) as Spoken;
    Object.assign(peer, { handled: spoken.handled, judged: spoken.judged });
    peer.progress?.();
  });
  return peer;
}

/** Node-RED with a flow of other people's nodes, and a node that counts what is judged. */
async function startNodeRed(broker: Mosquitto, way: Way): Promise<Peer> {
  const station = await startMeasured({
    script: join(__dirname, 'counter.js'),
    types: ['bench-counter'],
    flow: way.flow(broker.url),
    modules: way.modules,
  });
  const peer: Peer = {
    what: way.what,
    handled: 0,
    judged: 0,
    cpu: () => cpuSecondsOf(station.pid),
    progress: undefined,
    stop: () => station.stop(),
  };
  station.on('sink', (_id: string, { payload }: { payload: number }) => {
    peer.handled = peer.judged = payload;
    peer.progress?.();
  });
  return peer;
}

async function ours(): Promise<Result> {
  const site = await Site.start({ ...LOAD, gateways: 1 });
  await warmUp(site, WARM_ROUNDS);
  const { handled, cpu } = await runPhase(
    site,
    { name: 'telemetry alone', multiple: 0, seconds: SECONDS, streams: { waves: false } },
    { since: Date.now() },
  );
  await site.stop();
  return {
    what: 'the template in Node-RED, reading by reading',
    perSecond: handled.telemetry,
    perCpuSecond: handled.telemetry / cpu['gateway 1'].all,
  };
}

async function main(): Promise<void> {
  const results = [await ours()];
  const { python, rival } = values;
  if (python) {
    for (const batch of [1, BATCH]) {
      results.push(await drive((broker) => startPython(broker, python, batch), AHEAD * batch));
    }
  }
  const ways = [coreNodes(), ...(rival ? [conditionMonitoring(rival)] : [])];
  for (const way of ways) {
    results.push(await drive((broker) => startNodeRed(broker, way), AHEAD));
  }
  console.log(`${cores()}; load average ${loadavg()[0].toFixed(1)}; ${MACHINES} machines\n`);
  const [{ perCpuSecond: here }] = results;
  console.log(
    table(
      ['what', 'readings/s', 'readings/s of CPU', 'the template takes … times as many'],
      results.map(({ what, perSecond, perCpuSecond }) => [
        what,
        perSecond.toFixed(0),
        perCpuSecond.toFixed(0),
        `${(here / perCpuSecond).toFixed(1)}×`,
      ]),
    ),
  );
}

runProgram(main);
