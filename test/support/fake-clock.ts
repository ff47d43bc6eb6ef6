import type { Clock, Timer } from '../../nodes/shared/clock';

interface Pending {
  at: number;
  order: number;
  action: () => void;
}

/** A clock that stands still until it is told to advance; its wall clock can be set apart from its monotonic one. */
export class FakeClock implements Clock {
  private time = 0;
  private order = 0;
  private readonly pending = new Set<Pending>();

  constructor(private wall = Date.UTC(2026, 0, 1)) {}

  now(): number {
    return this.wall;
  }

  monotonic(): number {
    return this.time;
  }

  after(delayMs: number, action: () => void): Timer {
    const entry: Pending = { at: this.time + Math.max(0, delayMs), order: this.order++, action };
    this.pending.add(entry);
    return { cancel: () => this.pending.delete(entry) };
  }

  /** Sets the wall clock forth or back, as an operator or a time server does; no time passes. */
  jump(ms: number): void {
    this.wall += ms;
  }

  /** Lets time pass, running what falls due in order; what the actions await runs in between. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const [next] = [...this.pending]
        .filter(({ at }) => at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order);
      if (!(next as Pending | undefined)) {
        break;
      }
      this.wall += next.at - this.time;
      this.time = next.at;
      this.pending.delete(next);
      next.action();
      await settle();
    }
    this.wall += end - this.time;
    this.time = end;
    await settle();
  }
}

/** Lets everything run that waits for promises. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
