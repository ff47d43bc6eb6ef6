import { hashString, SeededRandom } from '../../nodes/shared/random';
import { RowWindow } from '../../nodes/iso-forest/forest/row-window';
import { Growers, type Variant } from '../../nodes/iso-forest/forest/variant';

export const ROWS = 1000;
export const WIDTH = 8;
const TREES = 100;
const SAMPLE = 256;

/** What one library takes. */
export interface Timing {
  name: string;
  /** ms for 100 trees from {@link ROWS} rows. */
  fit: number;
  /** µs a row, all rows in one call. */
  batch: number;
  /** µs a row, one call a row. */
  single: number;
}

/** One library's way of doing it. */
export interface Contestant {
  name: string;
  fit(): void;
  scoreAll(): void;
  scoreOne(row: number): void;
}

/** Rows of a machine with a load that every second channel follows. */
export function machineRows(): number[][] {
  const random = new SeededRandom(1, WIDTH);
  let load = 0;
  return Array.from({ length: ROWS }, () => {
    load = 0.9 * load + 0.4 * random.normal();
    return Array.from({ length: WIDTH }, (_, channel) =>
      Math.fround(10 + (channel % 2) * load + 0.5 * random.normal()),
    );
  });
}

export function ours(
  rows: readonly number[][],
  variant: Variant,
  learn: 'sliding' | 'reference',
): Contestant {
  const window = new RowWindow(WIDTH, ROWS);
  const values = rows.map((row) => Float32Array.from(row));
  values.forEach((row) => window.push(row));
  const growers = new Growers(variant, SAMPLE);
  const grow = (): ReturnType<Growers['forest']> => {
    const forest = growers.forest({ width: WIDTH, trees: TREES, gaps: false, beyond: learn !== 'sliding' });
    for (let tree = 1; tree <= TREES; tree++) {
      const grower = growers.of(tree, TREES);
      grower.grow(window, 0, ROWS, new SeededRandom(1, hashString(variant), tree));
      forest.place(grower);
    }
    return forest;
  };
  let forest = grow();
  return {
    name: `iso-forest, variant ${variant}, learn ${learn}`,
    fit: () => {
      forest = grow();
    },
    scoreAll: () => values.forEach((row) => forest.score(row)),
    scoreOne: (row) => forest.score(values[row]),
  };
}

/** Medians, after as many runs again to warm up. */
export function time(contestant: Contestant, repeats: number): Timing {
  const median = (runs: number, action: (run: number) => void): number => {
    const times: number[] = [];
    for (let run = 0; run < 2 * runs; run++) {
      const began = process.hrtime.bigint();
      action(run);
      times.push(Number(process.hrtime.bigint() - began) / 1e6);
    }
    return times.slice(runs).sort((a, b) => a - b)[runs >> 1];
  };
  return {
    name: contestant.name,
    fit: median(repeats, () => contestant.fit()),
    batch: (median(repeats, () => contestant.scoreAll()) / ROWS) * 1000,
    single: median(20 * repeats, (run) => contestant.scoreOne(run % ROWS)) * 1000,
  };
}
