import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histogramOf } from '../../../nodes/iso-forest/live/histogram';
import { countFlagged, replay, type PastScores } from '../../../nodes/iso-forest/live/replay';
import type { ScoredPoint } from '../../../nodes/iso-forest/live/score-ring';
import { ScoreThreshold, type ThresholdOptions } from '../../../nodes/iso-forest/threshold';
import type { AlarmOptions } from '../../../nodes/shared/detection/alarm';
import { SeededRandom } from '../../../nodes/shared/random';

const EACH: AlarmOptions = { votes: 1, voteWindow: 1, holdOffMs: 0 };

function pointsOf(scores: readonly number[], suppressed: readonly number[] = []): ScoredPoint[] {
  return scores.map((score, index) => ({
    ts: 1000 * index,
    score,
    threshold: 0.6,
    outcome: suppressed.includes(index) ? 'suppressed' : 'clear',
  }));
}

function pastOf(options: ThresholdOptions, scores: readonly number[]): PastScores {
  const threshold = new ScoreThreshold(options);
  scores.forEach((score) => threshold.add(score));
  return { state: threshold.state(), mode: options.mode };
}

const fixed = (scoreThreshold: number): ThresholdOptions => ({ mode: 'score', scoreThreshold });
const AUTO: ThresholdOptions = { mode: 'auto', alarmRate: 0.0005 };

function healthy(count: number): number[] {
  const random = new SeededRandom(5);
  return Array.from({ length: count }, () => 0.42 + 0.03 * Math.abs(random.normal()));
}

test('a fixed score flags what reaches it, by the votes and the episodes that are tried', () => {
  const points = pointsOf([0.4, 0.5, 0.7, 0.7, 0.4, 0.7, 0.4, 0.4, 0.4, 0.9]);
  const past = pastOf(AUTO, healthy(300));
  const tried = replay(points, past, { threshold: fixed(0.7), alarm: EACH });
  assert.deepEqual(tried, { limit: 0.7, marks: [2, 3, 5, 9], flagged: { readings: 4, episodes: 3 } });
  const voted = replay(points, past, {
    threshold: fixed(0.7),
    alarm: { votes: 2, voteWindow: 3, holdOffMs: 0 },
  });
  assert.deepEqual(voted.marks, [3, 5]);
  const joined = replay(points, past, { threshold: fixed(0.7), alarm: { ...EACH, holdOffMs: 3000 } });
  assert.deepEqual(joined.flagged, { readings: 4, episodes: 2 });
});

test('readings under maintenance stay unflagged', () => {
  const points = pointsOf([0.9, 0.9, 0.4], [1]);
  const tried = replay(points, pastOf(AUTO, healthy(300)), { threshold: fixed(0.7), alarm: EACH });
  assert.deepEqual(tried.marks, [0]);
});

test('another rate of alarms gives the limit that the node would have with it', () => {
  const scores = healthy(1500);
  const points = pointsOf([...scores.slice(0, 599), 0.9]);
  const past = pastOf(AUTO, scores);
  const limits = [0.0005, 0.01, 0.1].map((alarmRate) => {
    const options: ThresholdOptions = { mode: 'auto', alarmRate };
    const deployed = new ScoreThreshold(options);
    scores.forEach((score) => deployed.add(score));
    const tried = replay(points, past, { threshold: options, alarm: EACH });
    assert.equal(tried.limit, deployed.value);
    assert.equal(tried.marks.at(-1), 599);
    assert.equal(tried.flagged.readings, points.filter(({ score }) => score >= deployed.value!).length);
    return tried.limit!;
  });
  assert.ok(limits[0] > limits[2], String(limits));
});

test('a mode whose scores the node does not keep is set from the recorded readings', () => {
  const scores = [...healthy(590), ...new Array<number>(10).fill(0.9)];
  const points = pointsOf(scores);
  const shared = replay(points, pastOf(AUTO, healthy(300)), {
    threshold: { mode: 'contamination', contamination: 0.1 },
    alarm: EACH,
  });
  assert.equal(shared.flagged.readings, 60);
  const auto = replay(points, pastOf(fixed(0.6), []), { threshold: AUTO, alarm: EACH });
  assert.deepEqual([auto.flagged.readings, auto.marks[0]], [10, 590]);
  assert.ok(auto.limit !== null && auto.limit < 0.9, 'the outliers did not raise it');
  const few = replay(points.slice(0, 4), pastOf(fixed(0.6), []), { threshold: AUTO, alarm: EACH });
  assert.deepEqual(few, { limit: null, marks: [], flagged: { readings: 0, episodes: 0 } });
});

test('a replay changes nothing of the node and takes about a millisecond', () => {
  const past = pastOf(AUTO, healthy(3000));
  const before = structuredClone(past);
  const points = pointsOf(healthy(600));
  const trial = { threshold: { mode: 'auto', alarmRate: 0.01 } as const, alarm: EACH };
  let best = Infinity;
  for (let i = 0; i < 30; i++) {
    const began = performance.now();
    replay(points, past, trial);
    best = Math.min(best, performance.now() - began);
  }
  assert.deepEqual(past, before);
  assert.ok(best < 2, `${best} ms`);
});

test('episodes are counted in the recorded order', () => {
  const points = pointsOf([1, 1, 0, 1, 0, 0, 1]);
  const detected = points.map(({ score }) => score === 1);
  assert.deepEqual(countFlagged(points, detected, EACH), { readings: 4, episodes: 3 });
  assert.deepEqual(countFlagged(points, detected, { ...EACH, holdOffMs: 2000 }), {
    readings: 4,
    episodes: 2,
  });
});

test('a histogram counts every score once, also where all are equal', () => {
  const histogram = histogramOf([0.4, 0.4, 0.5], [0.9]);
  assert.deepEqual([histogram?.low, histogram?.normal[0], histogram?.flagged.at(-1)], [0.4, 2, 1]);
  assert.equal(
    histogram?.normal.reduce((sum, count) => sum + count, 0),
    3,
  );
  assert.equal(histogramOf([0.5, 0.5], [])?.normal[0], 2);
  assert.equal(histogramOf([], []), undefined);
});
