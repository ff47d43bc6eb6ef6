import type { Contribution, Detection } from '../../shared/messages';
import type { IsoForestConfig } from '../config';
import { ScoreRing, type Outcome, type ScoredPoint } from './score-ring';

/** Readings that are remembered of a source with much room, and of any other. */
export const MUCH = 600;
export const LITTLE = 64;
/** Sources with much room. */
export const MOST_ROOMY = 32;
/** A source that was flagged or looked at keeps its room for so long at least, whoever else is flagged. */
export const SETTLED_MS = 60_000;
/** Sources that were flagged lately and are listed first. */
const MOST_FLAGGED = 200;
/** Flagged readings of a source, and channels of each, whose contributions are remembered. */
const MOST_EXPLAINED = 20;
const MOST_CHANNELS = 8;

/** What is remembered of a source. */
export interface SourceScores {
  ring: ScoreRing;
  /** Monotonic time at which it was last flagged or looked at. */
  wantedAt: number;
  /** Contributions of the latest flagged readings; only with much room. */
  explained: Contribution[][];
}

/**
 * The latest scores of every source, for somebody who opens the dialog.
 *
 * A gateway may have thousands of sources, each within 300 KB, and nobody looks at most of them. So each keeps its last
 * {@link LITTLE} readings (2.5 KB with all that JavaScript adds), enough to see something at once, and {@link MOST_ROOMY}
 * of them the last {@link MUCH} (13 KB): the first ones, which are all of a small site; then whichever is looked at or
 * flagged takes the room of the one that has been neither for longest. To keep a site on which everything is flagged from
 * moving room about at each reading, a flagged one takes no room that another was given in the last minute.
 */
export class ScoreLog {
  private readonly entries = new Map<string, SourceScores>();
  private readonly roomy = new Set<SourceScores>();
  /** Sources that were flagged, the latest last. */
  private readonly flagged = new Set<string>();

  /**
   * @param monotonic milliseconds that never go backwards
   * @param scale what the scores have been made with, as {@link scaleOf} tells
   */
  constructor(
    private readonly monotonic: () => number,
    readonly scale = '',
  ) {}

  /**
   * Takes a judged reading in; one that got no score is passed over. It runs on every reading.
   *
   * @param known what this returned for the source before, which spares looking it up; good until the source is gone
   */
  record(detection: Detection, known?: SourceScores): SourceScores | undefined {
    const { source, ts, score, threshold, status } = detection;
    if (score === null) {
      return known;
    }
    const entry = known ?? this.entries.get(source) ?? this.begin(source);
    const outcome = outcomeOf(status);
    if (outcome === 'flagged') {
      this.noteFlagged(detection, entry);
    }
    entry.ring.push(ts, score, threshold, outcome);
    return entry;
  }

  /** Somebody looks at a source: it is given much room from now on. */
  look(source: string): { points: ScoredPoint[]; explained: readonly Contribution[][] } {
    const entry = this.entries.get(source);
    if (!entry) {
      return { points: [], explained: [] };
    }
    this.want(entry, 0);
    return { points: entry.ring.points(), explained: entry.explained };
  }

  /** The sources that were flagged lately, the latest first. */
  flaggedLately(): string[] {
    return [...this.flagged].reverse();
  }

  /** Forgets the sources that are gone. */
  keepOnly(exists: (source: string) => boolean): void {
    for (const [source, entry] of this.entries) {
      if (!exists(source)) {
        this.entries.delete(source);
        this.roomy.delete(entry);
        this.flagged.delete(source);
      }
    }
  }

  /** Bytes of the rings. */
  get bytes(): number {
    let bytes = 0;
    for (const { ring } of this.entries.values()) {
      bytes += ring.bytes;
    }
    return bytes;
  }

  private begin(source: string): SourceScores {
    const hasRoom = this.roomy.size < MOST_ROOMY;
    const entry: SourceScores = {
      ring: new ScoreRing(hasRoom ? MUCH : LITTLE),
      wantedAt: -Infinity,
      explained: [],
    };
    if (hasRoom) {
      this.roomy.add(entry);
    }
    this.entries.set(source, entry);
    return entry;
  }

  private noteFlagged({ source, contributions }: Detection, entry: SourceScores): void {
    this.listFlagged(source);
    this.want(entry, SETTLED_MS);
    if (contributions && this.roomy.has(entry)) {
      entry.explained.push(contributions.slice(0, MOST_CHANNELS));
      if (entry.explained.length > MOST_EXPLAINED) {
        entry.explained.shift();
      }
    }
  }

  private listFlagged(source: string): void {
    this.flagged.delete(source);
    this.flagged.add(source);
    if (this.flagged.size > MOST_FLAGGED) {
      const [longestAgo] = this.flagged;
      this.flagged.delete(longestAgo);
    }
  }

  /** @param settledMs a source that was wanted within this time keeps its room */
  private want(entry: SourceScores, settledMs: number): void {
    const now = this.monotonic();
    entry.wantedAt = now;
    if (this.roomy.has(entry)) {
      return;
    }
    if (this.roomy.size >= MOST_ROOMY) {
      const [first, ...others] = this.roomy;
      const least = others.reduce((a, b) => (b.wantedAt < a.wantedAt ? b : a), first);
      if (least.wantedAt > now - settledMs) {
        return;
      }
      least.ring = least.ring.resized(LITTLE);
      least.explained = [];
      this.roomy.delete(least);
    }
    entry.ring = entry.ring.resized(MUCH);
    this.roomy.add(entry);
  }
}

/** What of a node's options makes its scores: those of another threshold can be compared, those of other trees cannot. */
export function scaleOf({ channels, scope, model, row }: IsoForestConfig): string {
  return JSON.stringify([channels, scope, { ...model, threshold: null }, row]);
}

function outcomeOf(status: Detection['status']): Outcome {
  if (status === 'MAINTENANCE_REQUIRED') {
    return 'flagged';
  }
  return status === 'SUPPRESSED' ? 'suppressed' : 'clear';
}
