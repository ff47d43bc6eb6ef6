/** What a state that gateways share must hold, by what each of them has logged of its own writes. */

/** A write before it was sent into `crdt-state`; `amount` is of an increment. */
export interface SentWrite {
  number: number;
  operation: 'set' | 'increment';
  amount: number;
  key: string;
}

/** A line for a write that is about to be sent. Numbers of one gateway ascend. */
export const sentLine = ({ number, operation, amount, key }: SentWrite): string =>
  `sent\t${number}\t${operation}\t${amount}\t${key}\n`;

/** A line for a write that was acknowledged. */
export const doneLine = (number: number): string => `done\t${number}\n`;

/** Who wrote a value: part of every value that is set. */
export interface Signature {
  gateway: string;
  number: number;
}

interface Bounds {
  /** Acknowledged: the sum of increments, or the number of the last set. */
  done: number;
  /** The same of all that were sent, whose answers may be missing. */
  sent: number;
}

/** Knows the writes of all gateways up to when their logs were read. */
export class StateOracle {
  sent = 0;
  acknowledged = 0;
  private readonly counts = new Map<string, Bounds>();
  private readonly sets = new Map<string, Map<string, Bounds>>();

  /** @param logs by the name of the gateway */
  constructor(logs: ReadonlyMap<string, string>) {
    logs.forEach((log, gateway) => this.read(gateway, log));
  }

  get keys(): string[] {
    return [...this.counts.keys(), ...this.sets.keys()];
  }

  /** Keys that lack an acknowledged write, each with what it holds. */
  missing(state: Readonly<Record<string, unknown>>): Map<string, string> {
    const faults = new Map<string, string>();
    for (const [key, { done }] of this.counts) {
      if (done > 0 && !(numberAt(state, key) >= done)) {
        faults.set(key, `counts ${numberAt(state, key)}, acknowledged were ${done}`);
      }
    }
    for (const [key, writers] of this.sets) {
      const { gateway, number } = signatureAt(state, key);
      const acknowledged = [...writers.values()].some(({ done }) => done > 0);
      const last = writers.get(gateway)?.done ?? Infinity;
      // What another gateway wrote at the same time may have won, but never what its writer has replaced.
      if (acknowledged && !(number >= last)) {
        faults.set(key, `holds ${JSON.stringify(state[key])}, its writer’s last was ${last}`);
      }
    }
    return faults;
  }

  /** Keys that hold what nobody wrote. */
  invented(state: Readonly<Record<string, unknown>>): string[] {
    return Object.keys(state).filter((key) => {
      const count = this.counts.get(key);
      if (count) {
        return !(numberAt(state, key) <= count.sent);
      }
      const { gateway, number } = signatureAt(state, key);
      return !(number <= (this.sets.get(key)?.get(gateway)?.sent ?? -1));
    });
  }

  private read(gateway: string, log: string): void {
    const waiting = new Map<number, { bounds: Bounds; amount: number | undefined }>();
    // What comes after the last line end was not written whole.
    for (const line of log.split('\n').slice(0, -1)) {
      const [what, number, operation, amount, key] = line.split('\t');
      if (what === 'sent') {
        const counts = operation === 'increment';
        const bounds = counts ? entry(this.counts, key, nothing) : this.writer(key, gateway);
        bounds.sent = counts ? bounds.sent + Number(amount) : Number(number);
        waiting.set(Number(number), { bounds, amount: counts ? Number(amount) : undefined });
        this.sent++;
        continue;
      }
      const write = waiting.get(Number(number));
      if (write) {
        waiting.delete(Number(number));
        const { bounds, amount: counted } = write;
        bounds.done = counted === undefined ? Math.max(bounds.done, Number(number)) : bounds.done + counted;
        this.acknowledged++;
      }
    }
  }

  private writer(key: string, gateway: string): Bounds {
    return entry(
      entry(this.sets, key, () => new Map<string, Bounds>()),
      gateway,
      nothing,
    );
  }
}

const nothing = (): Bounds => ({ done: 0, sent: 0 });

function numberAt(state: Readonly<Record<string, unknown>>, key: string): number {
  return Number(state[key] ?? 0);
}

function signatureAt(state: Readonly<Record<string, unknown>>, key: string): Signature {
  const { gateway = '', number = NaN } = (state[key] ?? {}) as Partial<Signature>;
  return { gateway, number };
}

function entry<K, V>(map: Map<K, V>, key: K, fresh: () => V): V {
  const value = map.get(key) ?? fresh();
  map.set(key, value);
  return value;
}
