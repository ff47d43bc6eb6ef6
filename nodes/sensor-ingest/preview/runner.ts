import type { Clock, Timer } from '../../shared/clock';
import { EdgeError, toEdgeError } from '../../shared/errors';
import { OneAtATime } from '../../shared/one-at-a-time';
import type { PreviewRequest, PreviewResult } from './result';

/** A thread that makes previews. */
export interface PreviewThread {
  preview(request: PreviewRequest): Promise<PreviewResult>;
  /** Lets it end by itself. */
  close(): Promise<void>;
  /** Ends it in the middle of whatever it does. */
  terminate(): Promise<void>;
}

export interface RunnerOptions {
  clock: Clock;
  startThread(): PreviewThread;
  /** How long one preview may take, ms. */
  limitMs?: number;
  /** How long the thread is kept without work, ms. */
  idleMs?: number;
  /** How many previews may wait for the one under way. */
  maxWaiting?: number;
}

/**
 * Makes previews one after another in one thread, which is started when it is needed. What a person's schema, payload
 * and windows cost can be anything, and nothing of it may hold up the gateway: a preview that takes too long is ended
 * together with its thread.
 */
export class PreviewRunner {
  private readonly limitMs: number;
  private readonly idleMs: number;
  private readonly line: OneAtATime;
  private thread: PreviewThread | undefined;
  private idle: Timer | undefined;

  constructor(private readonly options: RunnerOptions) {
    ({ limitMs: this.limitMs = 5000, idleMs: this.idleMs = 30_000 } = options);
    this.line = new OneAtATime(options.maxWaiting);
  }

  /** Rejects with `BUSY`, `TIMEOUT`, `WORKER` or the preview's own error. */
  run(request: PreviewRequest): Promise<PreviewResult> {
    return this.line.run(async () => {
      this.idle?.cancel();
      try {
        return await this.inTime(request);
      } finally {
        this.idle = this.options.clock.after(this.idleMs, () => this.release());
      }
    });
  }

  private inTime(request: PreviewRequest): Promise<PreviewResult> {
    return new Promise((resolve, reject) => {
      const thread = (this.thread ??= this.options.startThread());
      const overdue = this.options.clock.after(this.limitMs, () => {
        this.thread = undefined;
        // Its preview is rejected with the thread's end, which no longer matters.
        thread.terminate().catch(() => undefined);
        reject(
          new EdgeError(
            'TIMEOUT',
            `The preview took more than ${this.limitMs / 1000} s and was stopped. Paste a shorter sample, or simplify the schema.`,
          ),
        );
      });
      thread
        .preview(request)
        .then(resolve, (thrown: unknown) => {
          const error = toEdgeError(thrown);
          if (error.code === 'WORKER' && this.thread === thread) {
            this.thread = undefined;
          }
          reject(error);
        })
        .finally(() => overdue.cancel());
    });
  }

  private release(): void {
    this.thread?.close().catch(() => undefined);
    this.thread = undefined;
  }
}
