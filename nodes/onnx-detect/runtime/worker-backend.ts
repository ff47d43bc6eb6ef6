import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { EdgeError, toEdgeError } from '../../shared/errors';
import { WorkerClient } from '../../shared/worker/worker-client';
import type { InferenceBackend, InferenceSession, LoadOptions, SessionInfo, TensorData } from './backend';
import type { OnnxMethods } from './onnx-methods';

export interface WorkerBackendOptions {
  /** How many threads at most; default one less than the machine has, up to four. */
  threads?: number;
  /** The runtime's module name. */
  module?: string;
}

interface Thread {
  client: WorkerClient<OnnxMethods>;
  sessions: Set<WorkerSession>;
}

/**
 * onnxruntime-node in worker threads: its `run` is synchronous inside a `setImmediate`, which in the main thread
 * would stop every flow for as long as a model takes. A session lives in one thread, the one with the fewest; a
 * thread ends with its last session, which gives all of its memory back.
 */
export class WorkerBackend implements InferenceBackend {
  private readonly threads: Thread[] = [];
  private readonly limit: number;
  private readonly module: string;
  private nextSession = 1;

  constructor(options: WorkerBackendOptions = {}) {
    this.limit = options.threads ?? Math.max(1, Math.min(4, availableParallelism() - 1));
    this.module = options.module ?? 'onnxruntime-node';
  }

  async load(bytes: Uint8Array<ArrayBuffer>, { providers }: LoadOptions): Promise<InferenceSession> {
    const thread = this.pick();
    const session: WorkerSession = new WorkerSession(this.nextSession++, thread.client, () =>
      this.drop(thread, session),
    );
    thread.sessions.add(session);
    try {
      session.info = await thread.client.call('load', { session: session.id, bytes, providers }, [
        bytes.buffer,
      ]);
      return session;
    } catch (thrown) {
      await this.drop(thread, session);
      throw toEdgeError(thrown);
    }
  }

  /** Threads that run now. */
  get running(): number {
    return this.threads.length;
  }

  private pick(): Thread {
    const idlest = this.threads.reduce<Thread | undefined>(
      (best, thread) => (best && best.sessions.size <= thread.sessions.size ? best : thread),
      undefined,
    );
    if (idlest && this.threads.length >= this.limit) {
      return idlest;
    }
    const sessions = new Set<WorkerSession>();
    const client = new WorkerClient<OnnxMethods>(join(__dirname, 'onnx-worker.js'), {
      name: 'edge-onnx',
      data: { module: this.module },
      onDeath: () => {
        this.forget(thread);
        for (const session of sessions) {
          session.lose();
        }
      },
    });
    const thread: Thread = { client, sessions };
    this.threads.push(thread);
    return thread;
  }

  private async drop(thread: Thread, session: WorkerSession): Promise<void> {
    if (!thread.sessions.delete(session) || session.lost) {
      return;
    }
    if (thread.sessions.size === 0) {
      this.forget(thread);
      await thread.client.close();
    } else {
      await thread.client.call('release', { session: session.id });
    }
  }

  private forget(thread: Thread): void {
    const at = this.threads.indexOf(thread);
    if (at >= 0) {
      this.threads.splice(at, 1);
    }
  }
}

class WorkerSession implements InferenceSession {
  info: SessionInfo = { inputs: [], outputs: [], provider: '' };
  lost = false;
  private readonly listeners: (() => void)[] = [];

  constructor(
    readonly id: number,
    private readonly client: WorkerClient<OnnxMethods>,
    readonly release: () => Promise<void>,
  ) {}

  run(feeds: Record<string, TensorData>): Promise<Record<string, TensorData>> {
    if (this.lost) {
      return Promise.reject(new EdgeError('WORKER', 'The inference thread has ended.'));
    }
    const transfer = Object.values(feeds).flatMap(({ data }) =>
      Array.isArray(data) || !(data.buffer instanceof ArrayBuffer) ? [] : [data.buffer],
    );
    return this.client.call('run', { session: this.id, feeds }, transfer);
  }

  onLost(listener: () => void): void {
    this.listeners.push(listener);
  }

  lose(): void {
    this.lost = true;
    for (const listener of this.listeners) {
      listener();
    }
  }
}
