import type { NodeMessage } from 'node-red';

/** Quality of a reading: `uncertain` and `bad` readings pass, marked, and move no window. */
export type Quality = 'good' | 'uncertain' | 'bad';

/** The window that features were computed from; times in ms since the epoch, `sampleRate` in Hz. */
export interface Window {
  start: number;
  end: number;
  count: number;
  sampleRate?: number;
}

/** What identifies a reading. `ts` is its event time in ms since the epoch. */
export interface Reading {
  id: string;
  source: string;
  ts: number;
  seq: number;
  quality: Quality;
  window?: Window;
}

export type DetectionStatus = 'MAINTENANCE_REQUIRED' | 'OPERATIONAL' | 'LEARNING' | 'SUPPRESSED';
export type DetectionKind = 'KNOWN_FAILURE' | 'NOVEL_ANOMALY';

/** How much one channel added to a score; the shares of a detection sum to 1. */
export interface Contribution {
  channel: string;
  value: number;
  expected?: number;
  share: number;
}

/** What decided: a model's name, version and SHA-256, or a forest's. */
export interface ModelIdentity {
  name: string;
  version: string;
  digest: string;
}

/** One unbroken time above the threshold. */
export interface Episode {
  id: string;
  phase: 'start' | 'ongoing' | 'end';
  start: number;
}

/** A detector's verdict on one reading. Higher `score` is worse; detected when `score >= threshold`. */
export interface Detection {
  detector: 'onnx-detect' | 'iso-forest';
  node: string;
  status: DetectionStatus;
  kind?: DetectionKind;
  score: number | null;
  threshold: number | null;
  episode?: Episode;
  label?: string;
  probabilities?: Record<string, number>;
  outputs?: Record<string, unknown>;
  contributions?: Contribution[];
  model?: ModelIdentity;
  /** What a candidate model said of it, and whether it would have decided the same. */
  shadow?: { score: number; agrees: boolean; model: ModelIdentity };
  /** Said once, of the reading with which a state that lasts was taken for a new normal: the source is learned anew. */
  regime?: 'new';
  source: string;
  ts: number;
  latencyMs: number;
  /** The row's place in a batch. */
  index?: number;
}

/** The error that a refused message carries. */
export interface MessageError {
  message: string;
  code: string;
  source: { id: string; type: string; name: string };
  details?: Record<string, unknown>;
}

/** A message as the suite's nodes read and write it. Anything may be missing or of another type. */
export interface EdgeMessage extends NodeMessage {
  _msgid: string;
}
