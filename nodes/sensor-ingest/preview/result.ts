/** What the dialog and the runtime tell each other about a preview; both sides import it, so it imports types only. */
import type { Failure } from '../../shared/dialog/failure';

/**
 * How the payload of a sample is written: a text, bytes (as base64 or hex), or as `json` any other value. `json` also
 * knows NaN, Infinity and -Infinity, and is empty where there was no payload.
 */
export type Encoding = 'text' | 'base64' | 'hex' | 'json';

/** One message. */
export interface Sample {
  topic: string;
  /** Arrival time, ms since the epoch. */
  at: number;
  encoding: Encoding;
  payload: string;
}

/** What a node remembers of the messages that it received lately. */
export interface Recording {
  /** The topic whose messages are kept; null while none has come. */
  topic: string | null;
  /** Topics heard lately. */
  topics: string[];
  /** Oldest first. */
  samples: Sample[];
  /** Messages of the topic that came and are not among the samples, and why the last of them is not. */
  leftOut: { count: number; reason: string };
}

/** What to plot; what is not there gives way to the first that is. */
export interface PlotChoice {
  source?: string;
  channel?: string;
}

export interface PreviewRequest {
  /** The node's properties as the dialog shows them. */
  properties: unknown;
  samples: Sample[];
  plot: PlotChoice;
}

export interface ShownValue {
  channel: string;
  value: number;
  unit: string;
}

/** A reading, or the features of a window or waveform. */
export interface ShownReading {
  source: string;
  /** Event time, ms since the epoch. */
  ts: number;
  /** Whether `ts` is the time of arrival, as the message has no event time. */
  arrival: boolean;
  quality: 'good' | 'uncertain' | 'bad';
  /** The first of them. */
  values: ShownValue[];
  /** How many there are altogether. */
  channels: number;
  /** Times in ms since the epoch, `sampleRate` in Hz. */
  window?: { start: number; end: number; count: number; sampleRate?: number };
}

/** How far the first window of a source has come. Durations in ms. */
export type WindowProgress =
  | { kind: 'count'; rows: number; size: number }
  | { kind: 'time'; rows: number; span: number; size: number; lateness: number };

/** What became of the last sample. */
export interface LastSample {
  /** Arrival time, ms since the epoch. */
  at: number;
  failure?: Failure;
  /** The last reading of the message, as it is decoded. */
  reading?: ShownReading;
  /** How many readings the message holds. */
  readings: number;
  /** The latest complete window of its source, or the features of its waveform. */
  features?: ShownReading;
  /** Where windows are set and none is complete yet. */
  progress?: WindowProgress;
}

/** Samples that were refused for the same reason; `message` is the last one's. */
export interface Rejection {
  code: string;
  message: string;
  count: number;
}

/** Event time in ms since the epoch, value, and whether the reduced stream has the reading. */
export type PlotPoint = [ts: number, value: number, kept: boolean];

/** One channel of one source over the last readings. */
export interface Plot {
  source: string;
  sources: string[];
  channel: string;
  channels: string[];
  unit: string;
  /** By event time. */
  points: PlotPoint[];
  /** What the reduction came to over all samples, where there is one. */
  reduction?: {
    pointsIn: number;
    pointsOut: number;
    bytesIn: number;
    bytesOut: number;
    maxError: number;
    tolerance: number;
    percent: boolean;
  };
}

export interface PreviewResult {
  /** A configuration that cannot work; nothing was tried then. */
  failure?: Failure;
  samples: number;
  /** The most frequent first. */
  rejections: Rejection[];
  last?: LastSample;
  plot?: Plot;
}

/** What the endpoint answers: the result and, where the samples are a node's recording, what that holds. */
export interface PreviewAnswer extends PreviewResult {
  recording?: Pick<Recording, 'topic' | 'topics' | 'leftOut'> & { count: number; newest?: Sample };
}
