import type { EdgeError } from '../shared/errors';
import type { Reading } from '../shared/messages';
import type { RowReading } from './rows/row-reader';
import type { SourceEvent } from './sources';

/**
 * What the reduction of one source came to since the node started. Bytes are those of the payloads as JSON; `maxError`
 * is in the unit of the tolerance, the largest that was measured on a reading left out.
 */
export interface Reduction {
  pointsIn: number;
  pointsOut: number;
  bytesIn: number;
  bytesOut: number;
  maxError: number;
}

/** A reading to send: on output 1, or with `reduction` on output 2. */
export interface Outcome {
  payload: Record<string, number>;
  reading: Reading;
  reduction?: Reduction;
}

/** What became of a message. */
export interface Acceptance {
  /** Readings that were accepted: rows, and waveforms. */
  readings: number;
  /** Those of them that are known when they come again. */
  known: RowReading[];
  outcomes: Outcome[];
  /** Sources that this message brought back, or declared dead. */
  events: SourceEvent[];
  /** Set when some rows of a batch had come before, or found no room; `details.rows` are their places. */
  refused: EdgeError | undefined;
  /** Bytes of the payload as it came; of the readings as JSON when it came decoded. */
  bytesIn: number;
  /** Bytes of the readings that leave the gateway, as JSON: the reduced stream where there is one. */
  bytesOut: number;
  /** Where a Sparkplug edge node takes the command for a new birth, when one of its messages was missed. */
  rebirthTopic: string | undefined;
}

export function newAcceptance(): Acceptance {
  return {
    readings: 0,
    known: [],
    outcomes: [],
    events: [],
    refused: undefined,
    bytesIn: 0,
    bytesOut: 0,
    rebirthTopic: undefined,
  };
}
