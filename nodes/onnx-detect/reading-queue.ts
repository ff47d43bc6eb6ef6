import { EdgeError } from '../shared/errors';
import type { RowSet, Verdict } from '../shared/detection/rows';

/** A message's rows, waiting to be judged. */
export interface Job {
  set: RowSet;
  /** Monotonic time of arrival, ms. */
  receivedAt: number;
  resolve(verdicts: Verdict[]): void;
  reject(error: EdgeError): void;
}

export type OverloadPolicy = 'reject' | 'drop-oldest';

/** Messages in order of arrival, bounded by the number of their rows. */
export class ReadingQueue {
  // Taken from the front; cut off now and then, so that neither end costs more with a longer queue.
  private jobs: Job[] = [];
  private head = 0;
  private rowCount = 0;

  constructor(
    private readonly limit: number,
    private readonly overload: OverloadPolicy,
  ) {}

  /** Rows that wait. */
  get rows(): number {
    return this.rowCount;
  }

  /** The message that has waited longest. */
  get oldest(): Job | undefined {
    return this.jobs.at(this.head);
  }

  /**
   * Takes a message in. When there is no room it rejects either this one or the oldest with `OVERLOAD`.
   */
  push(job: Job): void {
    const rows = job.set.rows.length;
    if (rows > this.limit || (this.overload === 'reject' && this.rowCount + rows > this.limit)) {
      job.reject(this.overloaded('This one is refused.'));
      return;
    }
    while (this.rowCount + rows > this.limit) {
      this.shift()?.reject(this.overloaded('This one was the oldest and is dropped.'));
    }
    this.jobs.push(job);
    this.rowCount += rows;
  }

  /** The oldest messages that together have at most so many rows; always at least one, if there is one. */
  take(rows: number): Job[] {
    const taken: Job[] = [];
    let sum = 0;
    for (let next = this.oldest; next; next = this.oldest) {
      sum += next.set.rows.length;
      if (taken.length > 0 && sum > rows) {
        break;
      }
      taken.push(next);
      this.shift();
    }
    return taken;
  }

  /** Rejects everything that waits. */
  clear(error: EdgeError): void {
    for (let next = this.shift(); next; next = this.shift()) {
      next.reject(error);
    }
  }

  private shift(): Job | undefined {
    const job = this.oldest;
    if (job) {
      this.head++;
      this.rowCount -= job.set.rows.length;
      if (this.head === this.jobs.length || this.head >= 1024) {
        this.jobs = this.jobs.slice(this.head);
        this.head = 0;
      }
    }
    return job;
  }

  private overloaded(what: string): EdgeError {
    return new EdgeError(
      'OVERLOAD',
      `More readings wait for the model than "queueLimit" (${this.limit}) allows. ${what} Send fewer, thin them out before this node, or use a smaller model.`,
      { property: 'queueLimit' },
    );
  }
}
