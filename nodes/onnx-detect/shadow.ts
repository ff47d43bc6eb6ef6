import type { Clock } from '../shared/clock';
import type { Row } from '../shared/detection/rows';
import { Batch, commit, NOT_YET, type Staged } from './batch';
import { scoreRow } from './judge';
import type { MissingPolicy } from './model/row-reader';
import type { ServedModel } from './model/served-model';
import { Sources } from './sources';

/** Rows of one message that a candidate looks at; of a larger one it sees nothing. */
const MOST_ROWS = 4096;
/** How long a verdict waits for the candidate's score once the live model is done, ms. */
const PATIENCE_MS = 20;

/** Scores of a candidate, row by row; undefined where it gave none. */
export type ShadowScores = readonly (number | undefined)[];

/**
 * A candidate model that sees what the live one sees and decides nothing: what it cannot score, or not in time, it
 * leaves out, and while it is still at work on one tensor it is spared the next.
 */
export class Shadow {
  private readonly sources: Sources;
  private atWork: Promise<ShadowScores> | undefined;

  constructor(
    readonly model: ServedModel,
    private readonly missing: MissingPolicy,
    private readonly clock: Clock,
  ) {
    this.sources = new Sources('', { votes: 1, voteWindow: 1, holdOffMs: 0 });
    this.sources.forgetReadings(model.plan.width * (model.plan.window?.size ?? 1));
  }

  /** Begins to score some rows; the function waits for it, but not long, and never rejects. */
  begin(rows: readonly Row[]): () => Promise<ShadowScores> {
    if (this.atWork || rows.length > MOST_ROWS || (this.model.plan.fixedRows ?? rows.length) < rows.length) {
      return () => Promise.resolve([]);
    }
    const work = this.score(rows).catch((): ShadowScores => []);
    this.atWork = work;
    void work.finally(() => (this.atWork = undefined));
    return () =>
      Promise.race([
        work,
        new Promise<ShadowScores>((resolve) => this.clock.after(PATIENCE_MS, () => resolve([]))),
      ]);
  }

  /** Resolves when nothing runs on the model. */
  async idle(): Promise<void> {
    await this.atWork;
  }

  private async score(rows: readonly Row[]): Promise<ShadowScores> {
    const batch = new Batch(this.model, this.missing, this.sources, rows.length);
    const places = rows.map((row) => {
      const staged: Staged = new Map();
      try {
        const [place] = batch.add([row], staged, undefined);
        commit(staged, this.sources);
        return place;
      } catch {
        return NOT_YET;
      }
    });
    if (batch.size === 0) {
      return [];
    }
    const run = await batch.run();
    return places.map((place) => (place === NOT_YET ? undefined : this.scoreAt(run, place)));
  }

  private scoreAt(run: Awaited<ReturnType<Batch['run']>>, place: number): number | undefined {
    try {
      return scoreRow(this.model, run, place).score.score;
    } catch {
      return undefined;
    }
  }
}
