import type { Timer } from '../../nodes/shared/clock';
import { SimulatedTime } from '../simulated-time';

/** Simulated time that goes on a whole millisecond at a time. */
export class SteppedTime extends SimulatedTime {
  override after(delayMs: number, action: () => void): Timer {
    return super.after(Math.ceil(delayMs), action);
  }

  /** Lets time pass until `end`; what a millisecond's actions await runs before the next one. */
  async runUntil(end: number): Promise<void> {
    for (let first = this.take(end); first; first = this.take(end)) {
      for (let due: typeof first | undefined = first; due; due = this.take(this.time)) {
        due.action?.();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.time = end;
  }
}
