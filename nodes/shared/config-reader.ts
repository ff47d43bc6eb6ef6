import { EdgeError } from './errors';

/** Bounds of a numeric property. */
export interface NumberRange {
  min?: number;
  max?: number;
  integer?: boolean;
}

/**
 * Reads a node's properties from a flow file, which may have been written by hand, by an older version or by a
 * stranger. Every method returns the fallback for an absent or empty property and throws `CONFIG` for one that
 * is there and wrong.
 */
export class ConfigReader {
  private readonly raw: Record<string, unknown>;

  constructor(raw: unknown) {
    this.raw = typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
  }

  text(name: string, fallback = ''): string {
    const value = this.value(name);
    if (value === undefined) {
      return fallback;
    }
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw invalidProperty(name, 'must be text');
    }
    return String(value).trim();
  }

  number(name: string, fallback: number, range: NumberRange = {}): number {
    return this.optionalNumber(name, range) ?? fallback;
  }

  optionalNumber(name: string, range: NumberRange = {}): number | undefined {
    const value = this.value(name);
    if (value === undefined) {
      return undefined;
    }
    const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : NaN;
    if (!Number.isFinite(number)) {
      throw invalidProperty(name, 'must be a number');
    }
    if (range.integer && !Number.isInteger(number)) {
      throw invalidProperty(name, 'must be a whole number');
    }
    if (range.min !== undefined && number < range.min) {
      throw invalidProperty(name, `must be at least ${range.min}`);
    }
    if (range.max !== undefined && number > range.max) {
      throw invalidProperty(name, `must be at most ${range.max}`);
    }
    return number;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.value(name);
    if (value === undefined) {
      return fallback;
    }
    if (typeof value === 'boolean') {
      return value;
    }
    if (value === 'true' || value === 'false') {
      return value === 'true';
    }
    throw invalidProperty(name, 'must be true or false');
  }

  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const value = this.text(name, fallback);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) {
      throw invalidProperty(name, `must be one of ${choices.join(', ')}`);
    }
    return found;
  }

  /** A list of texts; a single text counts as one entry a line or comma. Empty entries are dropped. */
  texts(name: string, fallback: readonly string[] = []): string[] {
    const value = this.value(name);
    if (value === undefined) {
      return [...fallback];
    }
    const entries: unknown[] = typeof value === 'string' ? value.split(/[\n,]/) : asArray(name, value);
    return entries
      .map((entry) => {
        if (typeof entry !== 'string' && typeof entry !== 'number') {
          throw invalidProperty(name, 'must be a list of texts');
        }
        return String(entry).trim();
      })
      .filter((entry) => entry !== '');
  }

  /** A list of objects, each read by its own reader. */
  list<T>(name: string, read: (entry: ConfigReader, index: number) => T): T[] {
    const value = this.value(name);
    return value === undefined
      ? []
      : asArray(name, value).map((entry, index) => read(new ConfigReader(entry), index));
  }

  private value(name: string): unknown {
    const value = Object.hasOwn(this.raw, name) ? this.raw[name] : undefined;
    return value === null || value === '' ? undefined : value;
  }
}

function asArray(name: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) {
    throw invalidProperty(name, 'must be a list');
  }
  return value as unknown[];
}

/** A property of a node that is there and wrong. */
export function invalidProperty(name: string, problem: string): EdgeError {
  return new EdgeError('CONFIG', `Property "${name}" ${problem}. Open the node and correct it.`, {
    property: name,
  });
}
