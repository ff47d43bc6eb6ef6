import type { Failure } from '../../shared/dialog/failure';

/** A scored reading as the dialog gets it; whether it was flagged, and whether maintenance forbade to. */
export type LivePoint = [
  ts: number,
  score: number,
  threshold: number | null,
  outcome: 'clear' | 'flagged' | 'suppressed',
];

/** Scores counted in bars of equal width. */
export interface Histogram {
  low: number;
  /** Width of a bar in scores. */
  step: number;
  /** Scores of readings that were not flagged, and of those that were, bar by bar. */
  normal: number[];
  flagged: number[];
}

/** A channel's part in the readings that were flagged lately. */
export interface TopChannel {
  channel: string;
  /** Mean share in those readings, 0 to 1. */
  share: number;
  /** In the latest of them that it had a part in; `value` is null where it was missing. */
  value: number | null;
  expected: number | null;
}

/** How far a forest is. */
export interface Progress {
  learning: boolean;
  learned: number;
  /** Readings until the first forest stands. */
  warmup: number;
  /** Undefined when none is taken. */
  reference?: { taken: number; length: number; complete: boolean };
}

/** Flagged readings, and how many episodes they make. */
export interface Flagged {
  readings: number;
  episodes: number;
}

/** What is known of the source that is looked at. */
export interface LiveSource {
  source: string;
  progress: Progress;
  /** The threshold now; null while there is none. */
  threshold: number | null;
  points: LivePoint[];
  flagged: Flagged;
  /** Undefined while there are no scores. */
  histogram?: Histogram;
  channels: TopChannel[];
  /** Flagged readings that the channels are taken from. */
  explained: number;
}

/** What a threshold that is tried would have flagged of the points. */
export interface Replay {
  /** Null when there are too few scores to set one. */
  limit: number | null;
  /** Places in the list of points. */
  marks: number[];
  flagged: Flagged;
}

/** Answer of both endpoints. */
export interface LiveAnswer {
  /** Sources to choose from, those flagged lately first. */
  sources: string[];
  /** Whether there are more than are listed. */
  more: boolean;
  /** Undefined while nothing has been received. */
  live?: LiveSource;
  replay?: Replay;
  /** Why the settings that are tried cannot be. */
  failure?: Failure;
}
