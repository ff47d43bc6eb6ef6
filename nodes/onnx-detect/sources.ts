import { AlarmGate, type AlarmOptions } from '../shared/detection/alarm';

const MAX_SOURCES = 10_000;

/** What is remembered of each source, for so many of them; the one that was silent longest is forgotten first. */
export class Sources {
  private readonly gates: Recent<AlarmGate>;
  private lastValues: Recent<ArrayLike<number>>;

  constructor(
    private readonly node: string,
    private readonly alarm: AlarmOptions,
    private readonly limit = MAX_SOURCES,
  ) {
    this.gates = new Recent(limit);
    this.lastValues = new Recent(limit);
  }

  gate(source: string): AlarmGate {
    return (
      this.gates.get(source) ?? this.gates.set(source, new AlarmGate(`${this.node}:${source}`, this.alarm))
    );
  }

  last(source: string): ArrayLike<number> | undefined {
    return this.lastValues.get(source);
  }

  setLast(source: string, values: ArrayLike<number>): void {
    this.lastValues.set(source, values);
  }

  /** Values of one model's features mean nothing to another. */
  forgetValues(): void {
    this.lastValues = new Recent(this.limit);
  }
}

/** A map that keeps the entries used most recently. */
class Recent<T> {
  private readonly entries = new Map<string, T>();

  constructor(private readonly limit: number) {}

  get(key: string): T | undefined {
    const value = this.entries.get(key);
    if (value !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }

  set(key: string, value: T): T {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.limit) {
      for (const oldest of this.entries.keys()) {
        this.entries.delete(oldest);
        break;
      }
    }
    return value;
  }
}
