import { readFile, readdir, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../shared/clock';

/** How the machine and the process fare. Bytes, seconds, ms and degrees Celsius; what cannot be read is absent. */
export interface HostFigures {
  /** CPU time of the process since it began, s. */
  cpuSeconds: number;
  /** Cores' worth of CPU that the process used since the last look, 1 = one core. */
  cpu: number;
  /** Load average of the last minute over the number of cores. */
  load: number;
  rss: number;
  memoryTotal: number;
  memoryFree: number;
  diskTotal?: number;
  diskFree?: number;
  eventLoopP99Ms?: number;
  eventLoopMaxMs?: number;
  temperature?: number;
  /** Bytes that the process had written to disks since it began. */
  written?: number;
}

const THERMAL = '/sys/class/thermal';
const IO = '/proc/self/io';
const RESOLUTION_MS = 10;
/** Delays of the event loop are those of the last complete stretch of this length. */
const STRETCH_MS = 10_000;

/** Reads {@link HostFigures}. One a process is enough. */
export class Host {
  private readonly delays: ReturnType<typeof monitorEventLoopDelay>;
  private last: { p99: number; max: number } | undefined;
  private stretchBegan: number;
  private looked: { at: number; cpu: number };

  constructor(private readonly clock: Clock) {
    this.delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.delays.enable();
    this.stretchBegan = clock.monotonic();
    this.looked = { at: clock.monotonic(), cpu: cpuSeconds() };
  }

  /** @param folder where data is stored, whose disk is looked at */
  async figures(folder: string): Promise<HostFigures> {
    const [disk, temperature, written] = await Promise.all([
      diskOf(folder),
      temperatureOf(THERMAL),
      writtenOf(IO),
    ]);
    const now = this.clock.monotonic();
    this.turn(now);
    const cpu = cpuSeconds();
    const passed = (now - this.looked.at) / 1000;
    const share = passed > 0 ? (cpu - this.looked.cpu) / passed : 0;
    this.looked = { at: now, cpu };
    const delays = this.last ?? this.read();
    return {
      cpuSeconds: cpu,
      cpu: share,
      load: loadavg()[0] / availableParallelism(),
      rss: process.memoryUsage.rss(),
      memoryTotal: totalmem(),
      memoryFree: freemem(),
      ...disk,
      eventLoopP99Ms: delays.p99,
      eventLoopMaxMs: delays.max,
      ...(temperature !== undefined && { temperature }),
      ...(written !== undefined && { written }),
    };
  }

  close(): void {
    this.delays.disable();
  }

  private turn(now: number): void {
    if (now - this.stretchBegan >= STRETCH_MS) {
      this.last = this.read();
      this.delays.reset();
      this.stretchBegan = now;
    }
  }

  /** The histogram counts a timer of so many ms; what is above that is delay. */
  private read(): { p99: number; max: number } {
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    return this.delays.count === 0
      ? { p99: 0, max: 0 }
      : { p99: late(this.delays.percentile(99)), max: late(this.delays.max) };
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function diskOf(folder: string): Promise<{ diskTotal?: number; diskFree?: number }> {
  try {
    const { blocks, bavail, bsize } = await statfs(folder);
    return { diskTotal: blocks * bsize, diskFree: bavail * bsize };
  } catch {
    // The folder is made by the first node that stores.
    return {};
  }
}

/** Undefined where the system does not tell. */
async function writtenOf(file: string): Promise<number | undefined> {
  const bytes = /^write_bytes: (\d+)$/m.exec(await readFile(file, 'utf8').catch(() => ''))?.at(1);
  return bytes === undefined ? undefined : Number(bytes);
}

/** The warmest thermal zone of the machine, in degrees Celsius; undefined where there is none to read. */
export async function temperatureOf(folder: string): Promise<number | undefined> {
  try {
    const zones = (await readdir(folder)).filter((name) => name.startsWith('thermal_zone'));
    const read = await Promise.all(
      zones.map((zone) => readFile(`${folder}/${zone}/temp`, 'utf8').catch(() => '')),
    );
    const degrees = read
      .map((text) => (text.trim() === '' ? NaN : Number(text) / 1000))
      .filter(Number.isFinite);
    return degrees.length > 0 ? Math.max(...degrees) : undefined;
  } catch {
    return undefined;
  }
}
