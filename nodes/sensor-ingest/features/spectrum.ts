import { FourierTransform, unitRoot } from './fft';
import type { Samples } from './passes';
import { emptySpectrum, hann, type PowerSpectrum, type SpectrumPlan } from './power-spectrum';
import type { SimdKernel } from './simd/kernel';
import { SimdKernels } from './simd/kernels';

/**
 * Tables are kept for windows of this many samples together, about 40 MB: a stream has one or two lengths, and strangers
 * may send any.
 */
const KEPT_SAMPLES = 262_144;
/** Below this the transform by chirp is used: the other takes half a window, at least four values, at a time. */
const SHORTEST_FFT = 16;

/**
 * Spectra of windows of any length.
 *
 * The mean is removed and the periodic Hann window w_i = 0.5 − 0.5 cos(2πi/n) applied. Lengths that are powers of two
 * are transformed as they are, in WebAssembly where it has vectors; all others go through Bluestein's chirp transform
 * (Bluestein 1970; Oppenheim and Schafer, *Discrete-Time Signal Processing*, 9.6) on top of it, so that the bins are
 * exactly k·rate/n and no zeros are added.
 */
export class SpectrumAnalyzer {
  private readonly plans = new Map<number, SpectrumPlan>();
  private readonly kernels: SimdKernels;
  private kept = 0;

  /** @param vectors false to do without WebAssembly where it could be used */
  constructor(vectors = true) {
    this.kernels = new SimdKernels(KEPT_SAMPLES, vectors);
  }

  /** @param samples only the first `length` are read; `length` is at least 1 */
  analyze(samples: Samples, length: number, mean: number): PowerSpectrum {
    const plan = this.kernelFor(length) ?? this.plans.get(length) ?? this.planFor(length);
    plan.run(samples, mean);
    return plan.spectrum;
  }

  /** What makes the spectra of windows of this length, and passes over them, in WebAssembly, if anything does. */
  kernelFor(length: number): SimdKernel | undefined {
    return isDirect(length) ? this.kernels.for(length) : undefined;
  }

  private planFor(length: number): SpectrumPlan {
    const plan = isDirect(length) ? new DirectPlan(length) : new ChirpPlan(length);
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

/** Even samples as real and odd ones as imaginary parts of half as many complex values, their transform then taken apart. */
class DirectPlan implements SpectrumPlan {
  readonly spectrum: PowerSpectrum;
  private readonly fft: FourierTransform;
  /** The Hann window in the order in which the transform takes the pairs. */
  private readonly window: Float64Array;
  private readonly real: Float64Array;
  private readonly imaginary: Float64Array;
  /** exp(−2πik/n·j) for k below n/4, interleaved real and imaginary. */
  private readonly roots: Float64Array;

  constructor(length: number) {
    const half = length / 2;
    this.fft = new FourierTransform(half);
    const window = hann(length);
    this.spectrum = emptySpectrum(window);
    this.window = new Float64Array(length);
    for (const [j, pair] of this.fft.order.entries()) {
      this.window[2 * j] = window[2 * pair];
      this.window[2 * j + 1] = window[2 * pair + 1];
    }
    this.real = new Float64Array(half);
    this.imaginary = new Float64Array(half);
    this.roots = new Float64Array(half);
    for (let k = 0; 2 * k < half; k++) {
      this.roots.set(unitRoot(k, length), 2 * k);
    }
  }

  run(samples: Samples, mean: number): void {
    const { window, real, imaginary } = this;
    const { order } = this.fft;
    for (let j = 0; j < order.length; j++) {
      const at = 2 * order[j];
      real[j] = (samples[at] - mean) * window[2 * j];
      imaginary[j] = (samples[at + 1] - mean) * window[2 * j + 1];
    }
    this.fft.transform(real, imaginary);
    this.takeApart();
  }

  /** Z_k and Z_{n/2−k} give X_k and X_{n/2−k}: the sum and the difference of the even samples' and the odd samples' transform. */
  private takeApart(): void {
    const { real, imaginary, roots } = this;
    const { power } = this.spectrum;
    const half = real.length;
    power[0] = (real[0] + imaginary[0]) ** 2;
    power[half] = (real[0] - imaginary[0]) ** 2;
    for (let k = 1, mirror = half - 1; k < mirror; k++, mirror--) {
      const nearR = real[k];
      const nearI = imaginary[k];
      const farR = real[mirror];
      const farI = imaginary[mirror];
      const rootR = roots[2 * k];
      const rootI = roots[2 * k + 1];
      const evenR = nearR + farR;
      const evenI = nearI - farI;
      const oddR = nearI + farI;
      const oddI = farR - nearR;
      const turnedR = rootR * oddR - rootI * oddI;
      const turnedI = rootR * oddI + rootI * oddR;
      const sumR = evenR + turnedR;
      const sumI = evenI + turnedI;
      const gapR = evenR - turnedR;
      const gapI = evenI - turnedI;
      power[k] = 0.25 * (sumR * sumR + sumI * sumI);
      power[mirror] = 0.25 * (gapR * gapR + gapI * gapI);
    }
    const middle = half / 2;
    power[middle] = real[middle] * real[middle] + imaginary[middle] * imaginary[middle];
  }
}

/** X_k = c_k Σ (x_i c_i) conj(c_{k−i}) with the chirp c_i = exp(−πi²/n·j): a convolution, done by FFTs. */
class ChirpPlan implements SpectrumPlan {
  readonly spectrum: PowerSpectrum;
  private readonly fft: FourierTransform;
  /** Hann window times chirp, interleaved real and imaginary. */
  private readonly weights: Float64Array;
  /** Transform of the conjugate chirp, divided by the size of the transform. */
  private readonly filter: Complex;
  private readonly first: Complex;
  private readonly second: Complex;

  constructor(private readonly length: number) {
    const window = hann(length);
    this.spectrum = emptySpectrum(window);
    let size = SHORTEST_FFT;
    while (size < 2 * length) {
      size *= 2;
    }
    this.fft = new FourierTransform(size);
    this.weights = new Float64Array(2 * length);
    this.first = zeros(size);
    this.second = zeros(size);
    this.filter = zeros(size);
    const conjugate = zeros(size);
    for (let i = 0; i < length; i++) {
      // i² modulo 2n keeps the angle small, and with it exact.
      const [cosine, negativeSine] = unitRoot((i * i) % (2 * length), 2 * length);
      this.weights[2 * i] = window[i] * cosine;
      this.weights[2 * i + 1] = window[i] * negativeSine;
      for (const at of i === 0 ? [0] : [i, size - i]) {
        conjugate.real[at] = cosine / size;
        conjugate.imaginary[at] = -negativeSine / size;
      }
    }
    const { order } = this.fft;
    for (let j = 0; j < size; j++) {
      this.filter.real[j] = conjugate.real[order[j]];
      this.filter.imaginary[j] = conjugate.imaginary[order[j]];
    }
    this.fft.transform(this.filter.real, this.filter.imaginary);
  }

  run(samples: Samples, mean: number): void {
    const { length, weights, first, second, filter } = this;
    const { order } = this.fft;
    for (let j = 0; j < order.length; j++) {
      const i = order[j];
      const value = i < length ? samples[i] - mean : 0;
      first.real[j] = i < length ? value * weights[2 * i] : 0;
      first.imaginary[j] = i < length ? value * weights[2 * i + 1] : 0;
    }
    this.fft.transform(first.real, first.imaginary);
    // With real and imaginary parts exchanged on both sides, a transform is its inverse, but for its size.
    for (let j = 0; j < order.length; j++) {
      const i = order[j];
      second.imaginary[j] = first.real[i] * filter.real[i] - first.imaginary[i] * filter.imaginary[i];
      second.real[j] = first.real[i] * filter.imaginary[i] + first.imaginary[i] * filter.real[i];
    }
    this.fft.transform(second.real, second.imaginary);
    const { power, bins } = this.spectrum;
    // The last factor c_k has magnitude 1 and does not change the power.
    for (let k = 0; k < bins; k++) {
      power[k] = second.real[k] * second.real[k] + second.imaginary[k] * second.imaginary[k];
    }
  }
}

interface Complex {
  real: Float64Array;
  imaginary: Float64Array;
}

function zeros(size: number): Complex {
  return { real: new Float64Array(size), imaginary: new Float64Array(size) };
}

/** Whether windows of this length are transformed as they are. */
function isDirect(length: number): boolean {
  return (length & (length - 1)) === 0 && length >= SHORTEST_FFT;
}
