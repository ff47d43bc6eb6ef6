import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { prepareUserDir, type FlowNode } from '../test/support/runtime';
import { Station } from '../test/support/station';

/** Node-RED in a process of its own, with nodes that only a benchmark has. */
export interface MeasuredStation {
  /** Module that registers the benchmark's nodes. */
  script: string;
  types: readonly string[];
  flow: FlowNode[];
  execArgv?: string[];
  /** Folders of further node modules, scoped or not, for the palette. */
  modules?: readonly string[];
  settings?: Record<string, unknown>;
}

/** Starts it. With the environment variable BENCH_PROFILE it writes a CPU profile into that folder. */
export function startMeasured(measured: MeasuredStation): Promise<Station> {
  const { script, types, flow, execArgv = [], modules = [], settings } = measured;
  const folder = process.env.BENCH_PROFILE;
  return Station.start({
    flow,
    settings,
    install(userDir) {
      prepareUserDir(userDir);
      for (const folder of modules) {
        const scope = basename(dirname(folder));
        const target = join(userDir, 'node_modules', scope.startsWith('@') ? scope : '', basename(folder));
        mkdirSync(dirname(target), { recursive: true });
        symlinkSync(folder, target, 'dir');
      }
      writeFileSync(
        join(userDir, 'nodes', 'bench.js'),
        `module.exports = require(${JSON.stringify(script)});`,
      );
      writeFileSync(
        join(userDir, 'nodes', 'bench.html'),
        `<script type="text/javascript">for (const type of ${JSON.stringify(types)})
          RED.nodes.registerType(type, { category: 'test', defaults: {}, inputs: 1, outputs: 1 });</script>`,
      );
    },
    execArgv: [
      '--no-enable-source-maps',
      ...execArgv,
      ...(folder ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : []),
    ],
  });
}

/** Gives the driver in the flow an order, and resolves with what it found. */
export async function carryOut<T>(station: Station, order: object): Promise<T> {
  const found = once(station, 'sink') as Promise<[string, { payload: T }]>;
  station.order(order);
  const [, { payload }] = await found;
  return payload;
}
