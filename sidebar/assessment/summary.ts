import type { Assessment } from '../../assess/assessment';
import type { SettingResult } from '../../assess/reduction';

/** What the sidebar shows of an assessment. */
export interface Summary {
  messagesPerSecond: number;
  bytesPerDay: number;
  best: (Pick<SettingResult, 'kind' | 'tolerance' | 'maxError'> & { share: number }) | null;
  /** Paths of fields that look like personal data, the first of them. */
  personal: string[];
  personalCount: number;
  /** Of one core. */
  load: number;
  sources: number;
  carries: boolean;
  /** Null when it never pays back. */
  months: number | null;
  downtimeCounted: boolean;
}

/** Where a recording stands. */
export type JobState =
  | { phase: 'idle' }
  | { phase: 'capturing'; node: string; began: number; ends: number; messages: number; leftOut: number }
  | { phase: 'working' }
  | { phase: 'ready'; origin: string; at: number; summary: Summary }
  | { phase: 'failed'; message: string };

const MOST_PATHS = 8;

export function summaryOf({ traffic, best, personal, capacity, money, assumptions }: Assessment): Summary {
  return {
    messagesPerSecond: traffic.messagesPerSecond,
    bytesPerDay: traffic.bytesPerDay,
    best: best && {
      ...{ kind: best.kind, tolerance: best.tolerance, maxError: best.maxError },
      share: best.bytesOut / Math.max(1, best.bytesIn),
    },
    personal: personal.slice(0, MOST_PATHS).map(({ path }) => path),
    personalCount: personal.length,
    ...{ load: capacity.load, sources: capacity.sources, carries: capacity.carries },
    months: money.cases[0].months,
    downtimeCounted: assumptions.some(({ name, value }) => name === 'downtimePerHour' && value > 0),
  };
}
