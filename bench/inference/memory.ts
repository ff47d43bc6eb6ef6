/**
 * What nodes with one model hold in memory, and what is left when the last of them has gone. A process of its own, in
 * which nothing else happens: forked by `inference.ts`.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { TestRuntime, type FlowNode } from '../../test/support/runtime';
import { perceptron } from './models';

const NODES = 4;
const ROUNDS = 5;
/** Of the model: four bytes times the square of the first, times the second. */
const [HIDDEN, LAYERS] = [1024, 16];

/** Resident memory of a process with the runtime, MB. */
export interface MemoryFindings {
  modelMB: number;
  nodes: number;
  /** Before any node was deployed. */
  before: number;
  /** In each round with the nodes, and after the last has gone. */
  rounds: { serving: number; gone: number }[];
}

const resident = async (): Promise<number> => {
  // Freed pages go back to the system a little later.
  await pause(1500);
  global.gc?.();
  await pause(500);
  return Math.round(process.memoryUsage.rss() / 1024 / 1024);
};

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-memory-'));
  const { file, width, properties } = perceptron(folder, 'large', 64, HIDDEN, LAYERS);
  const runtime = await TestRuntime.start();
  const flow = Array.from({ length: NODES }, (_, at): FlowNode => ({
    id: `detect${at}`,
    type: 'onnx-detect',
    wires: [['sink'], ['sink']],
    ...properties,
  }));
  const sink: FlowNode = { id: 'sink', type: 'test-sink', wires: [] };
  const before = await resident();
  const rounds: MemoryFindings['rounds'] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await runtime.deploy([...flow, sink]);
    for (let at = 0; at < NODES; at++) {
      runtime.inject(`detect${at}`, { payload: new Array<number>(width).fill(0) });
    }
    await runtime.collect('sink', NODES);
    const serving = await resident();
    await runtime.deploy([]);
    rounds.push({ serving, gone: await resident() });
  }
  const findings: MemoryFindings = {
    modelMB: Math.round(statSync(file).size / 1024 / 1024),
    nodes: NODES,
    before,
    rounds,
  };
  await runtime.stop();
  rmSync(folder, { recursive: true });
  process.send?.(findings, () => process.exit(0));
}

void main();
