import { Worker, type Transferable } from 'node:worker_threads';
import { EdgeError, toEdgeError } from '../errors';
import { Calls } from './calls';
import { CLOSE, type WorkerAnswer, type WorkerMethods } from './protocol';

/** How long a thread may take to finish; Node-RED waits 15 s for a node to close. */
const GRACE_MS = 10_000;

export interface WorkerClientOptions {
  /** Shown in thread lists and in errors. */
  name: string;
  /** Handed to the worker as `workerData`. */
  data?: unknown;
  /** Called once if the thread dies by itself; calls that were under way are rejected first. */
  onDeath?: (error: EdgeError) => void;
  /** Memory for the thread's short-lived objects, MB; V8's own choice when undefined. */
  youngMB?: number;
  /** Lets the process end while the thread still runs: for work that nobody misses then. */
  background?: boolean;
}

/** Calls the methods of a worker thread made with {@link serveWorker}, in order. */
export class WorkerClient<M extends WorkerMethods> {
  private readonly worker: Worker;
  private readonly calls = new Calls<M>();
  private closing = false;
  private readonly ended: Promise<void>;

  /** @param script absolute path of the worker's compiled file. */
  constructor(
    script: string,
    private readonly options: WorkerClientOptions,
  ) {
    this.worker = new Worker(script, {
      workerData: options.data,
      name: options.name,
      // node:sqlite announces itself as experimental on some of the supported versions.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      ...(options.youngMB !== undefined && {
        resourceLimits: { maxYoungGenerationSizeMb: options.youngMB },
      }),
    });
    this.worker.on('message', (answer: WorkerAnswer) => this.calls.settle(answer));
    this.worker.on('error', (thrown: unknown) => this.die(`failed: ${toEdgeError(thrown).message}`));
    this.ended = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        this.die(`ended with code ${code}`);
        resolve();
      });
    });
    if (options.background) {
      this.worker.unref();
    }
  }

  /** Runs one method in the thread; rejects with its error, or `WORKER` if the thread is gone. */
  call<K extends keyof M & string>(
    method: K,
    argument: Parameters<M[K]>[0],
    transfer: Transferable[] = [],
  ): Promise<Awaited<ReturnType<M[K]>>> {
    return this.calls.make(method, argument, (call) => this.worker.postMessage(call, transfer));
  }

  /** Calls that have not been answered. */
  get pending(): number {
    return this.calls.pending;
  }

  /**
   * Lets the thread finish the calls it has and end by itself: to terminate one in the middle of native code can
   * abort the whole process. A thread that does not end in time is terminated all the same.
   */
  async close(): Promise<void> {
    this.closing = true;
    if (!this.calls.failed) {
      this.worker.postMessage(CLOSE);
      const overdue = setTimeout(() => void this.worker.terminate(), GRACE_MS);
      await this.ended;
      clearTimeout(overdue);
    }
  }

  /**
   * Ends the thread at once, in the middle of whatever it does; calls under way are rejected. Only for threads without
   * native code: see {@link WorkerClient.close}.
   */
  async terminate(): Promise<void> {
    this.closing = true;
    await this.worker.terminate();
    await this.ended;
  }

  private die(reason: string): void {
    if (this.calls.failed) {
      return;
    }
    const error = new EdgeError('WORKER', `The thread "${this.options.name}" ${reason}.`);
    this.calls.fail(error);
    if (!this.closing) {
      this.options.onDeath?.(error);
    }
  }
}
