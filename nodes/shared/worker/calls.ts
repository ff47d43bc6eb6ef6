import { EdgeError } from '../errors';
import type { WorkerAnswer, WorkerCall, WorkerMethods } from './protocol';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: EdgeError): void;
}

/** Calls of a thread's or a process's methods that have not been answered. */
export class Calls<M extends WorkerMethods> {
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;
  private failure: EdgeError | undefined;

  /** How many wait. */
  get pending(): number {
    return this.waiting.size;
  }

  /** Whether the other side is gone. */
  get failed(): boolean {
    return this.failure !== undefined;
  }

  /** @param send hands the call to the other side */
  make<K extends keyof M & string>(
    method: K,
    argument: Parameters<M[K]>[0],
    send: (call: WorkerCall) => void,
  ): Promise<Awaited<ReturnType<M[K]>>> {
    if (this.failure) {
      return Promise.reject(this.failure);
    }
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      send({ id, method, argument });
    });
  }

  settle({ id, value, error }: WorkerAnswer): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) {
      waiting?.reject(new EdgeError(error.code, error.message, error.details));
    } else {
      waiting?.resolve(value);
    }
  }

  /** Rejects what waits and what comes. */
  fail(error: EdgeError): void {
    this.failure ??= error;
    for (const waiting of this.waiting.values()) {
      waiting.reject(error);
    }
    this.waiting.clear();
  }
}
