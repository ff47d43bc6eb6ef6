import { EdgeError } from '../errors';

const MAX_SOURCES = 10_000;
/** A report lists so many. */
const MOST_REPORTED = 20;
const LONGEST_TEXT = 200;

/** What is under maintenance, and who wanted it so. */
export interface Maintenance {
  /** Empty for all sources of the node. */
  source: string;
  /** When it began and when it ends, ms since the epoch; `until` is null when only somebody ends it. */
  since: number;
  until: number | null;
  by?: string;
  reason?: string;
}

/** What a node tells of its maintenance in `/edge/status`. */
export interface MaintenanceReport {
  /** The whole node first, then sources, the latest first. */
  maintenance: Maintenance[];
  /** How many are not listed; absent for none. */
  moreMaintenance?: number;
}

/** What a detector offers to whoever looks after its machines. */
export interface MaintainedNode {
  maintenance: MaintenanceMode;
  /** Sources that were heard, `most` of them at most. */
  heardSources(most: number): string[];
}

/** Which sources are under maintenance: nothing of theirs is flagged or learned. */
export class MaintenanceMode {
  /** By source; the empty name stands for all. */
  private readonly running = new Map<string, Maintenance>();

  /**
   * Applies `msg.operation = "maintenance"`.
   *
   * @param source the source, or empty for all of them
   * @param payload `{on: boolean, until?: ms since the epoch, by?: string, reason?: string}`
   * @param now ms since the epoch
   * @throws EdgeError `PAYLOAD`, `SOURCE_LIMIT`
   */
  apply(source: string, payload: unknown, now: number): void {
    const { on, until, by, reason } =
      typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
    if (typeof on !== 'boolean' || (until !== undefined && until !== null && !Number.isFinite(until))) {
      throw new EdgeError(
        'PAYLOAD',
        'For msg.operation "maintenance", msg.payload must be {on: true or false, until?: milliseconds since 1970}.',
      );
    }
    if (!isShortText(by) || !isShortText(reason)) {
      throw new EdgeError(
        'PAYLOAD',
        `For msg.operation "maintenance", "by" and "reason" in msg.payload must be texts of at most ${LONGEST_TEXT} characters.`,
      );
    }
    if (!on) {
      if (source === '') {
        this.running.clear();
      } else {
        this.end(source);
      }
      return;
    }
    if (this.running.size >= MAX_SOURCES && !this.running.has(source)) {
      this.forgetEnded(now);
    }
    if (this.running.size >= MAX_SOURCES && !this.running.has(source)) {
      throw new EdgeError(
        'SOURCE_LIMIT',
        `More than ${MAX_SOURCES} sources under maintenance; end some first.`,
      );
    }
    this.running.delete(source);
    this.running.set(source, {
      source,
      since: now,
      until: typeof until === 'number' ? until : null,
      ...(by && { by }),
      ...(reason && { reason }),
    });
  }

  /** Ends what was begun for this source, or with the empty name for all of them; sources on their own go on. */
  end(source: string): void {
    this.running.delete(source);
  }

  /** @param now ms since the epoch */
  covers(source: string, now: number): boolean {
    return this.running.size > 0 && this.of(source, now) !== undefined;
  }

  /** What a source is under: that of its own, else that of all. */
  of(source: string, now: number): Maintenance | undefined {
    return this.current(source, now) ?? this.current('', now);
  }

  report(now: number): MaintenanceReport {
    this.forgetEnded(now);
    const sources = [...this.running.values()].filter(({ source }) => source !== '').reverse();
    const whole = this.running.get('');
    const all = whole ? [whole, ...sources] : sources;
    const more = all.length - MOST_REPORTED;
    return { maintenance: all.slice(0, MOST_REPORTED), ...(more > 0 && { moreMaintenance: more }) };
  }

  private current(source: string, now: number): Maintenance | undefined {
    const found = this.running.get(source);
    if (found && hasEnded(found, now)) {
      this.running.delete(source);
      return undefined;
    }
    return found;
  }

  private forgetEnded(now: number): void {
    for (const [source, maintenance] of this.running) {
      if (hasEnded(maintenance, now)) {
        this.running.delete(source);
      }
    }
  }
}

function hasEnded({ until }: Maintenance, now: number): boolean {
  return until !== null && now >= until;
}

function isShortText(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || (typeof value === 'string' && value.length <= LONGEST_TEXT);
}
