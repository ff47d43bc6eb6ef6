import type { Clock } from '../shared/clock';
import { EdgeError, toEdgeError } from '../shared/errors';

/** How long one turn, or one slice of a long one, may hold the event loop, in ms. */
const SLICE_MS = 2;
const MAX_SHARED = 500;
/** Jobs that may wait: the flow's, and frames with their bytes, which are fetched again when they are dropped. */
const MAX_WAITING = 100_000;
const MAX_FRAMES = 4096;
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** What a shared job gives back; `settled` runs when the turn is on disk, before the promise resolves. */
export interface Outcome<T> {
  value: T;
  settled?: () => void;
}

/** Sharing a turn with its kind, own writes or frames, or alone in one that may last. */
export type JobKind = 'shared' | 'frame' | 'alone';

/** Done at once, or in steps between which other work may go on. */
type Work<T> = { atOnce: () => Outcome<T> } | { inSteps: () => Generator<void, Outcome<T>> };

class Job<T> {
  private outcome: Outcome<T> | undefined;

  constructor(
    readonly kind: JobKind,
    private readonly work: Work<T>,
    private readonly resolve: (value: T) => void,
    readonly reject: (error: EdgeError) => void,
  ) {}

  /** Does the work; gives back the steps when there are any. */
  run(): Generator<void, void> | undefined {
    if ('atOnce' in this.work) {
      this.outcome = this.work.atOnce();
      return undefined;
    }
    return this.steps(this.work.inSteps());
  }

  /** Tells what came of it, when that is on disk. */
  settle(): void {
    if (this.outcome) {
      this.outcome.settled?.();
      this.resolve(this.outcome.value);
    }
  }

  private *steps(steps: Generator<void, Outcome<T>>): Generator<void, void> {
    this.outcome = yield* steps;
  }
}

/** A job of whatever value. */
type AnyJob = Pick<Job<unknown>, 'kind' | 'run' | 'settle' | 'reject'>;

export interface TurnHooks {
  begin(): void;
  /** Makes the turn last; when it rejects, it has undone the turn. */
  commit(kind: JobKind): Promise<void> | undefined;
}

/**
 * Runs jobs in turns, strictly one after the other: begin, work, commit. Short jobs share a turn and so one write to
 * disk, and so do frames; a long one has its own. Whatever lasts is cut into slices, between which other work of the
 * process goes on.
 */
export class TurnQueue {
  private jobs: AnyJob[] = [];
  /** The first of `jobs` that waits: shifting a long array would move all of it each time. */
  private next = 0;
  private readonly frames = { count: 0, bytes: 0 };
  private pumping: Promise<void> | undefined;
  private opened = false;
  private closed: EdgeError | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly pause: () => Promise<void>,
    private readonly hooks: TurnHooks,
  ) {}

  /** Begins with the jobs that have been waiting. */
  open(): void {
    this.opened = true;
    this.pump();
  }

  /** Refuses what waits and what comes, and waits for the turn that is under way. */
  async close(error: EdgeError): Promise<void> {
    this.closed = error;
    const jobs = this.jobs.slice(this.next);
    this.jobs = [];
    this.next = 0;
    jobs.forEach((job) => job.reject(error));
    await this.pumping;
  }

  /** A short job that may share its turn. Must change nothing when it throws. */
  shared<T>(work: () => Outcome<T>): Promise<T> {
    return this.add('shared', { atOnce: work });
  }

  /**
   * The work of a frame, which shares its turn with others. When too many wait it is dropped, like by a network.
   *
   * @param bytes what the frame holds while it waits
   */
  async frame(work: () => Generator<void, void>, bytes: number): Promise<void> {
    const { frames } = this;
    if (frames.count >= MAX_FRAMES || frames.bytes + bytes > MAX_FRAME_BYTES) {
      return;
    }
    frames.count++;
    frames.bytes += bytes;
    try {
      await this.add('frame', {
        *inSteps() {
          return { value: yield* work() };
        },
      });
    } finally {
      frames.count--;
      frames.bytes -= bytes;
    }
  }

  /** A job with a turn of its own. */
  alone<T>(work: () => Generator<void, T>): Promise<T> {
    return this.add('alone', {
      *inSteps() {
        return { value: yield* work() };
      },
    });
  }

  /** Runs a generator to its end, with pauses. */
  async drive<T>(steps: Generator<void, T>): Promise<T> {
    let sliceEnd = this.clock.monotonic() + SLICE_MS;
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done) {
        return step.value;
      }
      if (this.clock.monotonic() >= sliceEnd) {
        await this.pause();
        sliceEnd = this.clock.monotonic() + SLICE_MS;
      }
    }
  }

  private add<T>(kind: JobKind, work: Work<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(this.closed);
        return;
      }
      if (kind === 'shared' && this.waiting >= MAX_WAITING) {
        reject(
          new EdgeError(
            'STORE',
            `${MAX_WAITING} messages wait for the disk already. Send fewer, or give the state a faster disk.`,
          ),
        );
        return;
      }
      this.jobs.push(new Job(kind, work, resolve, reject));
      this.pump();
    });
  }

  private pump(): void {
    if (this.opened && !this.pumping && this.waiting > 0) {
      this.pumping = this.work().finally(() => {
        this.pumping = undefined;
        this.pump();
      });
    }
  }

  private async work(): Promise<void> {
    while (this.waiting > 0) {
      const { kind } = this.jobs[this.next];
      this.hooks.begin();
      const finished = await this.turn(kind);
      try {
        await this.hooks.commit(kind);
        finished.forEach((job) => job.settle());
      } catch (thrown) {
        finished.forEach((job) => job.reject(toEdgeError(thrown, 'STORE')));
      }
      if (this.waiting > 0) {
        await this.pause();
      }
    }
  }

  private get waiting(): number {
    return this.jobs.length - this.next;
  }

  private takeNext(): AnyJob {
    const job = this.jobs[this.next++];
    if (this.next > 1024 && this.next * 2 > this.jobs.length) {
      this.jobs = this.jobs.slice(this.next);
      this.next = 0;
    }
    return job;
  }

  /** Does the jobs of the next turn: one that wants to be alone, or all of a kind until the time is up. */
  private async turn(kind: JobKind): Promise<AnyJob[]> {
    const finished: AnyJob[] = [];
    const end = this.clock.monotonic() + SLICE_MS;
    const limit = kind === 'alone' ? 1 : MAX_SHARED;
    for (let taken = 0; taken < limit && this.jobs.at(this.next)?.kind === kind; taken++) {
      const job = this.takeNext();
      try {
        const steps = job.run();
        if (steps) {
          await this.drive(steps);
        }
        finished.push(job);
      } catch (thrown) {
        job.reject(toEdgeError(thrown));
      }
      if (this.clock.monotonic() >= end) {
        break;
      }
    }
    return finished;
  }
}
