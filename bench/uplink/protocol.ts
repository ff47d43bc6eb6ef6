/** What the measured Node-RED is told to do, over IPC. */
export interface UplinkOrder {
  driver: 'uplink';
  /** Messages to send to the node; 0 = none but alerts. */
  count: number;
  /** Ends the sending before `count`; 0 = only the count does. */
  seconds: number;
  /** Messages a second; 0 = as fast as they are accepted. */
  rate: number;
  /** Messages that are not accepted yet, at most. */
  ahead: number;
  bytes: number;
  /** Live alerts a second, sent beside all else. */
  alerts: number;
  /** Waits until output 1 has sent so many messages in all since the process began; 0 = waits for acceptance only. */
  delivered: number;
}

export interface Quantiles {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

export interface UplinkFindings {
  /** Messages accepted in `acceptSeconds`: not the alerts that come while deliveries are waited for. */
  accepted: number;
  /** Seconds until the last acceptance of what was to be sent. */
  acceptSeconds: number;
  /** Messages out of output 1 while the order ran. */
  delivered: number;
  /** Seconds until all was over. */
  seconds: number;
  /** Message given to the node → accepted, ms. */
  acceptance: Quantiles;
  /** Accepted → out of output 1, ms: alerts where there were any, else all. */
  delivery: Quantiles;
  loopDelay: { p50: number; p99: number; max: number };
  /** CPU time of the main thread from one turn of a 1 ms timer to the next, ms. */
  loopBusy: Quantiles;
  residentMB: number;
  /** V8's heap of the main thread, and what it holds outside. */
  heapMB: number;
  externalMB: number;
  cpuMicros: number;
  errors: number;
}
