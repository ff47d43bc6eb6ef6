import type { Clock, Timer } from '../shared/clock';

/** One timer a name. */
export class NamedTimers {
  private readonly timers = new Map<string, Timer>();
  private stopped = false;

  constructor(private readonly clock: Clock) {}

  /** Runs `action` in `delayMs`; replaces what was planned under the name. */
  set(name: string, delayMs: number, action: () => void): void {
    this.cancel(name);
    if (!this.stopped) {
      const timer = this.clock.after(delayMs, () => {
        this.timers.delete(name);
        action();
      });
      this.timers.set(name, timer);
    }
  }

  /** Like {@link NamedTimers.set}, but what was planned under the name stays. */
  setOnce(name: string, delayMs: number, action: () => void): void {
    if (!this.has(name)) {
      this.set(name, delayMs, action);
    }
  }

  has(name: string): boolean {
    return this.timers.has(name);
  }

  cancel(name: string): void {
    this.timers.get(name)?.cancel();
    this.timers.delete(name);
  }

  /** Cancels everything, for good. */
  stop(): void {
    this.stopped = true;
    for (const name of [...this.timers.keys()]) {
      this.cancel(name);
    }
  }
}
