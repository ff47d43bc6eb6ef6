import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Rows to rank, in no order of time. */
export interface TabularSet {
  name: string;
  width: number;
  rows: Float32Array[];
  anomalous: Uint8Array;
}

/** Readings of one source in their order. */
export interface Stream {
  name: string;
  rows: number[][];
  anomalous: Uint8Array;
  /** ms since the epoch, of each row. */
  times: number[];
}

/** A machine of AI4I 2020 and the modes in which it failed. */
export interface MachineRow {
  values: Record<string, number>;
  modes: string[];
}

const lines = (file: string): string[][] =>
  readFileSync(file, 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(/[,;]/));

/** The sets of ADBench, AI4I 2020 (five sensors) and C-MAPSS (settings and sensors; anomalous: under 30 cycles left). */
export function tabularSets(folder: string): TabularSet[] {
  const sets = readdirSync(join(folder, 'adbench'))
    .filter((file) => file.endsWith('.csv'))
    .sort((a, b) => parseInt(a, 10) - parseInt(b, 10))
    .map((file) => {
      const rows = lines(join(folder, 'adbench', file)).slice(1);
      return tabular(
        file.replace(/^\d+_|\.csv$/g, ''),
        rows,
        (row) => row.slice(0, -1),
        (row) => row.at(-1) === '1',
      );
    });
  const machines = lines(join(folder, 'ai4i2020', 'ai4i2020.csv')).slice(1);
  sets.push(
    tabular(
      'ai4i',
      machines,
      (row) => row.slice(3, 8),
      (row) => row[8] === '1',
    ),
  );
  const turbines = readFileSync(join(folder, 'cmapss', 'train_FD001.txt'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const lives = new Map(turbines.map((row) => [row[0], Number(row[1])]));
  sets.push(
    tabular(
      'cmapss',
      turbines,
      (row) => row.slice(2),
      (row) => (lives.get(row[0]) ?? 0) - Number(row[1]) < 30,
    ),
  );
  return sets;
}

function tabular(
  name: string,
  table: string[][],
  features: (row: string[]) => string[],
  anomalous: (row: string[]) => boolean,
): TabularSet {
  const rows = table.map((row) => Float32Array.from(features(row), Number));
  return {
    name,
    width: rows[0].length,
    rows,
    anomalous: Uint8Array.from(table, (row) => (anomalous(row) ? 1 : 0)),
  };
}

export function machineRows(folder: string): MachineRow[] {
  const [header, ...table] = lines(join(folder, 'ai4i2020', 'ai4i2020.csv'));
  const sensors = header.slice(3, 8).map((title) => title.replace(/ \[.*/, ''));
  const modes = header.slice(9);
  return table.map((row) => ({
    values: Object.fromEntries(sensors.map((sensor, at) => [sensor, Number(row[3 + at])])),
    modes: row[8] === '1' ? modes.filter((_, at) => row[9 + at] === '1') : [],
  }));
}

/** A temperature of the Numenta Anomaly Benchmark; anomalous inside the windows. */
export function nabStream(folder: string, name: string): Stream & { windows: [number, number][] } {
  const file = `${name}_temperature_system_failure.csv`;
  const all = JSON.parse(readFileSync(join(folder, 'nab', 'windows.json'), 'utf8')) as Record<
    string,
    [string, string][]
  >;
  const table = lines(join(folder, 'nab', file)).slice(1);
  const time = (text: string): number => Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`);
  const times = table.map(([stamp]) => time(stamp));
  const windows = all[file].map(([from, to]): [number, number] => [time(from), time(to)]);
  const anomalous = Uint8Array.from(times, (at) =>
    windows.some(([from, to]) => at >= from && at <= to) ? 1 : 0,
  );
  return { name, rows: table.map(([, value]) => [Number(value)]), anomalous, times, windows };
}

/** The recordings `valve1` of SKAB. */
export function skabStreams(folder: string): Stream[] {
  const at = join(folder, 'skab', 'valve1');
  return readdirSync(at)
    .filter((file) => file.endsWith('.csv'))
    .sort((a, b) => parseInt(a, 10) - parseInt(b, 10))
    .map((file) => {
      const table = lines(join(at, file)).slice(1);
      return {
        name: file,
        rows: table.map((row) => row.slice(1, 9).map(Number)),
        anomalous: Uint8Array.from(table, (row) => Number(row[9])),
        times: table.map(([stamp]) => Date.parse(`${stamp.replace(' ', 'T')}Z`)),
      };
    });
}

export function dataFolder(given: string | undefined, root: string): string {
  const folder = given ?? join(root, '..', 'shared', 'data');
  if (!existsSync(folder)) {
    throw new Error(`No data in ${folder}. Give the folder that holds adbench/, nab/ and skab/ with --data.`);
  }
  return folder;
}
