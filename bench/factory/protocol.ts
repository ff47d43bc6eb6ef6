import type { Incident } from './plan';

/** The two kinds of traffic: JSON readings, and raw windows of vibration. */
export const STREAMS = ['telemetry', 'waves'] as const;
export type Stream = (typeof STREAMS)[number];
export type PerStream = Record<Stream, number>;

export interface LoadOptions {
  port: number;
  machines: number;
  seed: number;
  waveQos: 0 | 1;
  /**
   * Each machine publishes a reading and a window in turn, with the machine's own time in the reading: the same messages in
   * the same order in every run, whatever the pace.
   */
  lockstep: boolean;
  /** Machines whose readings are kept from when machines may break, for the comparison with what the cloud received. */
  kept: number;
}

/** What the load is told over IPC. */
export type LoadOrder =
  /** How many messages of each stream may have been sent in all: what is on its way stays bounded. */
  | { kind: 'allow'; allowed: PerStream }
  /** Send at these rates until so many have been sent in all; a rate of 0 is as fast as it goes. */
  | { kind: 'send'; rates: PerStream; until: PerStream }
  /** From here on machines break and change, and this many seconds of theirs are planned. */
  | { kind: 'break'; seconds: number; perSecond: number }
  /** Say when a window was published. */
  | { kind: 'when'; machine: number; seq: number; ask: number }
  /** Give out the readings that were kept. */
  | { kind: 'kept' };

/** An incident as it was played; times in ms since the epoch, with microseconds. */
export interface Played extends Incident {
  beganAt: number;
  /** When its effects were over, and what a detector may take to say so. */
  overAt?: number;
}

/** A reading that was published: what a receiver of the reduced stream is measured against. */
export interface KeptReading {
  topic: string;
  payload: Record<string, number>;
}

export type LoadReport =
  | { kind: 'ready' }
  | { kind: 'state'; sent: PerStream; bytes: PerStream; acknowledged: number; loopBehindMs: number }
  | { kind: 'began'; incident: Played }
  | { kind: 'over'; id: number; at: number }
  | { kind: 'when'; ask: number; at: number }
  | { kind: 'kept'; readings: KeptReading[] };

/** What the node that watches from inside the measured Node-RED is told. */
export type ProbeOrder = { probe: 'begin' | 'end' | 'still' } | { probe: 'profile'; ms: number };

/** What it says by itself, many times a second. */
export interface ProbeCount {
  handled: PerStream;
  stored: number;
  queued: number;
  rejected: number;
}

/** Event-loop delay in ms. */
export interface LoopDelay {
  p50: number;
  p99: number;
  max: number;
}

/** CPU time of the main thread by stage, in µs, while the profiler ran. */
export interface StageProfile {
  micros: Record<string, number>;
  handled: PerStream;
  seconds: number;
}

/** A clock with microseconds that all processes of one computer share, in ms since the epoch. */
export const now = (): number => performance.timeOrigin + performance.now();

/** 5 TB a day in windows of 4 KiB. */
export const ARTICLE_WINDOWS_PER_SECOND = 5e12 / 86_400 / 4096;
/** Lines that the machines are split over; each gateway takes whole lines, by a topic filter each. */
export const LINES = 4;

export const topicOf = (machine: number, id: string, stream: Stream): string =>
  `line${1 + (machine % LINES)}/${id}/${stream === 'waves' ? 'vibration' : 'telemetry'}`;
