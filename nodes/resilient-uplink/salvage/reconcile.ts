import { LossLedger, Tally, type LedgerRange } from '../loss-ledger';
import type { Ending } from '../outbox-port';

/** What was read of a damaged store: its messages and its accounts. */
export interface Found {
  /** Sequences of the messages that were read, ascending. */
  messages: Iterable<number>;
  /** Sequences of the dead letters that were read within a stretch, ascending. */
  deadLetters: (first: number, last: number) => Iterable<number>;
  /** Ranges of the ledger, in any order; they may overlap. */
  ranges: LedgerRange[];
  /** What is told in numbers only, up to a sequence (0 = nothing). */
  summary: { upTo: number; sums: (Ending & { messages: number })[] };
  /** The highest sequence that was given. */
  highest: number;
}

export interface Reconciled {
  ledger: LossLedger;
  /** Messages that are lost, as far as anybody knows. */
  corrupt: number;
  /** Messages whose end is not known any more, because its numbers were lost or contradict what was read. */
  unrecorded: number;
}

interface Stretch {
  first: number;
  last: number;
}

const CORRUPT: Ending = { fate: 'corrupt', connection: '' };
const REJECTED: Ending = { fate: 'rejected', connection: '' };
const UNRECORDED: Ending = { fate: 'unrecorded', connection: '' };

/**
 * Makes a ledger without a gap. A message that was read is pending, whatever the old ledger says of it; what the old
 * ledger knows keeps its end; a dead letter was rejected; the rest is corrupt.
 */
export function reconcile({ messages, deadLetters, ranges, summary, highest }: Found): Reconciled {
  // Numbers are kept of what lies before all ranges only.
  const upTo = Math.max(
    0,
    ranges.reduce((end, { first }) => Math.min(end, first - 1), Math.min(summary.upTo, highest)),
  );
  const tally = new Tally();
  const ledger = new LossLedger([], tally, upTo);
  const known = apart(ranges, upTo, highest);
  let corrupt = 0;
  let pendingBelow = 0;
  let index = 0;
  for (const gap of gapsIn(messages, upTo, highest, () => pendingBelow++)) {
    let next = gap.first;
    for (; index < known.length && known[index].first <= gap.last; index++) {
      const { first, last, fate, connection } = known[index];
      corrupt += recordUnknown(ledger, { first: next, last: first - 1 }, deadLetters);
      const from = Math.max(next, first);
      const to = Math.min(last, gap.last);
      if (from <= to) {
        ledger.record(from, to, { fate, connection });
        next = to + 1;
      }
      if (last > gap.last) {
        break;
      }
    }
    corrupt += recordUnknown(ledger, { first: next, last: gap.last }, deadLetters);
  }
  return { ledger, corrupt, unrecorded: summarise(tally, summary.sums, upTo - pendingBelow) };
}

/** Writes down what became of a stretch that the old ledger does not know; gives how many of it are lost. */
function recordUnknown(
  ledger: LossLedger,
  { first, last }: Stretch,
  deadLetters: (first: number, last: number) => Iterable<number>,
): number {
  let corrupt = 0;
  const lost = (from: number, to: number): void => {
    if (from <= to) {
      ledger.record(from, to, CORRUPT);
      corrupt += to - from + 1;
    }
  };
  let next = first;
  if (first <= last) {
    for (const letter of deadLetters(first, last)) {
      lost(next, letter - 1);
      ledger.record(letter, letter, REJECTED);
      next = letter + 1;
    }
  }
  lost(next, last);
  return corrupt;
}

/** Takes the sums over where they can be right; gives how many ended without a sum that tells how. */
function summarise(tally: Tally, sums: (Ending & { messages: number })[], ended: number): number {
  const told = sums.reduce((sum, { messages }) => sum + messages, 0);
  const plausible = told <= ended && sums.every(({ messages }) => messages >= 0);
  if (plausible) {
    sums.forEach((sum) => tally.add(sum, sum.messages));
  }
  const unrecorded = plausible ? ended - told : ended;
  if (unrecorded > 0) {
    tally.add(UNRECORDED, unrecorded);
  }
  return unrecorded;
}

/** Stretches above `upTo` without a message. */
function* gapsIn(
  messages: Iterable<number>,
  upTo: number,
  highest: number,
  onBelow: () => void,
): Generator<Stretch> {
  let next = upTo + 1;
  for (const sequence of messages) {
    if (sequence <= upTo) {
      onBelow();
      continue;
    }
    if (sequence > next) {
      yield { first: next, last: sequence - 1 };
    }
    next = sequence + 1;
  }
  if (next <= highest) {
    yield { first: next, last: highest };
  }
}

/** The ranges in order, cut so that none overlaps another. */
function apart(ranges: LedgerRange[], upTo: number, highest: number): LedgerRange[] {
  const cut: LedgerRange[] = [];
  let end = upTo;
  for (const range of [...ranges].sort((one, other) => one.first - other.first)) {
    const first = Math.max(range.first, end + 1);
    const last = Math.min(range.last, highest);
    if (first <= last) {
      cut.push({ ...range, first, last });
      end = last;
    }
  }
  return cut;
}
