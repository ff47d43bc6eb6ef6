import { fork, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { EdgeError } from '../errors';
import { Calls } from './calls';
import type { WorkerAnswer, WorkerMethods } from './protocol';

/** How often a child's memory is looked at, ms. */
const WATCH_MS = 25;
/** What of a child's last words is kept, in characters. */
const LAST_WORDS = 400;

export interface ProcessClientOptions {
  /** What the process is for, in errors. */
  name: string;
  /** Resident memory that it may take, in bytes; watched on Linux only. */
  memoryLimit: number;
}

/** Why a child process is no more. */
export interface ProcessEnd {
  /** `memory`: it took more than it may; `signal`: it was killed, or crashed; `exit`: it ended by itself. */
  kind: 'memory' | 'signal' | 'exit';
  text: string;
}

/** Calls the methods of a child process made with `serveProcess`. What happens to it happens to nobody else. */
export class ProcessClient<M extends WorkerMethods> {
  ended: ProcessEnd | undefined;
  private readonly child: ChildProcess;
  private readonly calls = new Calls<M>();
  private lastWords = '';
  private overLimit = false;
  private readonly watch: NodeJS.Timeout;
  /** In the middle of native code a child would not notice that nobody listens any more. */
  private readonly onExit = (): void => void this.child.kill('SIGKILL');

  /** @param script absolute path of the compiled file */
  constructor(
    script: string,
    private readonly options: ProcessClientOptions,
  ) {
    this.child = fork(script, [], {
      serialization: 'advanced',
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.on('data', (text: Buffer) => {
      this.lastWords = (this.lastWords + text.toString()).slice(-LAST_WORDS);
    });
    this.child.on('message', (answer) => this.calls.settle(answer as WorkerAnswer));
    this.child.on('error', (error) => this.end({ kind: 'exit', text: error.message }));
    this.child.on('exit', (code, signal) =>
      this.end({
        kind: this.overLimit ? 'memory' : signal ? 'signal' : 'exit',
        text: signal ?? `exit code ${code ?? ''}`,
      }),
    );
    this.watch = setInterval(() => void this.checkMemory(), WATCH_MS);
    this.watch.unref();
    process.once('exit', this.onExit);
  }

  /** Runs one method; rejects with its error, or `WORKER` if the process is gone. */
  call<K extends keyof M & string>(
    method: K,
    argument: Parameters<M[K]>[0],
  ): Promise<Awaited<ReturnType<M[K]>>> {
    return this.calls.make(method, argument, (call) => {
      this.child.send(call, (error) => {
        if (error) {
          this.end({ kind: 'exit', text: error.message });
        }
      });
    });
  }

  /** Ends the process at once, whatever it does. */
  kill(): void {
    clearInterval(this.watch);
    this.child.kill('SIGKILL');
  }

  private end(how: ProcessEnd): void {
    if (this.ended) {
      return;
    }
    clearInterval(this.watch);
    process.off('exit', this.onExit);
    const words = this.lastWords.trim();
    this.ended = { ...how, text: words ? `${how.text}: ${words}` : how.text };
    this.calls.fail(new EdgeError('WORKER', `The process "${this.options.name}" ended: ${this.ended.text}.`));
  }

  private async checkMemory(): Promise<void> {
    try {
      const status = await readFile(`/proc/${this.child.pid ?? 0}/status`, 'utf8');
      const resident = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
      if (resident > this.options.memoryLimit) {
        this.overLimit = true;
        this.kill();
      }
    } catch {
      // Not Linux, or the process is gone.
    }
  }
}
