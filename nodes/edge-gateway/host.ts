import { readFile, readdir, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import type { Clock } from '../shared/clock';
import { LoopDelays } from './loop-delays';

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

/** Reads {@link HostFigures}. CPU and delays are told from look to look: who looks at another pace has one of its own. */
export class Host {
  private readonly delays: LoopDelays;
  private looked: { at: number; cpu: number };

  constructor(private readonly clock: Clock) {
    this.delays = new LoopDelays(clock);
    this.looked = { at: clock.monotonic(), cpu: cpuSeconds() };
  }

  /** Measures from now on what {@link Host.figures} would else measure from the first look on. */
  begin(): void {
    this.delays.begin();
  }

  /** @param folder where data is stored, whose disk is looked at */
  async figures(folder: string): Promise<HostFigures> {
    const [delays, disk, temperature, written] = await Promise.all([
      this.delays.look(),
      diskOf(folder),
      temperatureOf(THERMAL),
      writtenOf(IO),
    ]);
    const now = this.clock.monotonic();
    const cpu = cpuSeconds();
    const passed = (now - this.looked.at) / 1000;
    const share = passed > 0 ? (cpu - this.looked.cpu) / passed : 0;
    this.looked = { at: now, cpu };
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

  /** Nobody looks for a while. */
  rest(): void {
    this.delays.rest();
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
async function temperatureOf(folder: string): Promise<number | undefined> {
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
