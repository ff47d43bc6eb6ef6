import { hashString, SeededRandom } from '../../nodes/shared/random';
import { RowWindow } from '../../nodes/iso-forest/forest/row-window';
import { Growers, type Variant } from '../../nodes/iso-forest/forest/variant';
import { ranking, type Ranking } from './ranking';
import type { TabularSet } from './sets';

const TREES = 100;
const SAMPLE = 256;

/** Learns all rows of a set and ranks them, as scikit-learn's figures do. */
export function rankTabular(
  { name, width, rows, anomalous }: TabularSet,
  variant: Variant,
  seed: number,
): Ranking {
  const window = new RowWindow(width, rows.length);
  rows.forEach((row) => window.push(row));
  const growers = new Growers(variant, SAMPLE);
  const forest = growers.forest({ width, trees: TREES, gaps: false, beyond: false });
  for (let tree = 1; tree <= TREES; tree++) {
    const grower = growers.of(tree, TREES);
    grower.grow(window, 0, rows.length, new SeededRandom(seed, hashString(name), tree));
    forest.place(grower);
  }
  return ranking(
    rows.map((row) => forest.score(row)),
    anomalous,
  );
}
