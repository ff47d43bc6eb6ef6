import type { Clock } from './clock';

/** Lets each kind of thing happen once in a while only. */
export class Seldom {
  private readonly happened = new Map<string, number>();

  /**
   * @param intervalMs how long one of a kind keeps the next from happening
   * @param mostKinds kinds that are remembered; with more, all are forgotten
   */
  constructor(
    private readonly clock: Clock,
    private readonly intervalMs: number,
    private readonly mostKinds: number,
  ) {}

  /** Whether it is time for one of this kind; when it is, it counts as having happened. */
  isDue(kind: string): boolean {
    const now = this.clock.monotonic();
    if (now - (this.happened.get(kind) ?? -Infinity) < this.intervalMs) {
      return false;
    }
    if (this.happened.size >= this.mostKinds) {
      this.happened.clear();
    }
    this.happened.set(kind, now);
    return true;
  }
}

/** For reports of faults, which may repeat many times a second. */
export function seldomReports(clock: Clock): Seldom {
  return new Seldom(clock, 10_000, 100);
}
