/**
 * The telemetry's job beside the same in Python (paho, onnxruntime, scikit-learn fitted anew every 100 rows), row by row
 * and in batches of 100: readings for each second of CPU time. bench/README.md says how to get the Python packages.
 *
 *   npm run bench:factory:peer -- --python <python> [--sensors 100] [--seconds 20]
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Mosquitto } from '../../test/support/mosquitto';
import { packageRoot } from '../../test/support/runtime';
import { cores, needMosquitto, runProgram } from '../program';
import { table } from '../table';
import type { LoadOptions, LoadOrder } from './protocol';
import { runPhase, warmUp } from './run';
import { Site } from './site';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
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

interface Spoken {
  handled: number;
  judged: number;
  cpu: number;
  version: string;
}

async function python(batch: number): Promise<Result> {
  const program = needMosquitto();
  const broker = await Mosquitto.start(program, undefined, { persistence: false });
  const child = spawn(
    values.python,
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
  const options: LoadOptions = { ...LOAD, port: broker.port };
  const load = fork(join(__dirname, 'load.js'), [JSON.stringify(options)]);
  await once(load, 'message');
  const order = (what: LoadOrder): void => void load.send(what);
  lines.on('line', (line) => {
    spoken = JSON.parse(line) as Spoken;
    order({ kind: 'allow', allowed: { telemetry: spoken.handled + AHEAD * batch, waves: 0 } });
  });
  const endless = { telemetry: Number.MAX_SAFE_INTEGER, waves: 0 };
  order({ kind: 'send', rates: { telemetry: 0, waves: 0 }, until: endless });
  while (spoken.judged < WARM_ROUNDS * MACHINES) {
    await once(lines, 'line');
  }
  const before = { ...spoken, at: performance.now() };
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  const judged = spoken.judged - before.judged;
  const result = {
    what: `Python (${spoken.version}), ${batch === 1 ? 'row by row' : `${batch} rows at a time`}`,
    perSecond: judged / ((performance.now() - before.at) / 1000),
    perCpuSecond: judged / (spoken.cpu - before.cpu),
  };
  const ended = once(child, 'exit');
  lines.removeAllListeners();
  load.disconnect();
  child.kill();
  await ended;
  await broker.stop();
  return result;
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
  const results = [await ours(), await python(1), await python(BATCH)];
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
