import type { Clock, Timer } from '../shared/clock';
import type { AlarmOptions } from '../shared/detection/alarm';
import { MaintenanceMode } from '../shared/detection/maintenance';
import type { RowSet, Verdict } from '../shared/detection/rows';
import { EdgeError, toEdgeError } from '../shared/errors';
import { Batch, commit, NOT_YET, type Staged } from './batch';
import { Judge, scoreRow, type ScoredRow, type ShadowScore } from './judge';
import type { MissingPolicy } from './model/row-reader';
import type { ServedModel } from './model/served-model';
import { ReadingQueue, type Job, type OverloadPolicy } from './reading-queue';
import type { Run } from './score/parts';
import type { Shadow, ShadowScores } from './shadow';
import { Sources } from './sources';

export interface DetectorOptions {
  /** The node's name, for detections and episode ids. */
  node: string;
  missing: MissingPolicy;
  batchSize: number;
  batchDelayMs: number;
  queueLimit: number;
  overload: OverloadPolicy;
  alarm: AlarmOptions;
}

// A thousand verdicts take about a millisecond.
const VERDICTS_AT_ONCE = 1000;

/**
 * Judges readings with whichever model is in service. Readings wait in one bounded queue, so their order is kept; one
 * tensor is at the model at a time, and what arrives meanwhile makes the next one. Without a model they wait; a model
 * is exchanged between two tensors.
 */
export class Detector {
  private readonly queue: ReadingQueue;
  private readonly sources: Sources;
  private readonly judge: Judge;
  private model: ServedModel | undefined;
  /** Also while none is in service: what is remembered of sources is in its terms. */
  private lastServed: ServedModel | undefined;
  private shadow: Shadow | undefined;
  private refusal: EdgeError | undefined;
  private atWork: Promise<void> | undefined;
  private delay: Timer | undefined;

  /**
   * @param inferred told how long each run of the model took, in seconds
   * @param maintenance that of the instance before this one, where there was one
   */
  constructor(
    private readonly options: DetectorOptions,
    private readonly clock: Clock,
    private readonly inferred: (seconds: number) => void = () => undefined,
    readonly maintenance = new MaintenanceMode(),
  ) {
    this.queue = new ReadingQueue(options.queueLimit, options.overload);
    this.sources = new Sources(options.node, options.alarm);
    this.judge = new Judge(options.node, this.sources, this.maintenance, clock);
  }

  /** Sources that were judged, `most` of them at most. */
  heardSources(most: number): string[] {
    return this.sources.names(most);
  }

  /** Rows that wait. */
  get waiting(): number {
    return this.queue.rows;
  }

  /**
   * Judges a message's rows; the verdicts come in the rows' order, and of several messages in the order of arrival.
   * @throws EdgeError `SHAPE`, `FEATURE_MISSING`, `DTYPE`, `OVERLOAD`, `INFERENCE`, or why there is no model
   */
  submit(set: RowSet): Promise<Verdict[]> {
    if (this.refusal) {
      return Promise.reject(this.refusal);
    }
    const receivedAt = this.clock.monotonic();
    return new Promise((resolve, reject) => {
      this.queue.push({ set, receivedAt, resolve, reject });
      this.proceed();
    });
  }

  /** Puts a model into service from the next tensor on; resolves with the one before when nothing runs on it. */
  async serve(model: ServedModel): Promise<ServedModel | undefined> {
    const before = this.model;
    if (!this.lastServed || !sameFeatures(this.lastServed, model)) {
      this.sources.forgetReadings(model.plan.width * (model.plan.window?.size ?? 1));
    }
    this.model = model;
    this.lastServed = model;
    this.refusal = undefined;
    const finished = this.atWork;
    this.proceed();
    await finished;
    return before;
  }

  /** Lets a candidate look on, or none; resolves with the one before when nothing runs on it. */
  async watchWith(shadow: Shadow | undefined): Promise<Shadow | undefined> {
    const before = this.shadow;
    this.shadow = shadow;
    await before?.idle();
    return before;
  }

  /** The digest of the candidate that looks on. */
  get shadowDigest(): string | undefined {
    return this.shadow?.model.identity.digest;
  }

  /** Takes the model out of service; readings wait for the next one. */
  suspend(): void {
    this.model = undefined;
    this.refusal = undefined;
  }

  /** Refuses what waits and what comes, until a model is in service. */
  refuse(error: EdgeError): void {
    this.model = undefined;
    this.refusal = error;
    this.queue.clear(error);
  }

  /** Resolves when nothing waits and nothing runs, or there is no model to run it. */
  async drained(): Promise<void> {
    while (this.atWork) {
      await this.atWork;
    }
  }

  private proceed(): void {
    const model = this.model;
    const oldest = this.queue.oldest;
    if (this.atWork || !model || !oldest) {
      return;
    }
    const limit = model.plan.fixedRows ?? this.options.batchSize;
    const wait = this.options.batchDelayMs - (this.clock.monotonic() - oldest.receivedAt);
    if (wait > 0 && this.queue.rows < limit) {
      this.delay ??= this.clock.after(wait, () => {
        this.delay = undefined;
        this.proceed();
      });
      return;
    }
    this.delay?.cancel();
    this.delay = undefined;
    this.atWork = this.work(model, this.queue.take(limit), limit).finally(() => {
      this.atWork = undefined;
      this.proceed();
    });
  }

  private async work(model: ServedModel, jobs: Job[], limit: number): Promise<void> {
    try {
      if (jobs[0].set.rows.length > limit) {
        await this.workThrough(model, jobs[0], limit);
      } else {
        await this.runTogether(model, jobs);
      }
    } catch (thrown) {
      const error = asInference(thrown);
      for (const job of jobs) {
        job.reject(error);
      }
    }
  }

  /** Several messages in one tensor; a bad one is refused alone. */
  private async runTogether(model: ServedModel, jobs: Job[]): Promise<void> {
    const rows = jobs.reduce((sum, { set }) => sum + set.rows.length, 0);
    const batch = new Batch(model, this.options.missing, this.sources, rows);
    const accepted: { job: Job; places: number[] }[] = [];
    const staged: Staged = new Map();
    for (const job of jobs) {
      // Most models remember nothing; to empty an empty map costs as much as to make one.
      if (staged.size > 0) {
        staged.clear();
      }
      try {
        const places = batch.add(job.set.rows, staged, job.set.batch ? 0 : undefined);
        commit(staged, this.sources);
        accepted.push({ job, places });
      } catch (thrown) {
        job.reject(toEdgeError(thrown));
      }
    }
    const { shadow } = this;
    const finish = shadow?.begin(accepted.flatMap(({ job }) => job.set.rows));
    const run = await this.timed(batch);
    const shadowed = (await finish?.()) ?? [];
    let first = 0;
    for (const { job, places } of accepted) {
      try {
        const scored = places.map((place) => scoreAt(model, run, place));
        const scores = shadow && candidateScores(shadow, shadowed, first);
        job.resolve(this.verdicts(model, job, scored, 0, scored.length, scores));
      } catch (thrown) {
        job.reject(toEdgeError(thrown));
      }
      first += places.length;
    }
  }

  /** One message larger than a tensor, a part at a time; no state changes before every row is known to be good. */
  private async workThrough(model: ServedModel, job: Job, limit: number): Promise<void> {
    const { rows } = job.set;
    const { shadow } = this;
    const finish = shadow?.begin(rows);
    const scored: (ScoredRow | undefined)[] = [];
    const staged: Staged = new Map();
    for (let from = 0; from < rows.length; from += limit) {
      const part = rows.slice(from, from + limit);
      const batch = new Batch(model, this.options.missing, this.sources, part.length);
      let places: number[];
      try {
        places = batch.add(part, staged, from);
      } catch (thrown) {
        job.reject(toEdgeError(thrown));
        return;
      }
      const run = await this.timed(batch);
      places.forEach((place) => scored.push(scoreAt(model, run, place)));
    }
    // By now another model may be in service.
    if (this.model && sameFeatures(this.model, model)) {
      commit(staged, this.sources);
    }
    const scores = shadow && candidateScores(shadow, (await finish?.()) ?? [], 0);
    const verdicts: Verdict[] = [];
    for (let from = 0; from < rows.length; from += VERDICTS_AT_ONCE) {
      if (from > 0) {
        await new Promise<void>((resumed) => this.clock.after(0, resumed));
      }
      verdicts.push(...this.verdicts(model, job, scored, from, from + VERDICTS_AT_ONCE, scores));
    }
    job.resolve(verdicts);
  }

  private verdicts(
    model: ServedModel,
    job: Job,
    scored: readonly (ScoredRow | undefined)[],
    from: number,
    to: number,
    shadowed: ((row: number) => ShadowScore | undefined) | undefined,
  ): Verdict[] {
    return job.set.rows
      .slice(from, to)
      .map((row, index) =>
        this.judge.judge(model, row, scored[from + index], job.receivedAt, shadowed?.(from + index)),
      );
  }

  /** Undefined while no window is complete, when there is nothing to run. */
  private async timed(batch: Batch): Promise<Run | undefined> {
    if (batch.size === 0) {
      return undefined;
    }
    const started = this.clock.monotonic();
    const run = await batch.run();
    this.inferred((this.clock.monotonic() - started) / 1000);
    return run;
  }
}

function sameFeatures({ plan: one }: ServedModel, { plan: other }: ServedModel): boolean {
  return (
    one.width === other.width &&
    one.window?.size === other.window?.size &&
    String(one.names) === String(other.names)
  );
}

function scoreAt(model: ServedModel, run: Run | undefined, place: number): ScoredRow | undefined {
  return run && place !== NOT_YET ? scoreRow(model, run, place) : undefined;
}

/** What a candidate says of a message's rows, the first of which has the given place among those it looked at. */
function candidateScores(
  { model }: Shadow,
  scores: ShadowScores,
  first: number,
): (row: number) => ShadowScore | undefined {
  return (row) => {
    const score = scores.at(first + row);
    return score === undefined ? undefined : { score, model };
  };
}

/** What a user meets when a run fails, whatever failed. */
function asInference(thrown: unknown): EdgeError {
  const error = toEdgeError(thrown);
  return error.code === 'INFERENCE'
    ? error
    : new EdgeError('INFERENCE', `The model could not be run: ${error.message} Send the reading again.`);
}
