import { join } from 'node:path';
import type { Station } from '../../test/support/station';
import { carryOut, startMeasured } from '../measured-station';
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
function launch(withForest: boolean): Promise<Station> {
  return startMeasured({
    script: join(__dirname, 'fleet-nodes.js'),
    types: ['bench-fleet', 'bench-drain'],
    flow: [
      { id: 'tab', type: 'tab', label: 'bench' },
      { id: 'driver', type: 'bench-fleet', z: 'tab', wires: [[withForest ? 'forest' : 'drain']] },
      ...(withForest ? [{ id: 'forest', type: 'iso-forest', z: 'tab', wires: [['drain'], ['drain']] }] : []),
      { id: 'drain', type: 'bench-drain', z: 'tab', wires: [] },
    ],
    execArgv: ['--expose-gc'],
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
    phases.push({ name, findings: await carryOut<FleetFindings>(station, order) });
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
