import { EdgeError } from '../errors';

const MAX_SOURCES = 10_000;

/** Which sources are under maintenance: nothing of theirs is flagged or learned. */
export class MaintenanceMode {
  /** End of maintenance by source, ms since the epoch; the empty name stands for all. */
  private readonly until = new Map<string, number>();

  /**
   * Applies `msg.operation = "maintenance"`.
   *
   * @param source the source, or empty for all of them
   * @param payload `{on: boolean, until?: ms since the epoch}`
   * @throws EdgeError `PAYLOAD`
   */
  apply(source: string, payload: unknown): void {
    const { on, until } =
      typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
    if (typeof on !== 'boolean' || (until !== undefined && until !== null && !Number.isFinite(until))) {
      throw new EdgeError(
        'PAYLOAD',
        'For msg.operation "maintenance", msg.payload must be {on: true or false, until?: milliseconds since 1970}.',
      );
    }
    if (!on) {
      if (source === '') {
        this.until.clear();
      } else {
        this.until.delete(source);
      }
      return;
    }
    if (this.until.size >= MAX_SOURCES && !this.until.has(source)) {
      throw new EdgeError(
        'SOURCE_LIMIT',
        `More than ${MAX_SOURCES} sources under maintenance; end some first.`,
      );
    }
    this.until.set(source, typeof until === 'number' ? until : Infinity);
  }

  /** @param now ms since the epoch */
  covers(source: string, now: number): boolean {
    return this.until.size > 0 && (this.runs('', now) || this.runs(source, now));
  }

  private runs(source: string, now: number): boolean {
    const end = this.until.get(source);
    if (end === undefined) {
      return false;
    }
    if (now < end) {
      return true;
    }
    this.until.delete(source);
    return false;
  }
}
