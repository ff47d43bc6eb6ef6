import type { Clock, Timer } from '../shared/clock';
import { toEdgeError, type EdgeError } from '../shared/errors';
import type { Outbox } from './outbox-port';

const GATHER_MS = 50;
const BATCH = 512;
/** When a store that refused is asked again. */
const RETRY_MS = 1000;

/** Gathers what became of messages and writes it to the store in batches; what the store refuses stays gathered. */
export class SettlementBuffer {
  private removals = new Set<number>();
  private readonly attempts = new Map<number, number>();
  private writing: { removals: Set<number>; done: Promise<void> } | undefined;
  private timer: Timer | undefined;
  private closed = false;
  private refused = false;

  constructor(
    private readonly outbox: Pick<Outbox, 'settle'>,
    private readonly clock: Clock,
    private readonly failed: (error: EdgeError) => void,
  ) {}

  remove(sequence: number): void {
    this.removals.add(sequence);
    this.attempts.delete(sequence);
    this.schedule();
  }

  note(sequence: number, attempts: number): void {
    this.attempts.set(sequence, attempts);
    this.schedule();
  }

  /** Whether a message came to its end, also when its deletion is not on disk yet. */
  has(sequence: number): boolean {
    return this.removals.has(sequence) || (this.writing?.removals.has(sequence) ?? false);
  }

  /** Sequences whose deletion is not on disk yet. */
  pending(): number[] {
    return [...this.removals, ...(this.writing?.removals ?? [])];
  }

  /** Writes everything that was gathered until now; resolves also when the store refused. */
  async flush(): Promise<void> {
    await this.writing?.done;
    if (this.removals.size > 0 || this.attempts.size > 0) {
      await this.write();
    }
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
  }

  private schedule(): void {
    if (this.writing || this.closed) {
      return;
    }
    if (this.removals.size >= BATCH && !this.refused) {
      void this.write();
    } else {
      this.timer ??= this.clock.after(this.refused ? RETRY_MS : GATHER_MS, () => void this.write());
    }
  }

  private write(): Promise<void> {
    this.timer?.cancel();
    this.timer = undefined;
    if (this.writing) {
      return this.writing.done;
    }
    const removals = this.removals;
    const attempts = [...this.attempts];
    this.removals = new Set();
    this.attempts.clear();
    const done = this.outbox.settle({ remove: [...removals], attempts }).then(
      () => {
        this.writing = undefined;
        this.refused = false;
      },
      (thrown: unknown) => {
        this.writing = undefined;
        this.refused = true;
        removals.forEach((sequence) => this.removals.add(sequence));
        this.failed(toEdgeError(thrown, 'STORE'));
      },
    );
    this.writing = { removals, done };
    return done.then(() => {
      if (this.removals.size > 0 || this.attempts.size > 0) {
        this.schedule();
      }
    });
  }
}
