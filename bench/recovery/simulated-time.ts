import type { Clock, Timer } from '../../nodes/shared/clock';

interface Due {
  at: number;
  order: number;
  action: (() => void) | undefined;
}

/** A clock for thousands of simulated gateways: a heap of what is due, a millisecond at a time. */
export class SimulatedTime implements Clock {
  private time = 0;
  private order = 0;
  private readonly heap: Due[] = [];

  now(): number {
    return Date.UTC(2026, 0, 1) + this.time;
  }

  monotonic(): number {
    return this.time;
  }

  after(delayMs: number, action: () => void): Timer {
    const due: Due = { at: this.time + Math.max(0, Math.ceil(delayMs)), order: this.order++, action };
    this.push(due);
    return {
      cancel: () => {
        due.action = undefined;
      },
    };
  }

  /** Lets time pass until `end`; what a millisecond's actions await runs before the next one. */
  async runUntil(end: number): Promise<void> {
    while (this.heap.length > 0 && this.heap[0].at <= end) {
      this.time = this.heap[0].at;
      while (this.heap.length > 0 && this.heap[0].at === this.time) {
        this.pop().action?.();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.time = end;
  }

  private push(due: Due): void {
    const { heap } = this;
    let place = heap.push(due) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(due, heap[parent])) {
        break;
      }
      heap[place] = heap[parent];
      place = parent;
    }
    heap[place] = due;
  }

  private pop(): Due {
    const { heap } = this;
    const [first] = heap;
    const last = heap.pop() as Due;
    if (heap.length > 0) {
      let place = 0;
      for (;;) {
        let child = 2 * place + 1;
        if (child >= heap.length) {
          break;
        }
        if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) {
          child++;
        }
        if (!isBefore(heap[child], last)) {
          break;
        }
        heap[place] = heap[child];
        place = child;
      }
      heap[place] = last;
    }
    return first;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
