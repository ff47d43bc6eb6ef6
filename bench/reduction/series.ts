import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Line } from '../../simulation/index';
import { packageRoot } from '../../test/support/runtime';
import { readFlow, TEMPLATE } from '../../test/support/template';
import type { Message } from './drive';
import type { Ranges } from './rebuild';

/** Recordings of the same channels, and how they are reduced. */
export interface Series {
  name: string;
  topic: string;
  /** Each begins anew, as after a start of the node. */
  runs: Message[][];
  ranges: Ranges;
  /** Seconds. */
  heartbeat: number;
}

const START = Date.UTC(2026, 0, 1);
const DAY = 86_400;
/** As many machines, for as many seconds, at one reading a second. */
const MACHINES = 4;
const SECONDS = 3600;
const FAULT_SECONDS = 120;

/** The published series, or nothing where they are not on this computer. */
export function publishedSeries(folder: string): { nab: Series[]; skab: Series[] } | undefined {
  if (!existsSync(join(folder, 'nab')) || !existsSync(join(folder, 'skab'))) {
    return undefined;
  }
  const nab = (file: string): Message[][] => [readCsv(join(folder, 'nab', file), ',')];
  const machine = nab('machine_temperature_system_failure.csv');
  const valve = join(folder, 'skab', 'valve1');
  return {
    nab: [
      seriesOf('machine temperature', machine, DAY),
      seriesOf('machine temperature, heartbeat 600 s', machine, 600),
      seriesOf('ambient temperature', nab('ambient_temperature_system_failure.csv'), DAY),
    ],
    skab: [
      seriesOf('anomaly-free', [readCsv(join(folder, 'skab', 'anomaly-free', 'anomaly-free.csv'), ';')]),
      seriesOf(
        'valve1',
        readdirSync(valve).map((file) => readCsv(join(valve, file), ';')),
      ),
    ],
  };
}

/** The line of simulated machines, three of which have a fault for a while. */
export function simulatedSeries(): Series[] {
  const line = new Line({ machines: MACHINES, seed: 1, startTs: START });
  const runs = line.machines.map((): Message[] => []);
  for (let second = 0; second < SECONDS; second++) {
    if (second === SECONDS / 2) {
      (['tool-wear', 'heat-dissipation', 'bearing'] as const).forEach((fault, index) =>
        line.machines[index].inject(fault, FAULT_SECONDS),
      );
    }
    line
      .step(1)
      .forEach(({ payload }, index) => runs[index].push({ ts: payload.ts, payload: { ...payload } }));
  }
  const seen = seriesOf('CNC, ranges as seen', runs);
  const table = readFlow('predictive-maintenance').find(({ id }) => id === TEMPLATE.ingest) as unknown as {
    channels: { name: string; min: number; max: number }[];
  };
  const ranges: Ranges = new Map(table.channels.map(({ name, min, max }) => [name, { min, max }]));
  return [seen, { ...seen, name: "CNC, the template's ranges", ranges }];
}

/** The range of a channel is what the series spans, as an engineer who knows the machine would enter it. */
function seriesOf(name: string, runs: Message[][], heartbeat = 600): Series {
  const ranges: Ranges = new Map();
  for (const { payload } of runs.flat()) {
    for (const [channel, value] of Object.entries(payload)) {
      const range = ranges.get(channel);
      if (channel !== 'ts') {
        ranges.set(channel, {
          min: Math.min(range?.min ?? value, value),
          max: Math.max(range?.max ?? value, value),
        });
      }
    }
  }
  for (const range of ranges.values()) {
    if (range.min === range.max) {
      range.max++;
    }
  }
  return { name, topic: 'plant1/machine-01/telemetry', runs, ranges, heartbeat };
}

/** The first column is the time, without a zone; what comes after the measurements are labels. */
function readCsv(file: string, separator: string): Message[] {
  const [head, ...lines] = readFileSync(file, 'utf8').trim().split(/\r?\n/);
  const names = head.split(separator).filter((name) => name !== 'anomaly' && name !== 'changepoint');
  return lines.map((line) => {
    const cells = line.split(separator);
    const ts = Date.parse(`${cells[0].replace(' ', 'T')}Z`);
    const payload: Record<string, number> = { ts };
    names.slice(1).forEach((name, index) => (payload[name] = Number(cells[index + 1])));
    return { ts, payload };
  });
}

/** Beside the package; never part of it. */
export const dataFolder = join(packageRoot, '..', 'shared', 'data');
