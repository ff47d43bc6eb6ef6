import type { Clock, Timer } from '../shared/clock';
import { toEdgeError, type EdgeError } from '../shared/errors';
import type { Ending, Outbox, Refusal, Removal } from './outbox-port';

const GATHER_MS = 50;
const BATCH = 512;
/** When a store that refused is asked again. */
const RETRY_MS = 1000;

/** How a message came to its end. */
export interface Settled extends Ending {
  refusal?: Refusal;
}

/** Gathers what became of messages and writes it to the store in batches; what the store refuses stays gathered. */
export class SettlementBuffer {
  private removals = new Map<number, Settled>();
  private readonly attempts = new Map<number, number>();
  private writing: { removals: Map<number, Settled>; done: Promise<void> } | undefined;
  private timer: Timer | undefined;
  private closed = false;
  private refused = false;

  constructor(
    private readonly outbox: Pick<Outbox, 'settle'>,
    private readonly clock: Clock,
    private readonly failed: (error: EdgeError) => void,
  ) {}

  remove(sequence: number, end: Settled): void {
    this.removals.set(sequence, end);
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
    return [...this.removals.keys(), ...(this.writing?.removals.keys() ?? [])];
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
    this.removals = new Map();
    this.attempts.clear();
    const done = this.outbox.settle({ remove: grouped(removals), attempts }).then(
      () => {
        this.writing = undefined;
        this.refused = false;
      },
      (thrown: unknown) => {
        this.writing = undefined;
        this.refused = true;
        removals.forEach((end, sequence) => this.removals.set(sequence, end));
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

/** The messages by how they ended: most of a batch end alike. */
function grouped(removals: ReadonlyMap<number, Settled>): Removal[] {
  const groups = new Map<string, Removal>();
  let group: Removal | undefined;
  for (const [sequence, end] of removals) {
    if (!group || group.fate !== end.fate || group.connection !== end.connection || end.refusal) {
      const key = JSON.stringify([end.fate, end.connection, end.refusal]);
      group = groups.get(key) ?? { ...end, sequences: [] };
      groups.set(key, group);
    }
    group.sequences.push(sequence);
  }
  return [...groups.values()];
}
