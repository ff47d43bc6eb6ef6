import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DensityForest } from '../../../nodes/iso-forest/forest/density-forest';
import { VARIANTS } from '../../../nodes/iso-forest/forest/variant';
import { SeededRandom } from '../../../nodes/shared/random';
import { GOLDEN_ROWS, GOLDEN_SCORES, GOLDEN_VARIANTS } from './golden';
import { gaussian, growForest, rocAuc, scoresOf } from './support';

const OTHERS = ['fair-cut', 'density', 'blend'] as const;

test('the scores of a seed stay what they are in every variant, to the last bit', () => {
  for (const variant of VARIANTS) {
    const forest = growForest(GOLDEN_ROWS, { seed: 42, sample: 16, trees: 20, variant });
    const expected = variant === 'standard' ? GOLDEN_SCORES : GOLDEN_VARIANTS[variant];
    assert.deepEqual(scoresOf(forest, GOLDEN_ROWS), expected, variant);
  }
});

test('planted outliers rank above inliers in every variant', () => {
  for (const variant of OTHERS) {
    for (const seed of [1, 2, 3]) {
      const inliers = gaussian(1000, 8, seed);
      const outliers = gaussian(20, 8, seed + 100, 3);
      const forest = growForest([...inliers, ...outliers], { seed, variant });
      const roc = rocAuc(scoresOf(forest, inliers), scoresOf(forest, outliers));
      assert.ok(roc > 0.99, `${variant}, seed ${seed}: ROC ${roc}`);
    }
  }
});

test('cuts through two channels find better what breaks their relation a little', () => {
  const roc = (variant: (typeof VARIANTS)[number], seed: number): number => {
    const random = new SeededRandom(seed);
    const related = Array.from({ length: 1000 }, () => {
      const load = random.normal();
      return [0.7 * load + 0.1 * random.normal(), load + 0.1 * random.normal()].map(Math.fround);
    });
    const broken = related.slice(0, 50).map(([one, other]) => [one, Math.fround(other + 0.5)]);
    const forest = growForest(related, { variant, seed });
    return rocAuc(scoresOf(forest, related), scoresOf(forest, broken));
  };
  const gains = [1, 2, 3, 4].map((seed) => roc('fair-cut', seed) - roc('standard', seed));
  const gain = gains.reduce((sum, each) => sum + each / gains.length, 0);
  assert.ok(gain > 0.03, `${gains.join(', ')} (seeds 1 to 4)`);
});

test('constants, single rows and any finite values make a forest with scores between 0 and 1', () => {
  const value = fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 1, 1 + 2 ** -23, 1e38, -1e38, 1e-40),
  );
  const rows = fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(rows, fc.nat(), fc.boolean(), fc.constantFrom(...OTHERS), (some, seed, beyond, variant) => {
      const forest = growForest(some, { trees: 6, sample: 16, seed, beyond, variant });
      for (const score of scoresOf(forest, [...some, [0, 0, 0]])) {
        assert.ok(score >= 0 && score <= 1, `${variant}: score ${score}`);
      }
    }),
    { numRuns: 300 },
  );
});

test('a missing value goes down both branches in every variant', () => {
  const rows = gaussian(500, 3, 12).map((row, at) => (at % 3 === 0 ? [NaN, row[1], row[2]] : row));
  for (const variant of OTHERS) {
    const forest = growForest(rows, { gaps: true, variant });
    const [near, far] = scoresOf(forest, [
      [NaN, 0, 0],
      [NaN, 6, 6],
    ]);
    assert.ok(far > near + 0.02 && far < 1, `${variant}: ${near}, ${far}`);
  }
});

test('the terms of a density add up to it exactly, missing and far values included', () => {
  const rows = gaussian(400, 4, 8).map((row, at) => (at % 5 === 0 ? [row[0], NaN, row[2], row[3]] : row));
  const forest = growForest(rows, { variant: 'density', gaps: true, beyond: true, trees: 30 });
  assert.ok(forest instanceof DensityForest);
  for (const row of [...rows.slice(0, 50), [9, 0, 0, 0], [NaN, -7, 0, 3]]) {
    const values = Float32Array.from(row);
    const terms = new Float64Array(4);
    forest.addTerms(values, terms);
    const total = terms.reduce((sum, term) => sum + term, 0);
    assert.ok(
      Math.abs(total - forest.sum(values)) < 1e-4,
      `${row.join(' ')}: ${total} ${forest.sum(values)}`,
    );
  }
});

test('half of a blend is standard trees and half fair cuts, whatever the number', () => {
  const rows = gaussian(300, 3, 5);
  for (const trees of [1, 2, 7, 100]) {
    const forest = growForest(rows, { trees, variant: 'blend' });
    assert.equal(forest.standing, trees);
  }
});
