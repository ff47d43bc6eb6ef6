import type { RowSpan } from './forest/sub-sample';
import { RowWindow } from './forest/row-window';
import { ApartScores } from './apart-scores';
import { ProvenRows, type ProvenState } from './proven-rows';
import type { GrowthSchedule } from './schedule';

/** How far beyond the commissioned values of a feature a row may lie to count as proven, in their range. */
const REACH = 0.5;

export interface ReferenceState {
  /** Learned rows when the commissioned rows were complete. */
  at: number;
  rows: Float32Array;
  /** Null where nothing may be added. */
  proven: ProvenState | null;
}

/**
 * The rows that stay the measure: those that were commissioned, for good, and those that have proven themselves since:
 * learned `history` rows ago, when nothing was flagged, and within reach of the commissioned ones. So the machine's summer
 * is learned, but no fault that has lasted less than the history, and none that creeps beyond the reach.
 */
export class Reference {
  readonly commissioned: RowWindow;
  readonly at: number;
  readonly apart: ApartScores;
  /** Trees grown from it. */
  grown = 0;
  private readonly proven: ProvenRows | undefined;
  private readonly bounds: { low: number; high: number }[];
  private readonly candidate: Float32Array;

  /**
   * @param history rows after which one has proven itself, and the most of them that are kept
   * @param pace of its first forest (`replacing`) and of the trees that replace those later (`renewing`)
   */
  constructor(
    width: number,
    private readonly history: number,
    private readonly pace: Pick<GrowthSchedule, 'replacing' | 'renewing'>,
    { at, rows, proven }: ReferenceState,
  ) {
    const length = rows.length / width;
    this.commissioned = RowWindow.from(width, length, rows, 0);
    this.at = at;
    this.apart = new ApartScores(length);
    this.candidate = new Float32Array(width);
    if (proven) {
      this.proven = new ProvenRows(width, history, pace.renewing.span, proven);
    }
    this.bounds = Array.from({ length: width }, (_, feature) => reach(this.commissioned, feature));
  }

  get bytes(): number {
    return this.commissioned.bytes + this.apart.bytes + (this.proven?.bytes ?? 0);
  }

  state(): ReferenceState {
    const { at, commissioned, proven } = this;
    return { at, rows: commissioned.copy(0, commissioned.count), proven: proven?.state() ?? null };
  }

  /** Called after each learned row: takes in the row that has proven itself now, or in its place a commissioned one. */
  learned(window: RowWindow): void {
    const { proven, commissioned, candidate } = this;
    const position = window.count - 1 - this.history - this.at;
    if (!proven || position < 0 || !proven.wants(position)) {
      return;
    }
    window.read(Math.max(position + this.at, window.first), candidate);
    if (!this.reaches(candidate)) {
      commissioned.read(position % commissioned.count, candidate);
    }
    proven.add(position, candidate);
  }

  /** How many trees of the first forest are due once so many rows are learned; may be more than there are. */
  settledBy(learned: number): number {
    return this.pace.replacing.dueBy(learned - this.at);
  }

  /** How many trees are due once so many rows are learned, without those before it stands. */
  renewedBy(learned: number): number {
    return this.proven ? Math.max(0, this.pace.renewing.dueBy(learned - this.ripe)) : 0;
  }

  /** The rows from which the tree with this number (from 1) is grown. */
  spans(tree: number, trees: number): RowSpan[] {
    const spans: RowSpan[] = [{ window: this.commissioned, from: 0, to: this.commissioned.count }];
    if (tree > trees) {
      const born = this.ripe + this.pace.renewing.dueAt(tree - trees);
      const proven = this.proven?.span(born - this.history - this.at);
      spans.push(...(proven ? [proven] : []));
    }
    return spans;
  }

  /** Learned rows from which trees are renewed: when rows have proven themselves, and the first forest stands. */
  private get ripe(): number {
    return this.at + Math.max(this.history, this.pace.replacing.span);
  }

  /** Whether no value of a row lies further beyond the commissioned ones than their range allows. */
  reaches(row: Float32Array): boolean {
    // A missing value is no reason against a row.
    return !this.bounds.some(({ low, high }, feature) => row[feature] < low || row[feature] > high);
  }
}

function reach(rows: RowWindow, feature: number): { low: number; high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (let index = rows.first; index < rows.count; index++) {
    const value = rows.value(index, feature);
    low = Math.min(low, value === value ? value : low);
    high = Math.max(high, value === value ? value : high);
  }
  const beyond = high > low ? REACH * (high - low) : 0;
  return { low: low - beyond, high: high + beyond };
}
