/** What the driver in Node-RED is asked for. */
export interface FleetOrder {
  sources: number;
  channels: number;
  /** Readings of each source in this phase. */
  readings: number;
  /** Readings a second of each source; 0 = as fast as it goes, in batches of one source. */
  rate: number;
}

export interface FleetFindings {
  readings: number;
  seconds: number;
  /** Of the whole process, threads included, µs a reading. */
  cpuMicros: number;
  /** Busy share of Node-RED's own thread. */
  busy: number;
  loopDelay: { p50: number; p99: number; max: number };
  /** The longest that the driver was behind its pace, ms. */
  behind: number;
  residentMB: number;
  /** What Node-RED's own thread holds after a garbage collection. */
  heldMB: number;
  flagged: number;
}
