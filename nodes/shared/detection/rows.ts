import type { Emit } from '../edge-node';
import { EdgeError } from '../errors';
import type { Detection, EdgeMessage, Reading } from '../messages';
import { isBatch } from './payload';

/** One row to judge: a message's payload, or one entry of a batch. */
export interface Row {
  payload: unknown;
  reading: Reading | undefined;
  /** What detectors before this one found. */
  detections: readonly Detection[];
  source: string;
  /** Event time, else arrival time; ms since the epoch. */
  ts: number;
}

export interface RowSet {
  batch: boolean;
  rows: Row[];
}

/** Where a row goes, and what was found. Output 0 is "detected", 1 is "clear". */
export interface Verdict {
  output: 0 | 1;
  detection: Detection;
}

const MAX_BATCH_ROWS = 100_000;
const NONE: readonly Detection[] = [];

/** Reads the rows of a message, whether `sensor-ingest` sent it or a plain flow. */
export function rowsOf(msg: EdgeMessage, arrivedAt: number): RowSet {
  const topic = typeof msg.topic === 'string' ? msg.topic : '';
  if (!isBatch(msg.payload)) {
    return { batch: false, rows: [row(msg.payload, msg.reading, msg.detections, topic, arrivedAt)] };
  }
  if (msg.payload.length > MAX_BATCH_ROWS) {
    throw new EdgeError(
      'TOO_LARGE',
      `msg.payload is a batch of ${msg.payload.length} rows; send at most ${MAX_BATCH_ROWS} at once.`,
    );
  }
  const readings = Array.isArray(msg.reading) ? (msg.reading as unknown[]) : [];
  const detections = Array.isArray(msg.detections) ? (msg.detections as unknown[]) : [];
  // Not by map, which passes over the holes of a list.
  const rows = Array.from(msg.payload, (payload, index) =>
    row(payload, readings[index], detections[index], topic, arrivedAt),
  );
  return { batch: true, rows };
}

/**
 * Sends judged rows on. A single message passes through with its detection; a batch gives each output that has rows
 * one message with arrays of equal length, `detection[i].index` being the row's place in the input.
 */
export function sendVerdicts(msg: EdgeMessage, set: RowSet, verdicts: readonly Verdict[], emit: Emit): void {
  if (!set.batch) {
    const { output, detection } = verdicts[0];
    const detections = appended(set.rows[0].detections, detection);
    msg.detections = detections;
    msg.detection = leading(detections, detection);
    emit(output, msg);
    return;
  }
  for (const output of [0, 1] as const) {
    const chosen = verdicts.flatMap((verdict, index) => (verdict.output === output ? [index] : []));
    if (chosen.length === 0) {
      continue;
    }
    const lists = chosen.map((index) =>
      appended(set.rows[index].detections, { ...verdicts[index].detection, index }),
    );
    const out: EdgeMessage = {
      ...msg,
      payload: chosen.map((index) => set.rows[index].payload),
      detections: lists,
      detection: lists.map((list, at) => ({ ...leading(list, list[list.length - 1]), index: chosen[at] })),
    };
    if (set.rows.some(({ reading }) => reading)) {
      out.reading = chosen.map((index) => set.rows[index].reading ?? null);
    }
    emit(output, out);
  }
}

/** A longer list; one that is spread or pushed to takes the room of seventeen. */
function appended(earlier: readonly Detection[], own: Detection): Detection[] {
  switch (earlier.length) {
    case 0:
      return [own];
    case 1:
      return [earlier[0], own];
    default:
      return [...earlier, own];
  }
}

function leading(detections: readonly Detection[], own: Detection): Detection {
  for (const detection of detections) {
    if (detection.kind !== undefined) {
      return detection;
    }
  }
  return own;
}

function row(payload: unknown, reading: unknown, detections: unknown, topic: string, arrivedAt: number): Row {
  const known = isReading(reading) ? reading : undefined;
  return {
    payload,
    reading: known,
    detections: Array.isArray(detections) ? detectionsIn(detections) : NONE,
    source: known?.source ?? topic,
    ts: known?.ts ?? arrivedAt,
  };
}

function detectionsIn(list: unknown[]): readonly Detection[] {
  return list.length === 1 && isDetection(list[0]) ? [list[0]] : list.filter(isDetection);
}

function isReading(value: unknown): value is Reading {
  return (
    typeof value === 'object' &&
    value !== null &&
    'source' in value &&
    typeof value.source === 'string' &&
    'ts' in value &&
    Number.isFinite(value.ts)
  );
}

function isDetection(value: unknown): value is Detection {
  return typeof value === 'object' && value !== null && 'detector' in value;
}
