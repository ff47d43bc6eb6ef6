import { EdgeError } from '../shared/errors';
import { parseJson, toJsonText, type Json } from '../crdt-state/json';
import { assertValue, type WriteOperation } from '../crdt-state/operations';
import type { Strategy } from '../crdt-state/strategies';
import { changesFor } from './changes';
import { parsePath, valueAt, withValueAt } from './property-path';

/** The replica, as far as a context store needs it. */
export interface ReplicatedKeys {
  peek(key: string): { exists: boolean; value: Json };
  peekKeys(prefix: string): string[];
  strategyOf(key: string): Strategy;
  /** Resolves when the write is on disk. */
  write(operation: WriteOperation, key: string, payload: unknown): Promise<unknown>;
}

export type GetCallback = (error?: unknown, ...values: unknown[]) => void;
export type SetCallback = (error?: unknown) => void;

/** A top-level name of a scope that was written and is not on disk yet; the flow sees it at once. */
interface Unsettled {
  /** Undefined when it was deleted. */
  text: string | undefined;
  writes: number;
}

/**
 * Node-RED's context over replicated keys, one for each top-level name: `global/<name>`, `flow/<flow id>/<name>`,
 * `node/<node id>:<flow id>/<name>`. Reading is synchronous; a write counts for the flow at once, and its callback
 * comes when it is on disk.
 */
export class ContextKeys {
  private readonly unsettled = new Map<string, Unsettled>();
  private readonly writing = new Set<Promise<unknown>>();

  /** @param failed is told of a write that failed when nobody waits for it */
  constructor(
    private readonly replica: ReplicatedKeys,
    private readonly failed: (key: string, error: unknown) => void,
  ) {}

  get(scope: string, key: string | string[], callback?: GetCallback): unknown {
    let values: unknown[];
    try {
      values = listOf(key).map((each) => this.read(scope, each));
    } catch (thrown) {
      if (!callback) {
        throw thrown;
      }
      callback(thrown);
      return undefined;
    }
    if (callback) {
      callback(undefined, ...values);
      return undefined;
    }
    return Array.isArray(key) ? values : values[0];
  }

  set(scope: string, key: string | string[], value: unknown, callback?: SetCallback): void {
    const keys = listOf(key);
    const values = Array.isArray(key) && Array.isArray(value) ? (value as unknown[]) : [value];
    let written: Promise<unknown>[];
    try {
      // As the memory store does: a name without a value is set to null.
      written = keys.map((each, index) =>
        this.assign(scope, each, index < values.length ? values[index] : null),
      );
    } catch (thrown) {
      if (!callback) {
        throw thrown;
      }
      callback(thrown);
      return;
    }
    Promise.all(written).then(
      () => callback?.(),
      (thrown: unknown) =>
        callback ? callback(thrown) : this.failed(`${prefixOf(scope)}${keys[0]}`, thrown),
    );
  }

  keys(scope: string, callback?: (error: unknown, names?: string[]) => void): string[] | undefined {
    let names: string[];
    try {
      const prefix = prefixOf(scope);
      const found = new Set(this.replica.peekKeys(prefix));
      for (const [key, { text }] of this.unsettled) {
        if (text === undefined) {
          found.delete(key);
        } else if (key.startsWith(prefix)) {
          found.add(key);
        }
      }
      names = [...found].map((key) => key.slice(prefix.length)).sort();
    } catch (thrown) {
      if (!callback) {
        throw thrown;
      }
      callback(thrown);
      return undefined;
    }
    if (callback) {
      callback(null, names);
      return undefined;
    }
    return names;
  }

  /** Deletes everything of a scope, on every gateway. */
  async delete(scope: string): Promise<void> {
    const names = this.keys(scope) ?? [];
    await Promise.all(names.map((name) => this.put(`${prefixOf(scope)}${name}`, undefined)));
  }

  /** Waits until everything that was written is on disk or has failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.writing);
  }

  private read(scope: string, key: string): Json | undefined {
    const [name, ...path] = parsePath(key);
    return valueAt(this.current(`${prefixOf(scope)}${name}`), path);
  }

  private assign(scope: string, key: string, value: unknown): Promise<unknown> {
    const [name, ...path] = parsePath(key);
    const replicated = `${prefixOf(scope)}${name}`;
    const whole = path.length === 0 ? value : withValueAt(this.current(replicated), path, value);
    return this.put(replicated, whole);
  }

  /** A copy of what the flow sees. */
  private current(key: string): Json | undefined {
    const unsettled = this.unsettled.get(key);
    if (unsettled) {
      return unsettled.text === undefined ? undefined : parseJson(unsettled.text);
    }
    const { exists, value } = this.replica.peek(key);
    return exists ? value : undefined;
  }

  private put(key: string, value: unknown): Promise<unknown> {
    const strategy = this.replica.strategyOf(key);
    let text: string | undefined;
    if (value !== undefined) {
      text = explained(key, () => {
        assertValue(strategy, key, value);
        return toJsonText(value);
      });
    }
    const after = text === undefined ? undefined : parseJson(text);
    const changes = changesFor(strategy, this.current(key), after);
    if (changes.length === 0) {
      return Promise.resolve();
    }
    const entry = this.unsettled.get(key) ?? { text, writes: 0 };
    entry.text = text;
    entry.writes++;
    this.unsettled.set(key, entry);
    const written = Promise.all(
      changes.map(({ operation, payload }) => this.replica.write(operation, key, payload)),
    ).finally(() => {
      this.writing.delete(written);
      entry.writes--;
      if (entry.writes === 0) {
        this.unsettled.delete(key);
      }
    });
    this.writing.add(written);
    return written;
  }
}

function listOf(key: string | string[]): string[] {
  return Array.isArray(key) ? key : [key];
}

/** What the keys of a scope begin with. */
function prefixOf(scope: string): string {
  return scope === 'global' ? 'global/' : `${scope.includes(':') ? 'node' : 'flow'}/${scope}/`;
}

/** The errors of a replica speak of a message's payload; here there is none. */
function explained<T>(key: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof EdgeError) {
      const message = thrown.message.replaceAll('msg.payload', 'The value').replace('Send a', 'Set a');
      throw new EdgeError(thrown.code, `Context "${key}": ${message}`, { key });
    }
    throw thrown;
  }
}
