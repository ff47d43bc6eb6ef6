/** What a measured process is asked to do, and what it found. */

export interface Throughput {
  kind: 'throughput';
  /** Rows of a message. */
  rows: number;
  /** Messages under way at a time. */
  ahead: number;
  seconds: number;
}

export interface Latency {
  kind: 'latency';
  /** Single readings a second. */
  rate: number;
  seconds: number;
}

export type Order = (Throughput | Latency) & { width: number };

export interface Findings {
  rowsPerSecond: number;
  /** From handing a reading over to its verdict, ms. */
  latencies: number[];
  /** How late the event loop ran its timers, ms. */
  loopDelay: { p50: number; p99: number; max: number };
}
