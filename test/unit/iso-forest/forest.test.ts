import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from '../../../nodes/shared/random';
import { Forest } from '../../../nodes/iso-forest/forest/forest';
import { averagePathLength } from '../../../nodes/iso-forest/forest/path-length';
import { TreeGrower } from '../../../nodes/iso-forest/forest/tree-grower';
import { GOLDEN_ROWS, GOLDEN_SCORES } from './golden';
import { gaussian, growForest, rocAuc, scoresOf, windowOf } from './support';

test('the scores of a seed stay what they are, to the last bit', () => {
  const forest = growForest(GOLDEN_ROWS, { seed: 42, sample: 16, trees: 20 });
  assert.deepEqual(scoresOf(forest, GOLDEN_ROWS), GOLDEN_SCORES);
});

test('planted outliers rank above inliers as with scikit-learn', () => {
  for (const seed of [1, 2, 3]) {
    const inliers = gaussian(1000, 8, seed);
    const outliers = gaussian(20, 8, seed + 100, 3);
    const forest = growForest([...inliers, ...outliers], { seed });
    const roc = rocAuc(scoresOf(forest, inliers), scoresOf(forest, outliers));
    assert.ok(roc > 0.99, `seed ${seed}: ROC ${roc}`);
  }
});

test('average rows score about 0.45 and far ones near the top of the scale, as published', () => {
  const rows = gaussian(2000, 4, 5);
  const forest = growForest(rows);
  const all = scoresOf(forest, rows);
  const mean = all.reduce((sum, score) => sum + score / all.length, 0);
  assert.ok(mean > 0.42 && mean < 0.5, `mean ${mean}`);
  assert.ok(forest.score(Float32Array.of(9, 9, 9, 9)) > 0.75);
  assert.ok(forest.score(Float32Array.of(0, 0, 0, 0)) < 0.42);
});

test('a tree of two distinct rows isolates each of them at depth 1', () => {
  const forest = growForest([[0], [1]], { trees: 10 });
  assert.equal(forest.path(0, Float32Array.of(0)), 1 / averagePathLength(2));
  assert.equal(forest.score(Float32Array.of(1)), 0.5);
});

test('no tree is higher than ceil(log2 ψ), and every split leaves rows on both sides', () => {
  const grower = new TreeGrower(100);
  const window = windowOf(gaussian(500, 3, 9));
  for (let tree = 0; tree < 50; tree++) {
    grower.grow(window, 0, 500, new SeededRandom(7, tree));
    const depth = (node: number): number => {
      const right = grower.block.right(0, node);
      if (right === node) {
        return 0;
      }
      assert.ok(grower.counts[right - 1] > 0 && grower.counts[right] > 0, `seed 7, tree ${tree}`);
      assert.equal(grower.counts[right - 1] + grower.counts[right], grower.counts[node]);
      return 1 + Math.max(depth(right - 1), depth(right));
    };
    assert.ok(depth(0) <= 7);
    assert.equal(grower.deepest, depth(0));
  }
});

test('constant channels are never split on, and a forest of constants is one leaf a tree', () => {
  const rows = gaussian(300, 2, 3).map(([a, b]) => [a, 5, b]);
  const forest = growForest(rows);
  const row = Float32Array.from(rows[0]);
  const before = forest.score(row);
  row[1] = 1e6;
  assert.equal(forest.score(row), before);
  const flat = growForest(Array.from({ length: 300 }, () => [1, 2]));
  assert.equal(flat.score(Float32Array.of(1, 2)), flat.score(Float32Array.of(9, 9)));
});

test('any finite rows grow a forest with scores between 0 and 1', () => {
  const value = fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 1, 1e38, -1e38),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 40 }), fc.nat(), (rows, seed) => {
      const forest = growForest(rows, { trees: 5, sample: 16, seed, beyond: true });
      for (const score of scoresOf(forest, rows)) {
        assert.ok(score >= 0 && score <= 1, `score ${score}`);
      }
    }),
    { numRuns: 200 },
  );
});

test('a missing value goes down both branches: the score lies within those of the channel’s values', () => {
  const rows = gaussian(500, 2, 11);
  const forest = growForest(rows, { gaps: true });
  const known = rows.map(([a]) => forest.score(Float32Array.of(a, rows[0][1])));
  const score = forest.score(Float32Array.of(NaN, rows[0][1]));
  assert.ok(score > Math.min(...known) && score < Math.max(...known));
  assert.ok(forest.score(Float32Array.of(NaN, 8)) > forest.score(Float32Array.of(NaN, 0)));
});

test('rows with gaps can be learned from', () => {
  const rows = gaussian(500, 2, 12).map((row, i) => (i % 3 === 0 ? [NaN, row[1]] : row));
  const forest = growForest(rows, { gaps: true });
  assert.ok(forest.score(Float32Array.of(8, 8)) > forest.score(Float32Array.of(0, 0)) + 0.1);
});

test('replacing trees in turn leaves the forest that those trees make', () => {
  const rows = gaussian(400, 3, 21);
  const window = windowOf(rows);
  const grower = new TreeGrower(64);
  const options = { width: 3, trees: 7, gaps: true, beyond: true };
  const replaced = new Forest(options);
  for (let tree = 0; tree < 700; tree++) {
    // Windows of different lengths make trees of different sizes, so that the ring wraps and grows.
    grower.grow(window, 0, 2 + ((tree * 37) % 398), new SeededRandom(1, tree));
    replaced.place(grower);
    if (tree >= 6 && tree % 23 === 0) {
      for (let back = 0; back < 7; back++) {
        const number = tree - back;
        const single = new Forest({ ...options, trees: 1 });
        grower.grow(window, 0, 2 + ((number * 37) % 398), new SeededRandom(1, number));
        single.place(grower);
        const row = Float32Array.from(rows[number % 400]);
        assert.equal(replaced.path(number % 7, row), single.path(0, row), `tree ${number}`);
      }
    }
  }
});

test('with "beyond", one channel far out of many is enough; within the ranges nothing changes', () => {
  const rows = gaussian(1000, 20, 31);
  const plain = growForest(rows, { sample: 1000 });
  const beyond = growForest(rows, { sample: 1000, beyond: true });
  const row = Float32Array.from(rows[3]);
  assert.equal(beyond.score(row), plain.score(row));
  row[4] = 12;
  const inliers = scoresOf(beyond, gaussian(200, 20, 32));
  assert.ok(beyond.score(row) > Math.max(...inliers), 'missed the planted channel');
});
