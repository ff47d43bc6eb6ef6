import { readdirSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { residentMegabytesOf } from '../../bench/processes';
import { trendOf, type Trend } from './trend';

/** One moment of the run. */
export interface Sample {
  /** Seconds from the start. */
  at: number;
  /** The gateway's life that it belongs to, from 0. */
  life: number;
  megabytes: Record<string, number>;
  descriptors: Record<string, number>;
  /** Of the gateway's event loop. */
  handles: number;
  dataMegabytes: number;
  queue: number;
  oldestSeconds: number;
  received: number;
}

/** Resident memory of processes by name; a process that is gone is left out. */
export function megabytesOf(pids: Record<string, number>): Record<string, number> {
  return ofEach(pids, residentMegabytesOf);
}

export function descriptorsOf(pids: Record<string, number>): Record<string, number> {
  return ofEach(pids, (pid) => readdirSync(`/proc/${pid}/fd`).length);
}

function ofEach(pids: Record<string, number>, measure: (pid: number) => number): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, pid] of Object.entries(pids)) {
    try {
      found[name] = measure(pid);
    } catch {
      // Killed just now.
    }
  }
  return found;
}

/** Bytes of all files below a folder, in MB, but for those of a name. */
export async function folderMegabytes(folder: string, except: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name !== except) {
      bytes += await stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      );
    }
  }
  return bytes / 1024 / 1024;
}

/** The sum of a metric over its labels in what `/edge/metrics` says. */
export function metric(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

export interface Judged extends Trend {
  what: string;
  /** What it may grow in an hour. */
  limitPerHour: number;
  verdict: 'pass' | 'fail' | 'too short to judge';
}

/** A process settles for a quarter of its life; less than half an hour after that says nothing about a leak. */
const SETTLING = 0.25;
const JUDGED_MINUTES = 30;

/** Trends over the gateway's longest life, after it has settled. */
export function judgeTrends(samples: readonly Sample[]): Judged[] {
  const lives: Sample[][] = [];
  for (const sample of samples) {
    (lives[sample.life] ??= []).push(sample);
  }
  const longest = lives.reduce((a, b) => (b.length > a.length ? b : a), []);
  const settled = longest.slice(Math.floor(longest.length * SETTLING));
  const judged = (
    what: string,
    limitPerHour: number,
    value: (sample: Sample) => number | undefined,
  ): Judged => {
    const values = settled.flatMap((sample) => {
      const measured = value(sample);
      return measured === undefined ? [] : [{ at: sample.at, value: measured }];
    });
    const trend = trendOf(values);
    const grows = trend.perHour > limitPerHour;
    const verdict = trend.minutes < JUDGED_MINUTES ? 'too short to judge' : grows ? 'fail' : 'pass';
    return { what, limitPerHour, ...trend, verdict };
  };
  const names = Object.keys(settled.at(-1)?.megabytes ?? {});
  return [
    ...names.map((name) => judged(`${name}: resident memory, MB`, 30, ({ megabytes }) => megabytes[name])),
    ...names.map((name) => judged(`${name}: descriptors`, 2, ({ descriptors }) => descriptors[name])),
    judged('gateway: handles', 2, ({ handles }) => handles),
    judged('data folder, MB', 5, ({ dataMegabytes }) => dataMegabytes),
    judged('queue, messages', 200, ({ queue }) => queue),
  ];
}
