/**
 * Waveforms over MQTT through `sensor-ingest` in the real runtime, beside a bare loop that does the same sums with
 * nothing around them. Broker, load and the measured process share the cores of this computer.
 *
 *   npm run bench:ingest -- [--seconds 60] [--sources 3000] [--samples 1024] [--only bare|node|reduced|qos1]
 *   BENCH_PROFILE=<folder> npm run bench:ingest -- --only node    writes CPU profiles
 */
import { parseArgs } from 'node:util';
import { Mosquitto } from '../../test/support/mosquitto';
import { cores, needMosquitto, runProgram, saveResults } from '../program';
import { table } from '../table';
import { startBareLoop, startStation, type Consumer, type Task } from './consumers';
import { measure, WARMUP_SECONDS, type Measurement } from './measure';

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
/** 5 TB a day in windows of 4 KiB. */
const ARTICLE_PER_SECOND = 5e12 / 86_400 / 4096;

const TASK: Task = {
  sampleRate: 25_600,
  features: ['mean', 'std', 'min', 'max', 'rms', 'crest', 'kurtosis', 'dominantFrequency', 'band:500-2000'],
};

const CONSUMERS: Record<string, { qos: 0 | 1; start: (url: string) => Promise<Consumer> }> = {
  bare: { qos: 0, start: (url) => startBareLoop(url, TASK, 0) },
  node: { qos: 0, start: (url) => startStation(url, TASK, { qos: 0 }) },
  reduced: {
    qos: 0,
    start: (url) => startStation(url, TASK, { qos: 0, reduce: 'swinging-door', tolerance: 0.1 }),
  },
  bareQos1: { qos: 1, start: (url) => startBareLoop(url, TASK, 1) },
  qos1: { qos: 1, start: (url) => startStation(url, TASK, { qos: 1 }) },
};

async function main(): Promise<void> {
  const program = needMosquitto();
  const results: Measurement[] = [];
  for (const [name, { qos, start }] of Object.entries(CONSUMERS)) {
    if (values.only === '' || values.only === name) {
      const broker = await Mosquitto.start(program);
      const consumer = await start(broker.url);
      results.push(
        await measure(consumer, broker, {
          seconds: SECONDS,
          ahead: AHEAD,
          load: { sources: SOURCES, samples: SAMPLES, format: 'float32', seed: 1, qos },
        }),
      );
      await consumer.stop();
      await broker.stop();
    }
  }
  report(results);
}

function report(results: readonly Measurement[]): void {
  const bytes = SAMPLES * 4;
  console.log(`${SOURCES} sources, windows of ${SAMPLES} float32 samples, ${TASK.features.join(', ')}`);
  console.log(`${cores()}, ${SECONDS} s after ${WARMUP_SECONDS} s\n`);
  const text = table(
    [
      'what',
      'windows/s',
      'MB/s',
      '× article',
      'µs CPU/window',
      'CPU s/s: measured, load, mosquitto',
      'resident MB at 1/4, 1/2, end',
      'lost',
    ],
    results.map(({ label, windowsPerSecond, cpu, memory, lost }) => [
      label,
      windowsPerSecond.toFixed(0),
      ((windowsPerSecond * bytes) / 1e6).toFixed(0),
      (windowsPerSecond / ARTICLE_PER_SECOND).toFixed(2),
      ((cpu.measured / windowsPerSecond) * 1e6).toFixed(1),
      [cpu.measured, cpu.load, cpu.mosquitto].map((share) => share.toFixed(2)).join(', '),
      [0.25, 0.5, 1].map((share) => memory[Math.ceil(share * memory.length) - 1].toFixed(0)).join(', '),
      String(lost),
    ]),
  );
  console.log(text);
  saveResults('ingest', results);
}

runProgram(main);
