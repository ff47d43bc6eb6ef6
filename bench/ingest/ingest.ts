/**
 * Waveforms over MQTT through `sensor-ingest` in the real runtime, beside a bare loop that does the same sums with
 * nothing around them. Broker, load and the measured process share the cores of this computer.
 *
 *   npm run bench:ingest -- [--seconds 60] [--sources 3000] [--samples 1024] [--profile]
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Mosquitto } from '../../test/support/mosquitto';
import { prepareUserDir } from '../../test/support/runtime';
import { Station } from '../../test/support/station';
import { findProgram } from '../../test/support/tools';
import { table } from '../table';
import type { LoadOptions } from './load';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    sources: { type: 'string', default: '3000' },
    samples: { type: 'string', default: '1024' },
    ahead: { type: 'string', default: '1500' },
    only: { type: 'string', default: '' },
  },
});
const SECONDS = Number(values.seconds);
const SOURCES = Number(values.sources);
const SAMPLES = Number(values.samples);
/** Windows on their way at a time: enough that nobody waits, few enough that the broker drops none. */
const AHEAD = Number(values.ahead);
const SAMPLE_RATE = 25_600;
const FEATURES = [
  'mean',
  'std',
  'min',
  'max',
  'rms',
  'crest',
  'kurtosis',
  'dominantFrequency',
  'band:500-2000',
];
const WARMUP_SECONDS = 5;
/** 5 TB a day in windows of 4 KiB. */
const ARTICLE_PER_SECOND = 5e12 / 86_400 / 4096;

/** Something that counts the windows it has handled. */
interface Consumer {
  label: string;
  pid: number;
  onCount(listener: (count: number) => void): void;
  stop(): Promise<void>;
}

interface Measurement {
  label: string;
  windowsPerSecond: number;
  cpu: Record<string, number>;
  memory: number[];
  lost: number;
}

async function main(): Promise<void> {
  const program = findProgram('mosquitto');
  if (program === undefined) {
    throw new Error('mosquitto is not installed: apt-get install mosquitto');
  }
  const results: Measurement[] = [];
  const consumers: [string, (url: string) => Promise<Consumer>][] = [
    ['bare', startBareLoop],
    ['node', (url) => startStation(url, [])],
  ];
  for (const [name, start] of consumers) {
    if (values.only === '' || values.only === name) {
      const broker = await Mosquitto.start(program);
      const consumer = await start(broker.url);
      results.push(await measure(consumer, broker));
      await consumer.stop();
      await broker.stop();
    }
  }
  report(results);
}

async function startBareLoop(url: string): Promise<Consumer> {
  const options = { url, sampleRate: SAMPLE_RATE, features: FEATURES };
  const child = fork(join(__dirname, 'bare-loop.js'), [JSON.stringify(options)], {
    execArgv: profiling('bare'),
  });
  await once(child, 'message');
  return {
    label: 'bare loop (MQTT.js + features)',
    pid: child.pid ?? 0,
    onCount: (listener) => child.on('message', ({ count }: { count: number }) => listener(count)),
    stop: () => end(child),
  };
}

async function startStation(url: string, extra: object[]): Promise<Consumer> {
  const flow = [
    { id: 'tab', type: 'tab', label: 'bench' },
    { id: 'broker', type: 'edge-broker', url },
    {
      id: 'ingest',
      type: 'sensor-ingest',
      z: 'tab',
      source: 'mqtt',
      broker: 'broker',
      topic: 'plant1/#',
      qos: 0,
      format: 'float32',
      sampleRate: SAMPLE_RATE,
      features: FEATURES,
      wires: [['counter'], [], []],
    },
    { id: 'counter', type: 'bench-counter', z: 'tab', wires: [] },
    ...extra,
  ] as { id: string; type: string }[];
  const station = await Station.start({
    flow,
    install(userDir) {
      prepareUserDir(userDir);
      writeFileSync(join(userDir, 'nodes', 'bench-counter.js'), COUNTER);
      writeFileSync(join(userDir, 'nodes', 'bench-counter.html'), COUNTER_FORM);
    },
    execArgv: profiling('node'),
  });
  await station.shows('ingest', 'sensor-ingest.status.listening');
  return {
    label: 'sensor-ingest in Node-RED',
    pid: station.pid,
    onCount: (listener) =>
      station.on('sink', (_id: string, { payload }: { payload: number }) => listener(payload)),
    stop: () => station.stop(),
  };
}

/** Keeps `AHEAD` windows on their way for the whole time and counts what comes out. */
async function measure(consumer: Consumer, broker: Mosquitto): Promise<Measurement> {
  const options: LoadOptions = {
    port: broker.port,
    sources: SOURCES,
    samples: SAMPLES,
    format: 'float32',
    seed: 1,
  };
  const load = fork(join(__dirname, 'load.js'), [JSON.stringify(options)]);
  await once(load, 'message');
  let count = 0;
  let allowed = 0;
  let closing = false;
  const allow = (): void => {
    if (!closing && count + AHEAD > allowed) {
      allowed = count + AHEAD;
      load.send({ allowed });
    }
  };
  consumer.onCount((seen) => {
    count = seen;
    allow();
  });
  allow();
  await seconds(WARMUP_SECONDS);
  const pids = { measured: consumer.pid, load: load.pid ?? 0, mosquitto: broker.pid };
  const before = Object.values(pids).map(cpuSeconds);
  const countBefore = count;
  const startedAt = performance.now();
  const memory: number[] = [];
  for (let second = 0; second < SECONDS; second++) {
    await seconds(1);
    memory.push(residentMegabytes(consumer.pid));
  }
  const elapsed = (performance.now() - startedAt) / 1000;
  const handled = count - countBefore;
  const after = Object.values(pids).map(cpuSeconds);
  closing = true;
  await seconds(1);
  const lost = allowed - count;
  await end(load);
  return {
    label: consumer.label,
    windowsPerSecond: handled / elapsed,
    cpu: Object.fromEntries(Object.keys(pids).map((name, i) => [name, (after[i] - before[i]) / elapsed])),
    memory,
    lost,
  };
}

function report(results: Measurement[]): void {
  const bytes = SAMPLES * 4;
  console.log(`${SOURCES} sources, windows of ${SAMPLES} float32 samples, ${FEATURES.join(', ')}`);
  console.log(`${cpus().length} × ${cpus()[0].model}, ${SECONDS} s after ${WARMUP_SECONDS} s`);
  console.log(
    table(
      [
        '',
        'windows/s',
        'MB/s',
        '× article',
        'CPU s/s: measured',
        'load',
        'mosquitto',
        'µs CPU/window',
        'MB at 1/4, 1/2, end',
        'lost',
      ],
      results.map(({ label, windowsPerSecond, cpu, memory, lost }) => [
        label,
        windowsPerSecond.toFixed(0),
        ((windowsPerSecond * bytes) / 1e6).toFixed(0),
        (windowsPerSecond / ARTICLE_PER_SECOND).toFixed(2),
        ...['measured', 'load', 'mosquitto'].map((name) => cpu[name].toFixed(2)),
        ((cpu.measured / windowsPerSecond) * 1e6).toFixed(1),
        [0.25, 0.5, 1].map((share) => memory[Math.ceil(share * memory.length) - 1].toFixed(0)).join(', '),
        String(lost),
      ]),
    ),
  );
}

function profiling(name: string): string[] {
  const folder = process.env.BENCH_PROFILE;
  return folder ? ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`] : [];
}

/** CPU time of a process so far, all its threads together; Linux only. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}

const COUNTER = `module.exports = function (RED) {
  let count = 0;
  RED.nodes.registerType('bench-counter', function (config) {
    RED.nodes.createNode(this, config);
    const timer = setInterval(() => process.send({ kind: 'sink', id: this.id, msg: { payload: count } }), 10);
    this.on('input', (msg, send, done) => { count++; done(); });
    this.on('close', (done) => { clearInterval(timer); done(); });
  });
};`;
const COUNTER_FORM =
  '<script type="text/javascript">RED.nodes.registerType("bench-counter",{category:"test",defaults:{},inputs:1,outputs:0})</script>';

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
