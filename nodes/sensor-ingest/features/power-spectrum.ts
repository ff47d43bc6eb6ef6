import type { Samples } from './passes';

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

/** Makes the spectra of windows of one length. */
export interface SpectrumPlan {
  /** The last that it made. */
  readonly spectrum: PowerSpectrum;
  /** @param samples as many as the plan is for are read */
  run(samples: Samples, mean: number): void;
}

/** The periodic Hann window w_i = 0.5 − 0.5 cos(2πi/n). */
export function hann(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length));
}

export function emptySpectrum(window: Float64Array): PowerSpectrum {
  const bins = Math.floor(window.length / 2) + 1;
  return {
    power: new Float64Array(bins),
    bins,
    length: window.length,
    windowSum: window.reduce((sum, w) => sum + w, 0),
    windowSquares: window.reduce((sum, w) => sum + w * w, 0),
  };
}
