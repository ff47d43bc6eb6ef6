import { AlarmGate, type AlarmOptions } from '../../shared/detection/alarm';
import { ScoreThreshold, type ThresholdOptions, type ThresholdState } from '../threshold';
import type { Flagged, Replay } from './result';
import type { ScoredPoint } from './score-ring';

/** Settings to try. */
export interface Trial {
  threshold: ThresholdOptions;
  alarm: AlarmOptions;
}

/** What a running forest knows of its scores. */
export interface PastScores {
  /** What the threshold in force is set from, and its mode. */
  state: ThresholdState;
  mode: ThresholdOptions['mode'];
}

/**
 * What of the recorded readings other settings would have flagged: the limit is the one that the node would have now,
 * held against all of them, with the votes in the order in which they came. Readings under maintenance stay unflagged.
 */
export function replay(points: readonly ScoredPoint[], past: PastScores, trial: Trial): Replay {
  const limit = limitUnder(trial.threshold, points, past);
  const gate = new AlarmGate('replay', trial.alarm);
  const detected = points.map(
    ({ ts, score, outcome }) =>
      limit !== null && outcome !== 'suppressed' && gate.judge(score >= limit, ts).detected,
  );
  return {
    limit,
    marks: detected.flatMap((mark, index) => (mark ? [index] : [])),
    flagged: countFlagged(points, detected, trial.alarm),
  };
}

/** Counts flagged readings and their episodes: joined by the hold-off; without one, each unbroken run is an episode. */
export function countFlagged(
  points: readonly ScoredPoint[],
  detected: readonly boolean[],
  { holdOffMs }: AlarmOptions,
): Flagged {
  const gate = new AlarmGate('count', { votes: 1, voteWindow: 1, holdOffMs });
  let readings = 0;
  let episodes = 0;
  points.forEach(({ ts }, index) => {
    readings += detected[index] ? 1 : 0;
    const { episode } = gate.judge(detected[index], ts);
    const starts = holdOffMs > 0 ? episode?.phase === 'start' : detected[index] && !detected[index - 1];
    episodes += starts ? 1 : 0;
  });
  return { readings, episodes };
}

/**
 * The limit from the forest's own scores where they are of the kind that the mode wants: without flagged ones for
 * `auto`, with them for `contamination`. Otherwise from the recorded readings, taken in as the node would have.
 */
function limitUnder(
  options: ThresholdOptions,
  points: readonly ScoredPoint[],
  { state, mode }: PastScores,
): number | null {
  const threshold = new ScoreThreshold(options);
  if (options.mode === mode) {
    threshold.resume(state);
    return threshold.value;
  }
  const scores = points.filter(({ outcome }) => outcome !== 'suppressed').map(({ score }) => score);
  if (threshold.countsFlagged) {
    threshold.restart(scores);
    return threshold.value;
  }
  for (const score of scores) {
    if (threshold.value === null || score < threshold.value) {
      threshold.add(score);
    }
  }
  return threshold.value;
}
