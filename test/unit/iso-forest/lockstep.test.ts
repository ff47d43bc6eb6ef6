import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Growers, VARIANTS, type Ensemble } from '../../../nodes/iso-forest/forest/variant';
import { SeededRandom } from '../../../nodes/shared/random';
import { windowOf } from './support';

/** The score tree by tree: one sum for each kind of tree, in the order of the places. */
function scoreByTree(forest: Ensemble, row: Float32Array, blend: boolean): number {
  const kinds = blend ? [0, 1] : [0];
  let sum = 0;
  let weight = 0;
  for (const kind of kinds) {
    let paths = 0;
    let trees = 0;
    for (let place = kind; trees < share(forest.standing, kind, kinds.length); place += kinds.length) {
      paths += forest.path(place, row);
      trees++;
    }
    sum += forest.weight(kind) * paths;
    weight += forest.weight(kind) * trees;
  }
  return forest.scoreOf(sum / weight);
}

/** Of trees that came in turn, those of one kind. */
const share = (standing: number, kind: number, kinds: number): number => Math.ceil((standing - kind) / kinds);

const number = fc.oneof(
  { weight: 8, arbitrary: fc.float({ min: -100, max: 100, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 1, 1e38, -1e38, 1e-40) },
);
const gappy = fc.oneof({ weight: 6, arbitrary: number }, { weight: 1, arbitrary: fc.constant(NaN) });
const rowsOf = (value: fc.Arbitrary<number>, minLength = 1): fc.Arbitrary<number[][]> =>
  fc.array(fc.array(value, { minLength: 3, maxLength: 3 }), { minLength, maxLength: 60 });

test('walking all trees at once gives the score of a walk tree by tree, to the last bit', () => {
  const learned = fc.boolean().chain((gaps) => fc.tuple(fc.constant(gaps), rowsOf(gaps ? gappy : number)));
  fc.assert(
    fc.property(
      learned,
      rowsOf(gappy),
      fc.constantFrom(...VARIANTS),
      fc.boolean(),
      fc.array(fc.tuple(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 2, max: 25 })), {
        minLength: 1,
        maxLength: 3,
      }),
      ([gaps, rows], asked, variant, beyond, shapes) => {
        const window = windowOf(rows);
        const growers = new Growers(variant, 16);
        // They share a workspace; some are not full, in others trees were replaced.
        const forests = shapes.map(([trees, grown], at) => {
          const forest = growers.forest({ width: 3, trees, gaps, beyond });
          for (let tree = 1; tree <= grown; tree++) {
            const grower = growers.of(tree, trees);
            grower.grow(window, 0, rows.length, new SeededRandom(at, tree));
            forest.place(grower);
          }
          return forest;
        });
        for (const values of [...rows, ...asked]) {
          const row = Float32Array.from(values);
          for (const forest of forests) {
            assert.equal(forest.score(row), scoreByTree(forest, row, variant === 'blend'), variant);
          }
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('a tree says the same of a row for as long as it stands, whatever trees come beside it', () => {
  fc.assert(
    fc.property(
      rowsOf(gappy, 40),
      rowsOf(gappy),
      fc.constantFrom(...VARIANTS),
      fc.boolean(),
      fc.integer({ min: 2, max: 9 }),
      fc.array(fc.nat({ max: 59 }), { minLength: 1, maxLength: 30 }),
      (rows, asked, variant, gaps, trees, lengths) => {
        const window = windowOf(rows);
        const growers = new Growers(variant, 64);
        const forest = growers.forest({ width: 3, trees, gaps, beyond: true });
        const said = new Map<number, number[]>();
        const sayings = (place: number): number[] =>
          asked.map((values) => forest.path(place, Float32Array.from(values)));
        // Trees of few rows are low; those of more make the forest deeper, or move it.
        for (const [at, length] of lengths.entries()) {
          const grower = growers.of(at + 1, trees);
          grower.grow(window, 0, 1 + (length % rows.length), new SeededRandom(at));
          const place = forest.place(grower);
          said.set(place, sayings(place));
          for (const [other, before] of said) {
            assert.deepEqual(sayings(other), before, `${variant}: place ${other} after tree ${at + 1}`);
          }
        }
        forest.trim();
        for (const [place, before] of said) {
          assert.deepEqual(sayings(place), before, `${variant}: place ${place} after trimming`);
        }
      },
    ),
    { numRuns: 150 },
  );
});
