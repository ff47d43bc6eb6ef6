/** A channel by time, strictly forward. */
export interface Curve {
  ts: number[];
  x: number[];
}

/** A point that a method sends: at the time of a sample, with its value or a computed one. */
export interface Knot {
  at: number;
  value: number;
}

/** A channel and how far off it may be. */
export interface Bounded {
  curve: Curve;
  tolerance: number;
}

/** Slopes that keep every sample so far within the tolerance. */
interface Doors {
  low: number;
  high: number;
}

const OPEN: Doors = { low: -Infinity, high: Infinity };

/**
 * The fewest straight lines, not even joined, that pass within `tolerance` of every sample: no method that sends
 * points of steps or lines can do with fewer points. Greedy, which is optimal when lines need not join; samples i < j
 * can lie on one line when its slope is within 2 · tolerance / (tj − ti) of theirs, and so for all pairs (Helly).
 *
 * @param bounded channels that share their times and the ends of their lines
 */
export function fewestLines(bounded: readonly Bounded[]): number {
  const { length } = bounded[0].curve.ts;
  let lines = 0;
  for (let start = 0; start < length; lines++) {
    const doors = bounded.map(() => ({ ...OPEN }));
    let end = start + 1;
    while (end < length && bounded.every((channel, index) => extend(channel, start, end, doors[index]))) {
      end++;
    }
    start = end;
  }
  return lines;
}

function extend({ curve: { ts, x }, tolerance }: Bounded, start: number, end: number, doors: Doors): boolean {
  for (let i = start; i < end; i++) {
    const time = ts[end] - ts[i];
    doors.low = Math.max(doors.low, (x[end] - x[i] - 2 * tolerance) / time);
    doors.high = Math.min(doors.high, (x[end] - x[i] + 2 * tolerance) / time);
  }
  return doors.low <= doors.high;
}

/**
 * Bristol's doors as they are commonly built: hung on both sides of the anchor, which is a sample; when they open beyond
 * parallel, the sample before is sent. There is some line that is within the tolerance then, but not the one sent.
 */
export function bristol({ curve: { ts, x }, tolerance }: Bounded): Knot[] {
  const knots: Knot[] = [{ at: 0, value: x[0] }];
  let anchor = 0;
  let doors = OPEN;
  for (let i = 1; i < x.length; i++) {
    doors = narrow(doors, x[i] - x[anchor], ts[i] - ts[anchor], tolerance);
    if (doors.low > doors.high) {
      anchor = i - 1;
      knots.push({ at: anchor, value: x[anchor] });
      doors = narrow(OPEN, x[i] - x[anchor], ts[i] - ts[anchor], tolerance);
    }
  }
  return knots;
}

/**
 * Swing filter (Elmeleegy et al., VLDB 2009): goes on while any line from the last point fits all samples, and sends a
 * computed end, the nearest to the last sample on such a line. Same bound as the node's door, which sends measured values.
 */
export function swing({ curve: { ts, x }, tolerance }: Bounded): Knot[] {
  let anchor: Knot = { at: 0, value: x[0] };
  const knots = [anchor];
  let doors = OPEN;
  const close = (at: number): void => {
    const time = ts[at] - ts[anchor.at];
    const slope = Math.min(doors.high, Math.max(doors.low, (x[at] - anchor.value) / time));
    anchor = { at, value: anchor.value + slope * time };
    knots.push(anchor);
  };
  for (let i = 1; i < x.length; i++) {
    let narrowed = narrow(doors, x[i] - anchor.value, ts[i] - ts[anchor.at], tolerance);
    if (narrowed.low > narrowed.high) {
      close(i - 1);
      narrowed = narrow(OPEN, x[i] - anchor.value, ts[i] - ts[anchor.at], tolerance);
    }
    doors = narrowed;
  }
  close(x.length - 1);
  return knots;
}

function narrow({ low, high }: Doors, rise: number, time: number, tolerance: number): Doors {
  return {
    low: Math.max(low, (rise - tolerance) / time),
    high: Math.min(high, (rise + tolerance) / time),
  };
}

/** The largest error of the lines between the points sent. */
export function largestError({ ts, x }: Curve, knots: readonly Knot[]): number {
  let largest = 0;
  for (let k = 1; k < knots.length; k++) {
    const [from, to] = [knots[k - 1], knots[k]];
    for (let i = from.at; i <= to.at; i++) {
      const share = (ts[i] - ts[from.at]) / (ts[to.at] - ts[from.at]);
      largest = Math.max(largest, Math.abs(from.value + share * (to.value - from.value) - x[i]));
    }
  }
  return largest;
}
