import type { SubSample } from './sub-sample';

const LEAST_RANGE = 0.1;

/**
 * What each tree saw: the least and greatest value of every feature. An isolation tree says the same of all that lies
 * beyond; how far beyond decides here.
 */
export class SeenRanges {
  /** By tree and feature. */
  private readonly lows: Float32Array;
  private readonly highs: Float32Array;

  constructor(
    private readonly width: number,
    trees: number,
  ) {
    this.lows = new Float32Array(width * trees);
    this.highs = new Float32Array(width * trees);
  }

  get bytes(): number {
    return this.lows.byteLength + this.highs.byteLength;
  }

  set(slot: number, { lows, highs }: SubSample): void {
    this.lows.set(lows.subarray(0, this.width), slot * this.width);
    this.highs.set(highs.subarray(0, this.width), slot * this.width);
  }

  /**
   * The chance that a row is set apart from everything a tree saw by one cut in any of its features, each drawn over the
   * seen range stretched to the row's value (after the insertion rule of random cut forests, Guha et al. 2016, where the
   * row's place in the tree decides; here every feature has its cut, so that one of many is enough). 0 within the ranges.
   */
  chanceApart(slot: number, row: Float32Array): number {
    const { width } = this;
    let together = 1;
    for (let feature = 0; feature < width; feature++) {
      const chance = this.stretch(slot, feature, row[feature]);
      if (chance > 0) {
        together *= 1 - chance;
      }
    }
    return 1 - together;
  }

  /** Gives each feature its part of `whole`, by its own chance of setting the row apart. */
  share(slot: number, row: Float32Array, whole: number, terms: Float64Array): void {
    const { width } = this;
    let all = 0;
    for (let feature = 0; feature < width; feature++) {
      all += this.stretch(slot, feature, row[feature]);
    }
    for (let feature = 0; feature < width; feature++) {
      terms[feature] += (whole * this.stretch(slot, feature, row[feature])) / all;
    }
  }

  /** The chance that one cut sets a value apart from all that a tree saw; 0 within its range, and for a missing value. */
  private stretch(slot: number, feature: number, value: number): number {
    const at = slot * this.width + feature;
    const low = this.lows[at];
    const high = this.highs[at];
    if (value > high) {
      return stretch(value - high, high - low, value);
    }
    return value < low ? stretch(low - value, high - low, value) : 0;
  }
}

/** A range below a tenth of the value itself says little about what is far: a sensor that stood still may tick. */
function stretch(outside: number, range: number, value: number): number {
  return outside / (outside + Math.max(range, Math.abs(value) * LEAST_RANGE));
}
