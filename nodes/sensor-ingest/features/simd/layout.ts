const BYTES = Float64Array.BYTES_PER_ELEMENT;
/** Five pairs. */
const RESULTS = 10;

/** Doubles in the memory, from byte `at` on. */
export interface Place {
  readonly at: number;
  readonly length: number;
}

/** Values of one kind with their real and their imaginary parts. */
export interface ComplexPlace {
  readonly real: Place;
  readonly imaginary: Place;
}

/** A step of the transform: the values lie `stride` apart of those that they meet, and are turned by roots of unity of `part`. */
export interface Stage {
  readonly part: number;
  readonly stride: number;
  /** The factors by which what comes out is turned, see {@link fillFactors}. */
  readonly factors: Place;
}

/** Where everything lies in the memory of a kernel for windows of `length` samples, a power of two from 16 on; from byte `start` up to `end`. */
export class Layout {
  readonly half: number;
  /** What the passes over the samples found: two partial results of each. */
  readonly results: Place;
  readonly samples: Place;
  readonly window: Place;
  /** Half as many complex values, and where the transform puts them in turn. */
  readonly values: readonly [ComplexPlace, ComplexPlace];
  /** exp(−2πik/length·j) for k up to a quarter of it. */
  readonly roots: ComplexPlace;
  readonly power: Place;
  readonly stages: readonly Stage[];
  end: number;

  constructor(
    readonly length: number,
    start: number,
  ) {
    this.end = start;
    this.half = length / 2;
    this.results = this.take(RESULTS);
    this.samples = this.take(length);
    this.window = this.take(length);
    this.values = [this.takeComplex(this.half), this.takeComplex(this.half)];
    // Pairs are read and written from an odd place on: one more than there are.
    this.roots = this.takeComplex(this.half / 2 + 2);
    this.power = this.take(this.half + 1);
    const stages: Stage[] = [];
    for (let part = this.half, stride = 1; part >= 4; part /= 4, stride *= 4) {
      stages.push({ part, stride, factors: this.take((6 * part) / 4) });
    }
    this.stages = stages;
  }

  private take(length: number): Place {
    const place = { at: this.end, length };
    this.end += length * BYTES;
    return place;
  }

  private takeComplex(length: number): ComplexPlace {
    return { real: this.take(length), imaginary: this.take(length) };
  }
}
