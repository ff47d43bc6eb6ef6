import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../shared/clock';
import { EdgeError, toEdgeError } from '../../shared/errors';
import type { Addressed, ReaderOrder, ReaderReport } from './protocol';

/** How long a thread without work is kept, ms: a deployment ends all readers and starts them again. */
const IDLE_MS = 30_000;
/** Beside the main thread; each takes some 15 MB. */
const MOST_THREADS = 4;
/** What a thread receives lies outside its heap: with V8's own size so much of it piles up that it collects everything twice a second. */
const YOUNG_MB = 8;

/** What a node hears of its reader. */
export interface ReaderListener {
  report(report: ReaderReport): void;
  /** The thread has ended by itself, and the reader with it. */
  died(error: EdgeError): void;
}

/** A node's way to its reader. */
export interface ReaderLink {
  order(order: ReaderOrder): void;
  /** Forgets the reader, once it has closed. */
  release(): void;
}

/** The threads in which readers work: as many as the machine has cores beside one, each for several nodes if need be. */
export class ReadingThreads {
  private threads: ReadingThread[] = [];

  /** @param script absolute path of the compiled file that a thread runs */
  constructor(
    private readonly clock: Clock,
    private readonly most = Math.max(1, Math.min(MOST_THREADS, availableParallelism() - 1)),
    private readonly script = join(__dirname, 'reading-thread.js'),
  ) {}

  /** A link to a new reader, which waits for the order to `open`. */
  attach(listener: ReaderListener): ReaderLink {
    return this.thread().attach(listener);
  }

  private thread(): ReadingThread {
    const [least] = [...this.threads].sort((a, b) => a.readers - b.readers) as (ReadingThread | undefined)[];
    if (least && (least.readers === 0 || this.threads.length >= this.most)) {
      return least;
    }
    const started = new ReadingThread(this.script, this.clock, () => {
      this.threads = this.threads.filter((thread) => thread !== started);
    });
    this.threads.push(started);
    return started;
  }
}

class ReadingThread {
  private readonly worker: Worker;
  private readonly listeners = new Map<number, ReaderListener>();
  private next = 1;
  private idle: Timer | undefined;

  /** @param gone told once that no more readers can be attached */
  constructor(
    script: string,
    private readonly clock: Clock,
    private readonly gone: () => void,
  ) {
    this.worker = new Worker(script, {
      name: 'sensor-ingest',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.worker.on('message', ({ reader, content }: Addressed<ReaderReport>) =>
      this.listeners.get(reader)?.report(content),
    );
    this.worker.on('error', (thrown: unknown) => this.die(`failed: ${toEdgeError(thrown).message}`));
    this.worker.on('exit', (code) => this.die(`ended with code ${code}`));
    // It keeps no process alive.
    this.worker.unref();
  }

  get readers(): number {
    return this.listeners.size;
  }

  attach(listener: ReaderListener): ReaderLink {
    const reader = this.next++;
    this.idle?.cancel();
    this.listeners.set(reader, listener);
    return {
      order: (content) => {
        if (this.listeners.has(reader)) {
          this.worker.postMessage({ reader, content } satisfies Addressed<ReaderOrder>);
        }
      },
      release: () => {
        if (this.listeners.delete(reader) && this.listeners.size === 0) {
          this.idle = this.clock.after(IDLE_MS, () => this.end());
        }
      },
    };
  }

  private end(): void {
    this.gone();
    this.worker.terminate().catch(() => undefined);
  }

  private die(reason: string): void {
    this.gone();
    this.idle?.cancel();
    const listeners = [...this.listeners.values()];
    this.listeners.clear();
    listeners.forEach((listener) =>
      listener.died(new EdgeError('WORKER', `The thread that reads from brokers ${reason}.`)),
    );
  }
}
