/** The methods a worker serves: one argument in, one value or promise out, all structured-cloneable. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the argument's type is each worker's own
export type WorkerMethods = Record<string, (argument: any) => unknown>;

export interface WorkerCall {
  id: number;
  method: string;
  argument: unknown;
}

/** Asks the thread to finish what it has begun and end. */
export const CLOSE = 'close' as const;

export interface WorkerAnswer {
  id: number;
  value?: unknown;
  error?: { code: string; message: string; details?: Record<string, unknown> };
}
