import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../nodes/shared/random';
import { fitTail, tailQuantile } from '../../../nodes/iso-forest/pareto';
import { FEWEST_SCORES, SCORES_FOR_TAIL, ScoreThreshold } from '../../../nodes/iso-forest/threshold';

/** Scores with an exponential tail above 0.4; one in 1000 passes 0.4 + 6.9 × 0.02. */
function exponentialScores(count: number, seed: number): number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => 0.4 - 0.02 * Math.log(1 - random.next()));
}

test('a Pareto tail is found again from its own sample', () => {
  const random = new SeededRandom(5);
  for (const shape of [0.1, 0.2]) {
    const excesses = Array.from(
      { length: 20_000 },
      () => (0.05 / shape) * ((1 - random.next()) ** -shape - 1),
    ).sort((a, b) => a - b);
    const tail = fitTail(excesses);
    assert.ok(Math.abs(tail.shape - shape) < 0.05, `shape ${tail.shape} for ${shape}`);
    assert.ok(Math.abs(tail.scale - 0.05) < 0.005, `scale ${tail.scale}`);
    const expected = (0.05 / shape) * (0.001 ** -shape - 1);
    assert.ok(Math.abs(tailQuantile(tail, 0.001) / expected - 1) < 0.15);
  }
});

test('equal peaks and a handful of them give a finite threshold', () => {
  for (const excesses of [
    [0.1, 0.1],
    [0, 0],
    [1e-9, 0.2],
  ]) {
    const excess = tailQuantile(fitTail(excesses), 0.01);
    assert.ok(Number.isFinite(excess) && excess >= 0, `${excess} for ${excesses.join()}`);
  }
});

test('auto flags about the target share of normal scores, and errs toward silence', () => {
  const alarmRate = 0.001;
  let flagged = 0;
  let judged = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const threshold = new ScoreThreshold({ mode: 'auto', alarmRate });
    for (const score of exponentialScores(20_000, seed)) {
      const limit = threshold.value;
      judged++;
      if (limit !== null && score >= limit) {
        flagged++;
      } else {
        threshold.add(score);
      }
    }
  }
  const rate = flagged / judged;
  assert.ok(rate > alarmRate / 20 && rate <= alarmRate, `flagged ${rate} for ${alarmRate}`);
});

test('planted scores are caught from the first threshold on, and leave it where it was', () => {
  const threshold = new ScoreThreshold({ mode: 'auto', alarmRate: 0.0005 });
  exponentialScores(3000, 3).forEach((score, index) => {
    threshold.add(score);
    const limit = threshold.value;
    assert.ok(
      index < FEWEST_SCORES - 1 ? limit === null : limit !== null && limit < 0.81,
      `after ${index + 1} scores: ${limit}`,
    );
  });
  assert.ok((threshold.value ?? 1) < 0.65);
});

test('before there are enough scores for a tail the threshold stays above all of them', () => {
  const threshold = new ScoreThreshold({ mode: 'auto', alarmRate: 0.4 });
  const scores = exponentialScores(SCORES_FOR_TAIL - 1, 8);
  scores.forEach((score) => threshold.add(score));
  assert.ok((threshold.value ?? 0) > Math.max(...scores));
});

test('contamination is the quantile of past scores; score is fixed', () => {
  const share = new ScoreThreshold({ mode: 'contamination', contamination: 0.1 });
  for (let score = 0; score < 1000; score++) {
    share.add(score / 1000);
  }
  assert.ok(Math.abs((share.value ?? 0) - 0.9) < 0.002, `threshold ${share.value}`);
  const fixed = new ScoreThreshold({ mode: 'score', scoreThreshold: 0.6 });
  assert.equal(fixed.value, 0.6);
  fixed.add(0.99);
  assert.equal(fixed.value, 0.6);
});

test('a resumed threshold goes on as the first one would have', () => {
  const scores = exponentialScores(5000, 4);
  const whole = new ScoreThreshold({ mode: 'auto', alarmRate: 0.0005 });
  let halves = new ScoreThreshold({ mode: 'auto', alarmRate: 0.0005 });
  scores.forEach((score, index) => {
    whole.add(score);
    halves.add(score);
    if (index === 150 || index === 1234 || index === 3333) {
      const next = new ScoreThreshold({ mode: 'auto', alarmRate: 0.0005 });
      next.resume(halves.state());
      halves = next;
    }
    assert.equal(halves.value, whole.value, `after ${index + 1} scores`);
  });
});
