import FFT from 'fft.js';

/**
 * Tables are kept for windows of this many samples together, about 40 MB: a stream has one or two lengths, and strangers
 * may send any.
 */
const KEPT_SAMPLES = 262_144;
/** Below this the transform by chirp is used, as the FFT library is made for longer ones. */
const SHORTEST_FFT = 16;

/** Power spectrum of one window. Valid until the next one of the same length is made. */
export interface PowerSpectrum {
  /** |X_k|² of the mean-removed, Hann-windowed samples for k = 0 … floor(n/2). */
  power: Float64Array;
  /** Number of bins in use. */
  bins: number;
  /** Number of samples. */
  length: number;
  /** Σ w and Σ w² of the Hann window. */
  windowSum: number;
  windowSquares: number;
}

/**
 * Spectra of windows of any length.
 *
 * The mean is removed and the periodic Hann window w_i = 0.5 − 0.5 cos(2πi/n) applied. Lengths that are powers of two
 * go through fft.js; all others through Bluestein's chirp transform (Bluestein 1970; Oppenheim and Schafer,
 * *Discrete-Time Signal Processing*, 9.6) on top of it, so that the bins are exactly k·rate/n and no zeros are added.
 */
export class SpectrumAnalyzer {
  private readonly plans = new Map<number, Plan>();
  private kept = 0;

  /** @param samples only the first `length` are read; `length` is at least 1 */
  analyze(samples: ArrayLike<number>, length: number, mean: number): PowerSpectrum {
    const plan = this.plans.get(length) ?? this.planFor(length);
    plan.run(samples, mean);
    return plan.spectrum;
  }

  private planFor(length: number): Plan {
    const plan =
      isPowerOfTwo(length) && length >= SHORTEST_FFT ? new DirectPlan(length) : new ChirpPlan(length);
    if (length <= KEPT_SAMPLES) {
      for (const oldest of this.plans.keys()) {
        if (this.kept + length <= KEPT_SAMPLES) {
          break;
        }
        this.plans.delete(oldest);
        this.kept -= oldest;
      }
      this.plans.set(length, plan);
      this.kept += length;
    }
    return plan;
  }
}

interface Plan {
  readonly spectrum: PowerSpectrum;
  run(samples: ArrayLike<number>, mean: number): void;
}

class DirectPlan implements Plan {
  readonly spectrum: PowerSpectrum;
  private readonly fft: FFT;
  private readonly window: Float64Array;
  private readonly input: Float64Array;
  private readonly output: Float64Array;

  constructor(private readonly length: number) {
    this.fft = new FFT(length);
    this.window = hann(length);
    this.spectrum = emptySpectrum(this.window);
    this.input = new Float64Array(length);
    this.output = new Float64Array(2 * length);
  }

  run(samples: ArrayLike<number>, mean: number): void {
    const { length, window, input, output } = this;
    for (let i = 0; i < length; i++) {
      input[i] = (samples[i] - mean) * window[i];
    }
    this.fft.realTransform(output, input);
    const { power, bins } = this.spectrum;
    for (let k = 0; k < bins; k++) {
      power[k] = output[2 * k] * output[2 * k] + output[2 * k + 1] * output[2 * k + 1];
    }
  }
}

/** X_k = c_k Σ (x_i c_i) conj(c_{k−i}) with the chirp c_i = exp(−πi²/n·j): a convolution, done by FFTs. */
class ChirpPlan implements Plan {
  readonly spectrum: PowerSpectrum;
  private readonly fft: FFT;
  /** Hann window times chirp, interleaved real and imaginary. */
  private readonly weights: Float64Array;
  /** Transform of the conjugate chirp. */
  private readonly filter: Float64Array;
  private readonly first: Float64Array;
  private readonly second: Float64Array;

  constructor(private readonly length: number) {
    const window = hann(length);
    this.spectrum = emptySpectrum(window);
    let size = SHORTEST_FFT;
    while (size < 2 * length) {
      size *= 2;
    }
    this.fft = new FFT(size);
    this.weights = new Float64Array(2 * length);
    this.first = new Float64Array(2 * size);
    this.second = new Float64Array(2 * size);
    this.filter = new Float64Array(2 * size);
    const conjugate = new Float64Array(2 * size);
    for (let i = 0; i < length; i++) {
      // i² modulo 2n keeps the angle small, and with it exact.
      const angle = (Math.PI * ((i * i) % (2 * length))) / length;
      this.weights[2 * i] = window[i] * Math.cos(angle);
      this.weights[2 * i + 1] = -window[i] * Math.sin(angle);
      for (const at of i === 0 ? [0] : [i, size - i]) {
        conjugate[2 * at] = Math.cos(angle);
        conjugate[2 * at + 1] = Math.sin(angle);
      }
    }
    this.fft.transform(this.filter, conjugate);
  }

  run(samples: ArrayLike<number>, mean: number): void {
    const { length, weights, filter, first, second } = this;
    first.fill(0, 2 * length);
    for (let i = 0; i < length; i++) {
      const value = samples[i] - mean;
      first[2 * i] = value * weights[2 * i];
      first[2 * i + 1] = value * weights[2 * i + 1];
    }
    this.fft.transform(second, first);
    for (let at = 0; at < second.length; at += 2) {
      const real = second[at] * filter[at] - second[at + 1] * filter[at + 1];
      second[at + 1] = second[at] * filter[at + 1] + second[at + 1] * filter[at];
      second[at] = real;
    }
    this.fft.inverseTransform(first, second);
    const { power, bins } = this.spectrum;
    // The last factor c_k has magnitude 1 and does not change the power.
    for (let k = 0; k < bins; k++) {
      power[k] = first[2 * k] * first[2 * k] + first[2 * k + 1] * first[2 * k + 1];
    }
  }
}

function hann(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length));
}

function emptySpectrum(window: Float64Array): PowerSpectrum {
  const bins = Math.floor(window.length / 2) + 1;
  return {
    power: new Float64Array(bins),
    bins,
    length: window.length,
    windowSum: window.reduce((sum, w) => sum + w, 0),
    windowSquares: window.reduce((sum, w) => sum + w * w, 0),
  };
}

function isPowerOfTwo(value: number): boolean {
  return (value & (value - 1)) === 0;
}
