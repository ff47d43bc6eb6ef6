import type { Random } from '../../nodes/shared/random';

/** A write as a test sends it. */
export interface Write {
  topic: string;
  operation: 'set' | 'increment' | 'add';
  payload: unknown;
}

interface Promised {
  /** Sent, whether or not an answer came. */
  sent: number;
  /** Acknowledged. */
  done: number;
}

/**
 * Knows from outside of the processes which writes were acknowledged, and what a state must therefore hold: no
 * acknowledged write may be missing, and nothing may be there that nobody wrote. A write whose answer never came may
 * or may not have happened.
 */
export class WriteOracle {
  acknowledged = 0;
  private readonly counts = new Map<string, Promised>();
  private readonly elements = new Map<string, { sent: Set<string>; done: Set<string> }>();
  /** The last number that each writer wrote to a key. */
  private readonly numbers = new Map<string, Map<string, Promised>>();
  private next = 0;

  constructor(private readonly random: Random) {}

  /** A write for a writer to send, of a strategy at random, and what to call when it is acknowledged. */
  write(writer: string): { write: Write; done: () => void } {
    const number = ++this.next;
    switch (this.random.int(4)) {
      case 0:
        return this.count('count/parts', 1 + this.random.int(9));
      case 1:
        return this.add('set/seen', `${writer} ${number}`);
      case 2:
        return this.set(`own/${writer}`, writer, number);
      default:
        return this.set('shared/setpoint', writer, number);
    }
  }

  count(topic: string, amount: number): { write: Write; done: () => void } {
    const promised = entry(this.counts, topic, () => ({ sent: 0, done: 0 }));
    promised.sent += amount;
    return {
      write: { topic, operation: 'increment', payload: amount },
      done: () => {
        promised.done += amount;
        this.acknowledged++;
      },
    };
  }

  add(topic: string, element: string): { write: Write; done: () => void } {
    const promised = entry(this.elements, topic, () => ({
      sent: new Set<string>(),
      done: new Set<string>(),
    }));
    promised.sent.add(element);
    return {
      write: { topic, operation: 'add', payload: element },
      done: () => {
        promised.done.add(element);
        this.acknowledged++;
      },
    };
  }

  /** A writer's numbers must ascend. */
  set(topic: string, writer: string, number: number): { write: Write; done: () => void } {
    const writers = entry(this.numbers, topic, () => new Map<string, Promised>());
    const promised = entry(writers, writer, () => ({ sent: 0, done: 0 }));
    promised.sent = number;
    return {
      write: { topic, operation: 'set', payload: { writer, number } },
      done: () => {
        promised.done = Math.max(promised.done, number);
        this.acknowledged++;
      },
    };
  }

  /** What is wrong with a state that all gateways have agreed on. */
  faults(state: Record<string, unknown>): string[] {
    const faults: string[] = [];
    for (const [key, { sent, done }] of this.counts) {
      const value = Number(state[key] ?? 0);
      if (!(value >= done && value <= sent)) {
        faults.push(`${key} is ${value}: ${done} was acknowledged and ${sent} sent`);
      }
    }
    for (const [key, { sent, done }] of this.elements) {
      const held = new Set((state[key] ?? []) as string[]);
      const lost = [...done].filter((element) => !held.has(element));
      const invented = [...held].filter((element) => !sent.has(element));
      if (lost.length + invented.length > 0) {
        faults.push(`${key} lacks ${JSON.stringify(lost)} and has invented ${JSON.stringify(invented)}`);
      }
    }
    for (const [key, writers] of this.numbers) {
      const { writer, number } = (state[key] ?? {}) as { writer?: string; number?: number };
      const last = writers.get(writer ?? '') ?? { sent: 0, done: 0 };
      const some = [...writers.values()].some(({ done }) => done > 0);
      if (some && !(number !== undefined && number >= last.done && number <= last.sent)) {
        faults.push(
          `${key} is ${JSON.stringify(state[key])}: that writer's last acknowledged write was ${last.done} of ${last.sent}`,
        );
      }
    }
    return faults;
  }
}

function entry<K, V>(map: Map<K, V>, key: K, fresh: () => V): V {
  const value = map.get(key) ?? fresh();
  map.set(key, value);
  return value;
}
