import { Tally, type LossLedger } from './loss-ledger';
import type { Fate } from './outbox-port';

/** How many messages of a ledger have which fate; together they are all of its sequences. */
export interface LedgerCounts {
  /** By the connection that acknowledged them. */
  delivered: Record<string, number>;
  expired: number;
  evicted: number;
  rejected: number;
  corrupt: number;
  /** From before the ledger was kept. */
  unrecorded: number;
  /** Still stored, to be delivered. */
  pending: number;
}

export interface ReportedRange {
  from: number;
  to: number;
  /** `summarised`: several ranges of which only `counts` are told. */
  fate: Fate | 'pending' | 'summarised';
  /** Of delivered messages. */
  connection?: string;
  count: number;
  counts?: LedgerCounts;
}

/** What became of the messages `from` to `to` of a store: ranges without a gap. */
export interface LedgerReport {
  store: string;
  /** When the report was made, ms since the epoch. */
  at: number;
  from: number;
  to: number;
  /** The last sequence that was given; more than `to` when the report is one page of several. */
  last: number;
  ranges: ReportedRange[];
  counts: LedgerCounts;
}

export interface LedgerRequest {
  /** Begins there and ends after `maxRanges`; without it all is told, the oldest summarised. */
  from?: number;
  maxRanges: number;
}

/** Reports on the sequences of a ledger up to the `last` that was given. */
export function reportOf(
  ledger: LossLedger,
  last: number,
  { from, maxRanges }: LedgerRequest,
): Omit<LedgerReport, 'store' | 'at'> {
  const everything = rangesOf(ledger, last);
  const ranges = from === undefined ? newest(everything, maxRanges) : page(everything, from, maxRanges);
  return {
    from: ranges.at(0)?.from ?? Math.min(from ?? 1, last + 1),
    to: ranges.at(-1)?.to ?? last,
    last,
    ranges,
    counts: countsOf(ranges),
  };
}

function rangesOf(ledger: LossLedger, last: number): ReportedRange[] {
  const ranges: ReportedRange[] = [];
  if (ledger.summarisedTo > 0) {
    const counts = countsIn(ledger.summary, ledger.summarisedTo);
    ranges.push({ from: 1, to: ledger.summarisedTo, fate: 'summarised', count: ledger.summarisedTo, counts });
  }
  let next = ledger.summarisedTo + 1;
  const pendingUpTo = (to: number): void => {
    if (next <= to) {
      ranges.push({ from: next, to, fate: 'pending', count: to - next + 1 });
    }
  };
  for (const { first, last: to, fate, connection } of ledger.all()) {
    pendingUpTo(first - 1);
    const range: ReportedRange = { from: first, to, fate, count: to - first + 1 };
    ranges.push(fate === 'delivered' ? { ...range, connection } : range);
    next = to + 1;
  }
  pendingUpTo(last);
  return ranges;
}

/** All of it, with the oldest ranges made one when there are too many. */
function newest(ranges: ReportedRange[], most: number): ReportedRange[] {
  if (ranges.length <= most) {
    return ranges;
  }
  const head = ranges.slice(0, ranges.length - most + 1);
  const { to } = head[head.length - 1];
  return [
    { from: 1, to, fate: 'summarised', count: to, counts: countsOf(head) },
    ...ranges.slice(head.length),
  ];
}

/** A summarised range has no inside: a page that begins in it tells it whole. */
function page(ranges: ReportedRange[], from: number, most: number): ReportedRange[] {
  return ranges
    .filter(({ to }) => to >= from)
    .slice(0, most)
    .map((range) =>
      range.from < from && range.fate !== 'summarised'
        ? { ...range, from, count: range.to - from + 1 }
        : range,
    );
}

function countsOf(ranges: readonly ReportedRange[]): LedgerCounts {
  const counts = noCounts();
  const delivered = new Map<string, number>();
  for (const range of ranges) {
    if (range.counts) {
      for (const [connection, count] of Object.entries(range.counts.delivered)) {
        delivered.set(connection, (delivered.get(connection) ?? 0) + count);
      }
      for (const fate of PLAIN) {
        counts[fate] += range.counts[fate];
      }
    } else if (range.connection !== undefined) {
      delivered.set(range.connection, (delivered.get(range.connection) ?? 0) + range.count);
    } else {
      counts[range.fate as (typeof PLAIN)[number]] += range.count;
    }
  }
  return { ...counts, delivered: Object.fromEntries(delivered) };
}

function countsIn(tally: Tally, sequences: number): LedgerCounts {
  const counts = noCounts();
  const delivered: [string, number][] = [];
  for (const { fate, connection, count } of tally.all()) {
    if (fate === 'delivered') {
      delivered.push([connection, count]);
    } else {
      counts[fate] += count;
    }
  }
  return { ...counts, delivered: Object.fromEntries(delivered), pending: sequences - tally.total };
}

const PLAIN = ['expired', 'evicted', 'rejected', 'corrupt', 'unrecorded', 'pending'] as const;

function noCounts(): LedgerCounts {
  return { delivered: {}, expired: 0, evicted: 0, rejected: 0, corrupt: 0, unrecorded: 0, pending: 0 };
}
