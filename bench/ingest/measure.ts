import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Mosquitto } from '../../test/support/mosquitto';
import { cpuSecondsOf, residentMegabytesOf } from '../processes';
import type { Consumer } from './consumers';
import type { LoadOptions } from './load';

export const WARMUP_SECONDS = 5;

export interface MeasureOptions {
  seconds: number;
  /** Windows on their way at a time. */
  ahead: number;
  load: Omit<LoadOptions, 'port'>;
}

export interface Measurement {
  label: string;
  windowsPerSecond: number;
  /** Seconds of CPU time a second. */
  cpu: Record<'measured' | 'load' | 'mosquitto', number>;
  /** Resident memory of the measured process in MB, second by second. */
  memory: number[];
  /** Windows that were sent and never counted. */
  lost: number;
}

/** Keeps as many windows on their way as allowed for the whole time, and counts what comes out. Linux only. */
export async function measure(
  consumer: Consumer,
  broker: Mosquitto,
  { seconds, ahead, load: options }: MeasureOptions,
): Promise<Measurement> {
  const load = fork(join(__dirname, 'load.js'), [JSON.stringify({ ...options, port: broker.port })]);
  await once(load, 'message');
  let count = 0;
  let allowed = 0;
  let closing = false;
  const allow = (): void => {
    if (!closing && count + ahead > allowed) {
      allowed = count + ahead;
      load.send({ allowed });
    }
  };
  consumer.onCount((seen) => {
    count = seen;
    allow();
  });
  allow();
  await pass(WARMUP_SECONDS);
  const cpuSeconds = (): number[] => [consumer.pid, load.pid ?? 0, broker.pid].map(cpuSecondsOf);
  const before = cpuSeconds();
  const countBefore = count;
  const startedAt = performance.now();
  const memory: number[] = [];
  for (let second = 0; second < seconds; second++) {
    await pass(1);
    memory.push(residentMegabytesOf(consumer.pid));
  }
  const elapsed = (performance.now() - startedAt) / 1000;
  const handled = count - countBefore;
  const [measured, ofLoad, mosquitto] = cpuSeconds().map((after, i) => (after - before[i]) / elapsed);
  closing = true;
  await pass(1);
  const lost = allowed - count;
  await end(load);
  return {
    label: consumer.label,
    windowsPerSecond: handled / elapsed,
    cpu: { measured, load: ofLoad, mosquitto },
    memory,
    lost,
  };
}

/** Ends a child that ends when nobody listens to it. */
export async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
}

function pass(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
