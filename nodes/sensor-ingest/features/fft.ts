const SMALLEST = 4;
/** Values that a stage goes through several times in a row: 16 KB, what the first-level cache holds. */
const CACHED = 1024;

/**
 * Discrete Fourier transforms of one size, in place, of complex values in two arrays of numbers: decimation in time by
 * four, the first stage by eight when the size is an odd power of two (Cooley and Tukey 1965; Van Loan, *Computational
 * Frameworks for the Fast Fourier Transform*, 2.4), with tables made once.
 */
export class FourierTransform {
  /** Where the transform expects what: place j takes value `order[j]`. */
  readonly order: Int32Array;
  /** For each stage and k: real and imaginary part of W^k, W^2k and W^3k. */
  private readonly stages: readonly Float64Array[];
  private readonly startsWithEight: boolean;

  /** @param size a power of two, at least 4 */
  constructor(readonly size: number) {
    if (size < SMALLEST || !Number.isInteger(Math.log2(size))) {
      throw new RangeError(
        `A transform of ${size} values: the size has to be a power of two, at least ${SMALLEST}.`,
      );
    }
    this.startsWithEight = Math.log2(size) % 2 === 1;
    const first = this.startsWithEight ? 8 : 4;
    const stages: Float64Array[] = [];
    for (let part = first; part < size; part *= 4) {
      stages.push(stageFactors(part));
    }
    this.stages = stages;
    this.order = inputOrder(size);
  }

  /** Σ x_i exp(−2πik/size·j) for each k; the values come in {@link order} and leave in that of k. */
  transform(real: Float64Array, imaginary: Float64Array): void {
    if (this.startsWithEight) {
      combineEights(real, imaginary, this.size);
    } else {
      combineFours(real, imaginary, this.size);
    }
    for (const factors of this.stages) {
      const span = Math.min(this.size, Math.max(CACHED, (4 * factors.length) / 6));
      for (let from = 0; from < this.size; from += span) {
        combineParts(real, imaginary, from, from + span, factors);
      }
    }
  }
}

/** Real and imaginary part of exp(−2πik/n·j). */
export function unitRoot(k: number, n: number): [real: number, imaginary: number] {
  const angle = (2 * Math.PI * k) / n;
  return [Math.cos(angle), -Math.sin(angle)];
}

function stageFactors(part: number): Float64Array {
  const factors = new Float64Array(6 * part);
  for (let k = 0; k < part; k++) {
    for (let power = 1; power <= 3; power++) {
      factors.set(unitRoot(power * k, 4 * part), 6 * k + 2 * (power - 1));
    }
  }
  return factors;
}

/** The part that the last stage reads as its j-th holds every fourth value from j on, and so on down to the first. */
function inputOrder(size: number): Int32Array {
  let order = Int32Array.from(Math.log2(size) % 2 === 1 ? [0, 1] : [0]);
  while (order.length < size) {
    const parts = order;
    order = new Int32Array(4 * parts.length);
    for (let j = 0; j < 4; j++) {
      order.set(
        parts.map((index) => 4 * index + j),
        j * parts.length,
      );
    }
  }
  return order;
}

/** Four transforms of two, then two of four over their sums and over their differences. */
function combineEights(real: Float64Array, imaginary: Float64Array, size: number): void {
  for (let at = 0; at < size; at += 8) {
    const r0 = real[at];
    const i0 = imaginary[at];
    const r1 = real[at + 1];
    const i1 = imaginary[at + 1];
    const r2 = real[at + 2];
    const i2 = imaginary[at + 2];
    const r3 = real[at + 3];
    const i3 = imaginary[at + 3];
    const r4 = real[at + 4];
    const i4 = imaginary[at + 4];
    const r5 = real[at + 5];
    const i5 = imaginary[at + 5];
    const r6 = real[at + 6];
    const i6 = imaginary[at + 6];
    const r7 = real[at + 7];
    const i7 = imaginary[at + 7];
    const sum0R = r0 + r1;
    const sum0I = i0 + i1;
    const gap0R = r0 - r1;
    const gap0I = i0 - i1;
    const sum1R = r2 + r3;
    const sum1I = i2 + i3;
    const gap1R = r2 - r3;
    const gap1I = i2 - i3;
    const sum2R = r4 + r5;
    const sum2I = i4 + i5;
    const gap2R = r4 - r5;
    const gap2I = i4 - i5;
    const sum3R = r6 + r7;
    const sum3I = i6 + i7;
    const gap3R = r6 - r7;
    const gap3I = i6 - i7;
    real[at] = sum0R + sum2R + (sum1R + sum3R);
    imaginary[at] = sum0I + sum2I + (sum1I + sum3I);
    real[at + 2] = sum0R - sum2R + (sum1I - sum3I);
    imaginary[at + 2] = sum0I - sum2I - (sum1R - sum3R);
    real[at + 4] = sum0R + sum2R - (sum1R + sum3R);
    imaginary[at + 4] = sum0I + sum2I - (sum1I + sum3I);
    real[at + 6] = sum0R - sum2R - (sum1I - sum3I);
    imaginary[at + 6] = sum0I - sum2I + (sum1R - sum3R);
    // The differences turned by an eighth, a quarter and three eighths.
    const one1R = Math.SQRT1_2 * (gap1R + gap1I);
    const one1I = Math.SQRT1_2 * (gap1I - gap1R);
    const one3R = Math.SQRT1_2 * (gap3I - gap3R);
    const one3I = -Math.SQRT1_2 * (gap3R + gap3I);
    real[at + 1] = gap0R + gap2I + (one1R + one3R);
    imaginary[at + 1] = gap0I - gap2R + (one1I + one3I);
    real[at + 3] = gap0R - gap2I + (one1I - one3I);
    imaginary[at + 3] = gap0I + gap2R - (one1R - one3R);
    real[at + 5] = gap0R + gap2I - (one1R + one3R);
    imaginary[at + 5] = gap0I - gap2R - (one1I + one3I);
    real[at + 7] = gap0R - gap2I - (one1I - one3I);
    imaginary[at + 7] = gap0I + gap2R + (one1R - one3R);
  }
}

function combineFours(real: Float64Array, imaginary: Float64Array, size: number): void {
  for (let at = 0; at < size; at += 4) {
    const r0 = real[at];
    const i0 = imaginary[at];
    const r1 = real[at + 1];
    const i1 = imaginary[at + 1];
    const r2 = real[at + 2];
    const i2 = imaginary[at + 2];
    const r3 = real[at + 3];
    const i3 = imaginary[at + 3];
    const evenSumR = r0 + r2;
    const evenSumI = i0 + i2;
    const evenGapR = r0 - r2;
    const evenGapI = i0 - i2;
    const oddSumR = r1 + r3;
    const oddSumI = i1 + i3;
    const oddGapR = r1 - r3;
    const oddGapI = i1 - i3;
    real[at] = evenSumR + oddSumR;
    imaginary[at] = evenSumI + oddSumI;
    real[at + 1] = evenGapR + oddGapI;
    imaginary[at + 1] = evenGapI - oddGapR;
    real[at + 2] = evenSumR - oddSumR;
    imaginary[at + 2] = evenSumI - oddSumI;
    real[at + 3] = evenGapR - oddGapI;
    imaginary[at + 3] = evenGapI + oddGapR;
  }
}

/** Makes one transform of each four neighbouring ones, from place `from` up to `to`. */
function combineParts(
  real: Float64Array,
  imaginary: Float64Array,
  from: number,
  to: number,
  factors: Float64Array,
): void {
  const part = factors.length / 6;
  for (let k = 0; k < part; k++) {
    const w1r = factors[6 * k];
    const w1i = factors[6 * k + 1];
    const w2r = factors[6 * k + 2];
    const w2i = factors[6 * k + 3];
    const w3r = factors[6 * k + 4];
    const w3i = factors[6 * k + 5];
    for (let at0 = from + k; at0 < to; at0 += 4 * part) {
      const at1 = at0 + part;
      const at2 = at1 + part;
      const at3 = at2 + part;
      const x0 = real[at0];
      const y0 = imaginary[at0];
      const x1 = real[at1];
      const y1 = imaginary[at1];
      const x2 = real[at2];
      const y2 = imaginary[at2];
      const x3 = real[at3];
      const y3 = imaginary[at3];
      const r1 = x1 * w1r - y1 * w1i;
      const i1 = x1 * w1i + y1 * w1r;
      const r2 = x2 * w2r - y2 * w2i;
      const i2 = x2 * w2i + y2 * w2r;
      const r3 = x3 * w3r - y3 * w3i;
      const i3 = x3 * w3i + y3 * w3r;
      const evenSumR = x0 + r2;
      const evenSumI = y0 + i2;
      const evenGapR = x0 - r2;
      const evenGapI = y0 - i2;
      const oddSumR = r1 + r3;
      const oddSumI = i1 + i3;
      const oddGapR = r1 - r3;
      const oddGapI = i1 - i3;
      real[at0] = evenSumR + oddSumR;
      imaginary[at0] = evenSumI + oddSumI;
      real[at1] = evenGapR + oddGapI;
      imaginary[at1] = evenGapI - oddGapR;
      real[at2] = evenSumR - oddSumR;
      imaginary[at2] = evenSumI - oddSumI;
      real[at3] = evenGapR - oddGapI;
      imaginary[at3] = evenGapI + oddGapR;
    }
  }
}
