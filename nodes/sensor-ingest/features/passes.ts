/** What one pass over the samples of a window gives. */
export interface Sums {
  sum: number;
  squares: number;
  magnitudes: number;
  min: number;
  max: number;
}

/** Σ d, Σ d², Σ d³ and Σ d⁴ of the scaled deviations d. */
export interface DeviationSums {
  first: number;
  second: number;
  third: number;
  fourth: number;
}

export type Samples = Float64Array | Float32Array;

/** The passes over the samples of one window that its statistics need. */
export interface WindowPasses {
  /** From 0 on. */
  readonly samples: Samples;
  /** Of the first `length` samples, at least 1; NaN where one of them is. */
  sums(length: number): Sums;
  /**
   * Of the deviations (x − mean) · scale of the first `length` samples.
   *
   * @param higher false where the third and the fourth powers are not needed
   */
  deviations(length: number, mean: number, scale: number, higher: boolean): DeviationSums;
}

/** One sample after the other, for windows of any length. */
export class PlainPasses implements WindowPasses {
  samples: Samples = new Float64Array(0);
  private room = new Float64Array(0);

  /** Goes over these samples next, where they are. */
  over(samples: Samples): this {
    this.samples = samples;
    return this;
  }

  /** Room for a window, which it goes over next. */
  reserve(length: number): Float64Array {
    if (this.room.length < length) {
      this.room = new Float64Array(length);
    }
    this.samples = this.room;
    return this.room;
  }

  sums(length: number): Sums {
    const { samples } = this;
    // Two sums of each, so that an addition does not wait for the one before it.
    let sum = 0;
    let squares = 0;
    let magnitudes = 0;
    let otherSum = 0;
    let otherSquares = 0;
    let otherMagnitudes = 0;
    let min = Infinity;
    let max = -Infinity;
    const paired = length - (length % 2);
    for (let i = 0; i < paired; i += 2) {
      const value = samples[i];
      const other = samples[i + 1];
      sum += value;
      otherSum += other;
      squares += value * value;
      otherSquares += other * other;
      magnitudes += Math.abs(value);
      otherMagnitudes += Math.abs(other);
      // Which of the two is smaller nobody can foretell, the processor neither; that none is a new extreme nearly always.
      if (value < min || other < min) {
        min = Math.min(min, value, other);
      }
      if (value > max || other > max) {
        max = Math.max(max, value, other);
      }
    }
    if (paired < length) {
      const last = samples[paired];
      sum += last;
      squares += last * last;
      magnitudes += Math.abs(last);
      min = Math.min(min, last);
      max = Math.max(max, last);
    }
    return {
      sum: sum + otherSum,
      squares: squares + otherSquares,
      magnitudes: magnitudes + otherMagnitudes,
      min,
      max,
    };
  }

  deviations(length: number, mean: number, scale: number, higher: boolean): DeviationSums {
    const { samples } = this;
    let first = 0;
    let second = 0;
    let third = 0;
    let fourth = 0;
    if (higher) {
      for (let i = 0; i < length; i++) {
        const deviation = (samples[i] - mean) * scale;
        const square = deviation * deviation;
        first += deviation;
        second += square;
        third += square * deviation;
        fourth += square * square;
      }
    } else {
      for (let i = 0; i < length; i++) {
        const deviation = (samples[i] - mean) * scale;
        first += deviation;
        second += deviation * deviation;
      }
    }
    return { first, second, third, fourth };
  }
}
