/**
 * Inference through `onnx-detect` in the real runtime, beside onnxruntime-node in a bare loop and beside the way in which
 * other nodes run a model: in their input handler. One process each, the same models, the same rows, one after the other.
 *
 *   npm run bench:inference -- [--seconds 10]
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FlowNode } from '../../test/support/runtime';
import { carryOut, startMeasured } from '../measured-station';
import { cores, runProgram, saveResults } from '../program';
import { quantile, table } from '../table';
import type { MemoryFindings } from './memory';
import { perceptron, type BenchModel } from './models';
import type { Findings, Order } from './protocol';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });
const SECONDS = Number(values.seconds);
/** What the big model is made for, ms a run on one core. */
const BIG_MS = 9;

/** A process that takes orders. */
interface Subject {
  name: string;
  run(order: Order): Promise<Findings>;
  stop(): Promise<void>;
}

async function startRaw({ file, input }: BenchModel): Promise<Subject> {
  const child: ChildProcess = fork(join(__dirname, 'raw.js'), [JSON.stringify({ file, input })]);
  await once(child, 'message');
  return {
    name: 'onnxruntime-node in a loop',
    async run(order) {
      child.send(order);
      const [findings] = (await once(child, 'message')) as [Findings];
      return findings;
    },
    async stop() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

async function startNode(model: BenchModel, inline: boolean): Promise<Subject> {
  const { file, input, width, properties } = model;
  const served: FlowNode = inline
    ? { id: 'model', type: 'bench-inline', file, input, width, wires: [['sink']] }
    : { id: 'model', type: 'onnx-detect', batchSize: 1024, ...properties, wires: [['sink'], ['sink']] };
  const station = await startMeasured({
    script: join(__dirname, 'bench-nodes.js'),
    types: ['bench-driver', 'bench-sink', 'bench-inline'],
    flow: [
      { id: 'tab', type: 'tab', label: 'bench' },
      { id: 'driver', type: 'bench-driver', z: 'tab', name: 'driver', wires: [['model']] },
      { ...served, z: 'tab' },
      { id: 'sink', type: 'bench-sink', z: 'tab', wires: [] },
    ],
  });
  return {
    name: inline ? 'run in the input handler' : 'onnx-detect',
    run: (order) => carryOut<Findings>(station, { ...order, driver: 'driver' }),
    stop: () => station.stop(),
  };
}

async function measure(model: BenchModel, orders: Order[]): Promise<[string, Findings[]][]> {
  const results: [string, Findings[]][] = [];
  for (const start of [() => startRaw(model), () => startNode(model, false), () => startNode(model, true)]) {
    const subject = await start();
    const findings: Findings[] = [];
    for (const order of orders) {
      findings.push(await subject.run(order));
    }
    results.push([subject.name, findings]);
    await subject.stop();
  }
  return results;
}

function report(model: string, results: [string, Findings[]][]): void {
  const shown = (latencies: number[], share: number): string =>
    quantile(
      [...latencies].sort((a, b) => a - b),
      share,
    ).toFixed(2);
  console.log(`\n${model}\n`);
  console.log(
    table(
      ['', 'rows/s in batches', 'single reading, ms: p50', 'p99', 'event loop late, ms: p50', 'p99', 'max'],
      results.map(([name, [batches, single]]) => [
        name,
        batches.rowsPerSecond.toFixed(0),
        shown(single.latencies, 0.5),
        shown(single.latencies, 0.99),
        single.loopDelay.p50.toFixed(2),
        single.loopDelay.p99.toFixed(2),
        single.loopDelay.max.toFixed(1),
      ]),
    ),
  );
}

/** What nodes with one model hold, and what is left when they are gone. */
async function measureMemory(): Promise<MemoryFindings> {
  const child = fork(join(__dirname, 'memory.js'), [], { execArgv: ['--expose-gc'] });
  const [findings] = (await once(child, 'message')) as [MemoryFindings];
  const { modelMB, nodes, before, rounds } = findings;
  console.log(
    `\nresident memory of Node-RED, ${nodes} nodes with one model of ${modelMB} MB, deployed and removed\n`,
  );
  console.log(
    table(
      ['round', 'before', 'serving', 'removed'],
      rounds.map(({ serving, gone }, at) => [
        `${at + 1}`,
        `${at === 0 ? before : rounds[at - 1].gone} MB`,
        `${serving} MB`,
        `${gone} MB`,
      ]),
    ),
  );
  return findings;
}

/** Layers of the big model for this machine: as many as take the time it is made for. */
async function bigModel(folder: string): Promise<BenchModel> {
  const trial = perceptron(folder, 'trial', 64, 1024, 4);
  const subject = await startRaw(trial);
  const { latencies } = await subject.run({ kind: 'latency', rate: 50, seconds: 2, width: 64 });
  await subject.stop();
  const each = quantile(
    latencies.sort((a, b) => a - b),
    0.5,
  );
  return perceptron(folder, 'big', 64, 1024, Math.max(1, Math.round((4 * BIG_MS) / each)));
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-inference-'));
  console.log(`${cores()}, ${SECONDS} s each`);
  const small = perceptron(folder, 'small', 8, 32, 2);
  const big = await bigModel(folder);
  const results: Record<string, [string, Findings[]][]> = {};
  for (const [model, rows, rate] of [
    [small, 256, 50],
    [big, 16, 20],
  ] as const) {
    const { width } = model;
    results[model.name] = await measure(model, [
      { kind: 'throughput', rows, ahead: 4, seconds: SECONDS, width },
      { kind: 'latency', rate, seconds: SECONDS, width },
    ]);
    report(
      `${model.name} model: batches of ${rows} rows with 4 on their way; then one reading at a time, ${rate} a second`,
      results[model.name],
    );
  }
  const memory = await measureMemory();
  saveResults('inference', { ...results, memory });
  rmSync(folder, { recursive: true });
}

runProgram(main);
