import type { Clock, Timer } from '../nodes/shared/clock';

interface Due {
  at: number;
  order: number;
  action: (() => void) | undefined;
}

/** Time that passes only when it is told to; for thousands of simulated gateways with many timers. */
export class SimulatedTime implements Clock {
  /** Milliseconds since it began. */
  time = 0;
  private order = 0;
  /** A binary heap, the next one first. */
  private readonly heap: Due[] = [];

  now(): number {
    return Date.UTC(2026, 0, 1) + this.time;
  }

  monotonic(): number {
    return this.time;
  }

  after(delayMs: number, action: () => void): Timer {
    const due: Due = { at: this.time + Math.max(0, delayMs), order: this.order++, action };
    this.push(due);
    return { cancel: () => (due.action = undefined) };
  }

  /** Runs everything that falls due until then, in order. `between` runs after each. */
  async run(until: number, between?: () => Promise<void>): Promise<void> {
    for (let due = this.take(until); due; due = this.take(until)) {
      if (due.action) {
        due.action();
        await between?.();
      }
    }
    this.time = Math.max(this.time, until);
  }

  /** Lets time pass to the next that falls due until then, which is the caller's to run; undefined when nothing does. */
  protected take(until: number): Due | undefined {
    const due = this.heap.at(0);
    if (!due || due.at > until) {
      return undefined;
    }
    this.pop();
    this.time = Math.max(this.time, due.at);
    return due;
  }

  private push(due: Due): void {
    const { heap } = this;
    let at = heap.push(due) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && before(due, heap[parent]); parent = (at - 1) >> 1) {
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = due;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (!last || heap.length === 0) {
      return;
    }
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) {
        child++;
      }
      if (child >= heap.length || !before(heap[child], last)) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Due, b: Due): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
