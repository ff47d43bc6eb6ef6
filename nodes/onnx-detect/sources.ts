import { AlarmGate, type AlarmOptions } from '../shared/detection/alarm';
import type { RowValues } from './model/row-values';

const MAX_SOURCES = 10_000;
/** Values that may be remembered of all sources together: 128 MiB. */
const MAX_VALUES = 16 * 1024 * 1024;

/** What is remembered of each source, for so many of them; the one that was silent longest is forgotten first. */
export class Sources {
  private readonly gates: Recent<AlarmGate>;
  private readings: Recent<readonly RowValues[]>;

  constructor(
    private readonly node: string,
    private readonly alarm: AlarmOptions,
    private readonly limit = MAX_SOURCES,
  ) {
    this.gates = new Recent(limit);
    this.readings = new Recent(limit);
  }

  gate(source: string): AlarmGate {
    return (
      this.gates.get(source) ?? this.gates.set(source, new AlarmGate(`${this.node}:${source}`, this.alarm))
    );
  }

  /** The names of so many sources at most, those that were heard last. */
  names(most: number): string[] {
    return [...this.gates.keys()].slice(-most);
  }

  /** The last readings of a source, oldest first. */
  recent(source: string): readonly RowValues[] {
    return this.readings.get(source) ?? [];
  }

  setRecent(source: string, readings: readonly RowValues[]): void {
    this.readings.set(source, readings);
  }

  /**
   * Begins anew: readings of one model's features mean nothing to another.
   *
   * @param values that one source may be remembered with
   */
  forgetReadings(values: number): void {
    const fitting = Math.max(1, Math.floor(MAX_VALUES / Math.max(1, values)));
    this.readings = new Recent(Math.min(this.limit, fitting));
  }
}

/** A map that keeps the entries used most recently. */
class Recent<T> {
  private readonly entries = new Map<string, T>();

  constructor(private readonly limit: number) {}

  keys(): IterableIterator<string> {
    return this.entries.keys();
  }

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
