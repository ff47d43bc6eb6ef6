import assert from 'node:assert/strict';
import type { Pass, Sent } from './drive';

export const METHODS = ['deadband', 'swinging-door'] as const;
export type Method = (typeof METHODS)[number];
/** Percent of span. */
export const TOLERANCES = [0.5, 1, 2] as const;
/** min and max of each channel. */
export type Ranges = Map<string, { min: number; max: number }>;

/** Errors in percent of span, over all channels and readings. */
export class Errors {
  max = 0;
  squares = 0;
  compared = 0;
  /** Readings after the last point of a swinging door, whose line has no end yet. */
  open = 0;

  get rms(): number {
    return this.compared === 0 ? 0 : Math.sqrt(this.squares / this.compared);
  }

  add(error: number): void {
    this.max = Math.max(this.max, error);
    this.squares += error * error;
    this.compared++;
  }

  join(other: Errors): this {
    this.max = Math.max(this.max, other.max);
    this.squares += other.squares;
    this.compared += other.compared;
    this.open += other.open;
    return this;
  }
}

/**
 * Rebuilds every reading from the points kept alone, as a receiver does, and measures how far off it is: a deadband's
 * receiver holds the last value, a swinging door's draws lines. Fails when the bound is broken, or when the node
 * reported another error. A report comes with a point, so what a deadband has left out since its last point is held
 * against the bound, not against the report; and a swinging door says nothing about readings after its last point.
 *
 * @param spanOf span of a channel, or undefined where the error is relative to the value that is sent
 */
export function measure(
  { readings, kept, reportedError }: Pass,
  method: Method,
  limit: number,
  spanOf: (channel: string) => number | undefined,
): Errors {
  const errors = new Errors();
  const sent = new Map(kept.map((point) => [point.reading.seq, point]));
  const line = inOrder(readings).filter(({ reading }) => sent.has(reading.seq));
  const onLine = new Set(inOrder(readings));
  const lastSeq = line[line.length - 1].reading.seq;
  let told = 0;
  let next = 0;
  for (const reading of readings) {
    const { seq, ts } = reading.reading;
    if (!onLine.has(reading)) {
      // Older than one before it: sent as it is, and no part of any line.
      assert.deepEqual(sent.get(seq)?.payload, reading.payload);
      continue;
    }
    while (next < line.length && line[next].reading.seq < seq) {
      next++;
    }
    const exact = next < line.length && line[next].reading.seq === seq;
    const from = line[exact ? next : next - 1];
    const to = exact || method === 'deadband' ? from : (line[next] as Sent | undefined);
    if (!to) {
      errors.open++;
      continue;
    }
    const share = to === from ? 0 : (ts - from.reading.ts) / (to.reading.ts - from.reading.ts);
    for (const [channel, value] of Object.entries(reading.payload)) {
      const start = sent.get(from.reading.seq)?.payload[channel] ?? NaN;
      const end = sent.get(to.reading.seq)?.payload[channel] ?? NaN;
      const rebuilt = start + share * (end - start);
      const off = Math.abs(value - rebuilt);
      errors.add(off === 0 ? 0 : (100 * off) / (spanOf(channel) ?? Math.abs(rebuilt)));
    }
    if (seq <= lastSeq) {
      told = errors.max;
    }
  }
  assert.ok(errors.max <= limit * (1 + 1e-9), `the error is ${errors.max}, above the tolerance of ${limit}`);
  assert.ok(
    Math.abs(told - reportedError) <= 1e-9 * limit,
    `the error is ${told}, but the node reports ${reportedError}`,
  );
  return errors;
}

/** Without the readings that are older than one before them. */
function inOrder(readings: readonly Sent[]): Sent[] {
  let newest = -Infinity;
  return readings.filter(({ reading: { ts } }) => {
    const follows = ts >= newest;
    newest = Math.max(newest, ts);
    return follows;
  });
}
