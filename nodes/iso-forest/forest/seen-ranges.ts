import type { SubSample } from './sub-sample';

const LEAST_RANGE = 0.1;

/**
 * What each tree saw: the least and greatest value of every feature. An isolation tree says the same of all that lies
 * beyond; how far beyond decides here.
 */
export class SeenRanges {
  /** Least and greatest value by feature and tree: those of tree `t` in feature `f` at `2 (trees f + t)`. */
  private readonly bounds: Float32Array;
  /** By feature, the greatest least value of all trees and the least greatest one: in between, no tree is left behind. */
  private readonly inner: Float32Array;

  constructor(
    private readonly width: number,
    private readonly trees: number,
  ) {
    this.bounds = new Float32Array(2 * width * trees);
    this.inner = new Float32Array(2 * width);
  }

  get bytes(): number {
    return this.bounds.byteLength + this.inner.byteLength;
  }

  /** @param standing trees that stand once this one does */
  set(slot: number, { lows, highs }: SubSample, standing: number): void {
    for (let feature = 0; feature < this.width; feature++) {
      const at = 2 * (feature * this.trees + slot);
      this.bounds[at] = lows[feature];
      this.bounds[at + 1] = highs[feature];
      this.narrow(feature, standing);
    }
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

  /**
   * {@link chanceApart} of the first `standing` trees, to the last bit. Most values lie within what every tree saw; only
   * the others are compared with the trees' ranges.
   *
   * @param chances is filled, unless the row lies within all ranges
   * @returns whether it was
   */
  chancesApart(row: Float32Array, standing: number, chances: Float64Array): boolean {
    const { inner, width } = this;
    let any = false;
    for (let feature = 0; feature < width; feature++) {
      const value = row[feature];
      if (value < inner[2 * feature] || value > inner[2 * feature + 1]) {
        if (!any) {
          chances.fill(1, 0, standing);
          any = true;
        }
        this.keepTogether(feature, value, standing, chances);
      }
    }
    for (let slot = 0; any && slot < standing; slot++) {
      chances[slot] = 1 - chances[slot];
    }
    return any;
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
    const at = 2 * (feature * this.trees + slot);
    const low = this.bounds[at];
    const high = this.bounds[at + 1];
    if (value > high) {
      return stretch(value - high, high - low, value);
    }
    return value < low ? stretch(low - value, high - low, value) : 0;
  }

  /** Multiplies each tree's chance that a row stays with what it saw by that of one feature. */
  private keepTogether(feature: number, value: number, standing: number, together: Float64Array): void {
    for (let slot = 0; slot < standing; slot++) {
      const chance = this.stretch(slot, feature, value);
      if (chance > 0) {
        together[slot] *= 1 - chance;
      }
    }
  }

  /** A tree that saw no value of a feature bounds nothing. */
  private narrow(feature: number, standing: number): void {
    const { bounds, trees } = this;
    let low = -Infinity;
    let high = Infinity;
    const end = 2 * (feature * trees + standing);
    for (let at = 2 * feature * trees; at < end; at += 2) {
      if (bounds[at] > low) {
        low = bounds[at];
      }
      if (bounds[at + 1] < high) {
        high = bounds[at + 1];
      }
    }
    this.inner[2 * feature] = low;
    this.inner[2 * feature + 1] = high;
  }
}

/** A range below a tenth of the value itself says little about what is far: a sensor that stood still may tick. */
function stretch(outside: number, range: number, value: number): number {
  return outside / (outside + Math.max(range, Math.abs(value) * LEAST_RANGE));
}
