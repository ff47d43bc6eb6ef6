import { unitRoot } from '../fft';
import type { DeviationSums, Samples, Sums, WindowPasses } from '../passes';
import { emptySpectrum, hann, type PowerSpectrum, type SpectrumPlan } from '../power-spectrum';
import type { Layout, Place } from './layout';
import { instantiate, type Memory } from './memory';
import { deviationsFunction, sumsFunction } from './sums';
import { spectrumFunction } from './transform';

interface Exports {
  sums(): void;
  deviations(mean: number, scale: number): void;
  spectrum(mean: number): void;
}

/** The passes and the spectrum of windows of one length, a power of two from 16 on, two samples at a time in WebAssembly. */
export class SimdKernel implements WindowPasses, SpectrumPlan {
  readonly samples: Float64Array;
  readonly spectrum: PowerSpectrum;
  private readonly results: Float64Array;
  private readonly real: Float64Array;
  private readonly imaginary: Float64Array;

  private readonly exports: Exports;

  /** @throws WebAssembly.CompileError where there are no vectors */
  constructor(layout: Layout, memory: Memory) {
    const { f, transformed } = spectrumFunction(layout);
    this.exports = instantiate([sumsFunction(layout), deviationsFunction(layout), f], memory) as Exports;
    const view = ({ at, length }: Place): Float64Array => new Float64Array(memory.buffer, at, length);
    const window = hann(layout.length);
    view(layout.window).set(window);
    this.samples = view(layout.samples);
    this.results = view(layout.results);
    this.real = view(transformed.real);
    this.imaginary = view(transformed.imaginary);
    this.spectrum = { ...emptySpectrum(window), power: view(layout.power) };
    const roots = { real: view(layout.roots.real), imaginary: view(layout.roots.imaginary) };
    for (let k = 0; k <= layout.half / 2; k++) {
      [roots.real[k], roots.imaginary[k]] = unitRoot(k, layout.length);
    }
    layout.stages.forEach(({ part, factors }, i) => {
      fillFactors(view(factors), part, i === 0);
    });
  }

  sums(): Sums {
    this.exports.sums();
    const { results } = this;
    return {
      sum: results[0] + results[1],
      squares: results[2] + results[3],
      magnitudes: results[4] + results[5],
      min: Math.min(results[6], results[7]),
      max: Math.max(results[8], results[9]),
    };
  }

  deviations(_length: number, mean: number, scale: number): DeviationSums {
    this.exports.deviations(mean, scale);
    const { results } = this;
    return {
      first: results[0] + results[1],
      second: results[2] + results[3],
      third: results[4] + results[5],
      fourth: results[6] + results[7],
    };
  }

  run(samples: Samples, mean: number): void {
    if (samples !== this.samples) {
      this.samples.set(samples.subarray(0, this.samples.length));
    }
    this.exports.spectrum(mean);
    const { power, bins } = this.spectrum;
    power[0] = (this.real[0] + this.imaginary[0]) ** 2;
    power[bins - 1] = (this.real[0] - this.imaginary[0]) ** 2;
  }
}

/**
 * Real and imaginary part of W^p, W^2p and W^3p for each p below a quarter of the part; where `paired`, those of two
 * neighbouring p side by side.
 */
function fillFactors(factors: Float64Array, part: number, paired: boolean): void {
  for (let p = 0; 4 * p < part; p++) {
    for (let power = 1; power <= 3; power++) {
      const [real, imaginary] = unitRoot(power * p, part);
      const at = paired ? 12 * (p >> 1) + (p & 1) + 4 * (power - 1) : 6 * p + 2 * (power - 1);
      factors[at] = real;
      factors[at + (paired ? 2 : 1)] = imaginary;
    }
  }
}
