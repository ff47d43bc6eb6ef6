import type { Random } from '../../shared/random';
import { TreeGrower } from './tree-grower';

/** A node's range is looked at in so many equal bins: splits are tried between bins. */
const BINS = 16;

/**
 * Fair-cut trees (FCF; Cortes 2021, "Revisiting randomized choices in isolation forests", one try a node): a node is split
 * on a random combination of two features, each divided by its standard deviation in the node, where the pooled standard
 * deviation of the two sides is least; with one feature that varies, on that one. The combination is written
 * `first + weight × second`.
 */
export class PairGrower extends TreeGrower {
  /** The combination's value by row of the sub-sample; NaN where a value is missing. */
  private readonly projected: Float64Array;
  private readonly counted = new Float64Array(BINS);
  private readonly sums = new Float64Array(BINS);
  private readonly squares = new Float64Array(BINS);
  /** What {@link deviate} found. */
  private readonly deviations = new Float64Array(2);
  private low = 0;
  private high = 0;

  constructor(size: number) {
    super(size, 'pair');
    this.projected = new Float64Array(size);
  }

  protected override split(
    node: number,
    start: number,
    end: number,
    depth: number,
    open: number,
    random: Random,
  ): boolean {
    let varying = this.bringForward(0, start, end, open, random);
    if (varying === 0) {
      return false;
    }
    const [first] = this.candidates;
    varying = this.bringForward(1, start, end, varying, random);
    let weight = 0;
    let second = first;
    let threshold: number | undefined;
    if (varying > 1) {
      second = this.candidates[1];
      const slope = 2 * random.next() - 1;
      this.deviate(start, end, first, second);
      weight = Math.fround((slope * this.deviations[0]) / this.deviations[1]);
      this.project(start, end, first, second, weight);
      threshold = this.bestCut(start, end);
    }
    if (threshold === undefined) {
      weight = 0;
      this.project(start, end, first, first, 0);
      threshold = this.bestCut(start, end);
    }
    if (threshold === undefined) {
      return false;
    }
    const { links, floats, words } = this.block;
    const at = words * node;
    floats[at] = threshold;
    floats[at + 2] = weight;
    links[2 * (at + 1) + 1] = first;
    links[2 * (at + 3)] = second;
    const middle = this.sample.part(this.projected, 0, start, end, threshold, random);
    const left = this.bear(node);
    this.node(left, start, middle, depth + 1, varying, random);
    this.node(left + 1, middle, end, depth + 1, varying, random);
    return true;
  }

  /** Even splits fill every level: two less rank as well, in a fourth of the memory (`bench/README.md`, detection). */
  protected override highest(rows: number): number {
    return Math.max(1, super.highest(rows) - 2);
  }

  /**
   * Draws a candidate that varies in these rows and puts it at the place `to`; constant ones go behind the others.
   *
   * @param open how many may still vary, those before `to` included
   * @returns the same, after what was found
   */
  private bringForward(to: number, start: number, end: number, open: number, random: Random): number {
    const { candidates, sample } = this;
    let varying = open;
    while (varying > to) {
      const pick = to + random.int(varying - to);
      const feature = candidates[pick];
      const varies = sample.varies(start, end, feature);
      const place = varies ? to : --varying;
      candidates[pick] = candidates[place];
      candidates[place] = feature;
      if (varies) {
        break;
      }
    }
    return varying;
  }

  /**
   * Standard deviations of two features' values in these rows; above 0 for one that varies. Of both at once: an addition
   * waits for the one before it.
   */
  private deviate(start: number, end: number, first: number, second: number): void {
    const { columns, rows, size } = this.sample;
    const one = first * size;
    const other = second * size;
    let count = 0;
    let mean = 0;
    let otherCount = 0;
    let otherMean = 0;
    for (let i = start; i < end; i++) {
      const value = columns[one + rows[i]];
      const otherValue = columns[other + rows[i]];
      if (value === value) {
        mean += value;
        count++;
      }
      if (otherValue === otherValue) {
        otherMean += otherValue;
        otherCount++;
      }
    }
    mean /= count;
    otherMean /= otherCount;
    let squares = 0;
    let otherSquares = 0;
    for (let i = start; i < end; i++) {
      const away = columns[one + rows[i]] - mean;
      const otherAway = columns[other + rows[i]] - otherMean;
      squares += away === away ? away * away : 0;
      otherSquares += otherAway === otherAway ? otherAway * otherAway : 0;
    }
    this.deviations[0] = Math.sqrt(squares / count);
    this.deviations[1] = Math.sqrt(otherSquares / otherCount);
  }

  /** Writes what the rows are split by; leaves its range in {@link low} and {@link high}. */
  private project(start: number, end: number, first: number, second: number, weight: number): void {
    const { projected } = this;
    const { columns, rows, size } = this.sample;
    const one = first * size;
    const other = second * size;
    let low = Infinity;
    let high = -Infinity;
    for (let i = start; i < end; i++) {
      const row = rows[i];
      // Without a weight the second value may be missing, or too large to be multiplied.
      const value = weight === 0 ? columns[one + row] : columns[one + row] + weight * columns[other + row];
      projected[row] = value;
      if (value < low) {
        low = value;
      }
      if (value > high) {
        high = value;
      }
    }
    this.low = low;
    this.high = high;
  }

  /**
   * The 32-bit threshold with the least pooled deviation of what was projected, half-way between two bins that are not
   * empty; undefined when these rows cannot be told apart by one.
   */
  private bestCut(start: number, end: number): number | undefined {
    const { projected, counted, sums, squares, low, high } = this;
    const { rows } = this.sample;
    const scale = BINS / (high - low);
    if (!(high > low) || !Number.isFinite(scale) || !(scale > 0)) {
      return undefined;
    }
    // Three calls of fill() take longer than the rest of a small node.
    for (let bin = 0; bin < BINS; bin++) {
      counted[bin] = sums[bin] = squares[bin] = 0;
    }
    for (let i = start; i < end; i++) {
      const place = (projected[rows[i]] - low) * scale;
      // Not a number where a value is missing.
      if (place >= 0) {
        const bin = place < BINS ? place | 0 : BINS - 1;
        counted[bin]++;
        sums[bin] += place;
        squares[bin] += place * place;
      }
    }
    let count = 0;
    let sum = 0;
    let square = 0;
    for (let bin = 0; bin < BINS; bin++) {
      count += counted[bin];
      sum += sums[bin];
      square += squares[bin];
    }
    let least = Infinity;
    let cut = 0;
    let leftCount = counted[0];
    let leftSum = sums[0];
    let leftSquare = squares[0];
    let last = 0;
    for (let bin = 1; bin < BINS; bin++) {
      if (counted[bin] === 0) {
        continue;
      }
      const pooled =
        scatter(leftCount, leftSum, leftSquare) +
        scatter(count - leftCount, sum - leftSum, square - leftSquare);
      if (pooled < least) {
        least = pooled;
        cut = (last + 1 + bin) / 2;
      }
      leftCount += counted[bin];
      leftSum += sums[bin];
      leftSquare += squares[bin];
      last = bin;
    }
    const threshold = Math.fround(low + cut / scale);
    return threshold >= low && threshold < high ? threshold : lowest(low, high);
  }
}

/** Count times standard deviation. */
function scatter(count: number, sum: number, squares: number): number {
  return Math.sqrt(Math.max(0, count * squares - sum * sum));
}

/** A 32-bit float that leaves the least value, and not the greatest, on its left; undefined when there is none. */
function lowest(low: number, high: number): number | undefined {
  const threshold = Math.fround(low);
  return threshold >= low && threshold < high ? threshold : undefined;
}
