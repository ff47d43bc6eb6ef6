import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareUserDir } from '../../test/support/runtime';
import { Station } from '../../test/support/station';
import type { FleetFindings, FleetOrder } from './fleet-protocol';

export const CHANNELS = 8;
/** Readings a second of each source. */
export const RATE = 3;

/** One phase of the sources' lives. */
export interface Phase {
  name: string;
  findings: FleetFindings;
}

/** Node-RED with one `iso-forest` that has its defaults, or without it; an order is a phase of the sources' lives. */
async function launch(withForest: boolean): Promise<Station> {
  return Station.start({
    flow: [
      { id: 'tab', type: 'tab', label: 'bench' },
      { id: 'driver', type: 'bench-fleet', z: 'tab', wires: [[withForest ? 'forest' : 'drain']] },
      ...(withForest ? [{ id: 'forest', type: 'iso-forest', z: 'tab', wires: [['drain'], ['drain']] }] : []),
      { id: 'drain', type: 'bench-drain', z: 'tab', wires: [] },
    ],
    install(userDir) {
      prepareUserDir(userDir);
      const nodes = JSON.stringify(join(__dirname, 'fleet-nodes.js'));
      writeFileSync(join(userDir, 'nodes', 'bench.js'), `module.exports = require(${nodes});`);
      writeFileSync(
        join(userDir, 'nodes', 'bench.html'),
        `<script type="text/javascript">for (const type of ['bench-fleet', 'bench-drain'])
          RED.nodes.registerType(type, { category: 'test', defaults: {}, inputs: 1, outputs: 1 });</script>`,
      );
    },
    ...(process.env.BENCH_PROFILE && {
      execArgv: ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`],
    }),
  });
}

/**
 * A fleet from its first reading on: what can be is fast-forwarded, the rest comes at its pace.
 *
 * @param seconds of each measured pace
 */
export async function measureFleet(sources: number, seconds: number): Promise<Phase[]> {
  const phases: Phase[] = [];
  const play = async (station: Station, name: string, readings: number, rate: number): Promise<void> => {
    const order: FleetOrder & { driver: string } = {
      sources,
      channels: CHANNELS,
      readings,
      rate,
      driver: 'fleet',
    };
    const found = once(station, 'sink') as Promise<[string, { payload: FleetFindings }]>;
    station.order(order);
    const [, { payload }] = await found;
    phases.push({ name, findings: payload });
  };
  const pace = Math.ceil(RATE * seconds);
  const empty = await launch(false);
  await play(empty, 'flow without the forest', pace, RATE);
  await empty.stop();
  const station = await launch(true);
  await play(station, 'readings 1–100: warm-up, as fast as it goes', 100, 0);
  await play(station, 'to 500, as fast as it goes', 400, 0);
  await play(station, 'a reference is taken, at the pace', pace, RATE);
  await play(station, 'to 2,500, as fast as it goes', 2000 - pace, 0);
  await play(station, 'the reference stands and is renewed, at the pace', pace, RATE);
  await station.stop();
  return phases;
}
