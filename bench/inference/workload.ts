import { monitorEventLoopDelay } from 'node:perf_hooks';
import { SeededRandom } from '../../nodes/shared/random';
import type { Findings, Order } from './protocol';

/** Judges the rows of one message; resolves with the verdicts. */
export type Judge = (rows: number[][]) => Promise<void>;

/** Drives a model as an order says and measures from inside the process. */
export async function drive(order: Order, judge: Judge): Promise<Findings> {
  const random = new SeededRandom(1);
  const row = (): number[] => Array.from({ length: order.width }, () => random.next() * 2 - 1);
  const messages = Array.from({ length: 64 }, () =>
    Array.from({ length: order.kind === 'throughput' ? order.rows : 1 }, row),
  );
  // The first runs pay for memory and for the compiler.
  for (let i = 0; i < 50; i++) {
    await judge(messages[i % messages.length]);
  }
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const latencies: number[] = [];
  const started = performance.now();
  const end = started + order.seconds * 1000;
  let rows = 0;
  if (order.kind === 'throughput') {
    const lane = async (): Promise<void> => {
      for (let i = 0; performance.now() < end; i++) {
        const message = messages[i % messages.length];
        await judge(message);
        rows += message.length;
      }
    };
    await Promise.all(Array.from({ length: order.ahead }, lane));
  } else {
    for (let i = 0; performance.now() < end; i++) {
      const sent = performance.now();
      await judge(messages[i % messages.length]);
      latencies.push(performance.now() - sent);
      rows++;
      const due = started + ((i + 1) * 1000) / order.rate;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    }
  }
  const elapsed = (performance.now() - started) / 1000;
  loop.disable();
  const ms = (nanoseconds: number): number => nanoseconds / 1e6;
  return {
    rowsPerSecond: rows / elapsed,
    latencies,
    loopDelay: { p50: ms(loop.percentile(50)), p99: ms(loop.percentile(99)), max: ms(loop.max) },
  };
}
