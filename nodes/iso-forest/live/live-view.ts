import { failureOf } from '../../shared/dialog/failure';
import type { IsoForestConfig } from '../config';
import type { NamedForest, SourceTable } from '../source-table';
import { histogramOf } from './histogram';
import { countFlagged, replay, type Trial } from './replay';
import type { LiveAnswer, LivePoint, LiveSource, Progress, Replay } from './result';
import type { ScoreLog } from './score-log';
import type { ScoredPoint } from './score-ring';
import { topChannels } from './top-channels';

/** What somebody wants to see. */
export interface Look {
  /** Undefined, or gone: the source that was flagged last, else the first. */
  source?: string;
  /** Lists only sources with this in their name. */
  find?: string;
}

const MOST_LISTED = 200;
/** Names that are gone through for a list: about a millisecond. */
const MOST_SEARCHED = 20_000;
/** A longer name is none that somebody would choose from a list. */
const LONGEST_NAME = 1024;
/** As many digits as a score has meaning. */
const DIGITS = 1e6;

/** Answers what the dialog of a running node shows; each answer is bounded, and takes a millisecond or so. */
export class LiveView {
  constructor(
    private readonly table: SourceTable,
    private readonly log: ScoreLog,
    private readonly config: IsoForestConfig,
  ) {}

  /**
   * The sources, and the scores of one of them.
   *
   * @param trial reads the settings to try on them, if there are any; what it throws becomes part of the answer
   */
  look({ source, find = '' }: Look, trial?: () => Trial): LiveAnswer {
    const sources = this.list(find.toLowerCase());
    const chosen = source !== undefined && this.table.forestOf(source) ? source : sources.names.at(0);
    const forest = chosen === undefined ? undefined : this.table.forestOf(chosen);
    const answer: LiveAnswer = { sources: sources.names, more: sources.more };
    if (chosen !== undefined && forest) {
      const { points, explained } = this.log.look(chosen);
      answer.live = {
        ...this.seen(forest, points),
        source: chosen,
        channels: topChannels(explained),
        explained: explained.length,
      };
      Object.assign(answer, trial && this.tried(forest, points, trial));
    }
    return answer;
  }

  private tried(
    { model }: NamedForest,
    points: readonly ScoredPoint[],
    trial: () => Trial,
  ): Pick<LiveAnswer, 'replay' | 'failure'> {
    let asked: Trial;
    try {
      asked = trial();
    } catch (thrown) {
      return { failure: failureOf(thrown) };
    }
    const past = { state: model.pastScores(), mode: this.config.model.threshold.mode };
    const answer: Replay = replay(points, past, asked);
    return { replay: answer };
  }

  private seen(
    { model }: NamedForest,
    points: readonly ScoredPoint[],
  ): Omit<LiveSource, 'source' | 'channels' | 'explained'> {
    const isFlagged = points.map(({ outcome }) => outcome === 'flagged');
    const scoresOf = (flagged: boolean): number[] =>
      points.filter((_, index) => isFlagged[index] === flagged).map(({ score }) => score);
    // Only the scores that an automatic threshold is set from are those of normal readings alone.
    const normal = this.config.model.threshold.mode === 'auto' ? model.pastScores().scores : scoresOf(false);
    const histogram = histogramOf(normal, scoresOf(true));
    return {
      progress: this.progress(model),
      threshold: model.limit,
      points: points.map(({ ts, score, threshold, outcome }): LivePoint => [
        ts,
        rounded(score),
        threshold === null ? null : rounded(threshold),
        outcome,
      ]),
      flagged: countFlagged(points, isFlagged, this.config.alarm),
      ...(histogram && { histogram }),
    };
  }

  private progress({ learning, learned, warmup, onReference }: NamedForest['model']): Progress {
    const { learn, reference } = this.config.model;
    const taken = onReference ? reference : Math.min(learned, reference);
    return {
      learning,
      learned,
      warmup,
      ...(learn !== 'sliding' && { reference: { taken, length: reference, complete: onReference } }),
    };
  }

  private list(find: string): { names: string[]; more: boolean } {
    const names = new Set<string>();
    const wanted = (name: string): boolean =>
      name.length <= LONGEST_NAME && name.toLowerCase().includes(find);
    for (const name of this.log.flaggedLately()) {
      // What is left from before a deployment counts once the source is heard again.
      if (this.table.forestOf(name) && wanted(name)) {
        names.add(name);
      }
    }
    let searched = 0;
    for (const name of this.table.names()) {
      if (++searched > MOST_SEARCHED || names.size > MOST_LISTED) {
        break;
      }
      if (wanted(name)) {
        names.add(name);
      }
    }
    return {
      names: [...names].slice(0, MOST_LISTED),
      more: names.size > MOST_LISTED || searched > MOST_SEARCHED,
    };
  }
}

function rounded(score: number): number {
  return Math.round(score * DIGITS) / DIGITS;
}
