import type { PowerSpectrum } from './power-spectrum';

/** Hz of the bin with the largest |X_k|, k ≥ 1; the lowest of equals, 0 when all are 0. */
export function dominantFrequency({ power, bins, length }: PowerSpectrum, sampleRate: number): number {
  let best = 0;
  let largest = 0;
  for (let k = 1; k < bins; k++) {
    if (power[k] > largest) {
      largest = power[k];
      best = k;
    }
  }
  return (best * sampleRate) / length;
}

/** Mean frequency in Hz, weighted by {@link amplitudeAt} over the bins k ≥ 1; 0 when all are 0. */
export function spectralCentroid(spectrum: PowerSpectrum, sampleRate: number): number {
  let weighted = 0;
  let total = 0;
  for (let k = 1; k < spectrum.bins; k++) {
    const amplitude = amplitudeAt(spectrum, k);
    weighted += k * amplitude;
    total += amplitude;
  }
  return total > 0 ? (weighted / total) * (sampleRate / spectrum.length) : 0;
}

/**
 * Amplitude of bin k, corrected for the Hann window: 2|X_k| / Σw, so that a pure tone of amplitude A on a bin shows A;
 * at the Nyquist frequency, which has no mirror image, |X_k| / Σw.
 */
export function amplitudeAt(spectrum: PowerSpectrum, k: number): number {
  return (sidesOf(spectrum, k) * Math.sqrt(spectrum.power[k])) / spectrum.windowSum;
}

/**
 * Mean-square value between `from` (included) and `to` (excluded), Hz, in the channel's unit squared:
 * Σ 2|X_k|² / (n Σw²) over the bins in between (Welch 1967; Heinzel, Rüdiger and Schilling 2002). All bands together
 * give the variance of a steady signal; a tone of amplitude A gives A²/2.
 */
export function bandPower(spectrum: PowerSpectrum, sampleRate: number, from: number, to: number): number {
  const { power, bins, length, windowSquares } = spectrum;
  const first = Math.max(0, Math.floor((from * length) / sampleRate) - 1);
  let sum = 0;
  for (let k = first; k < bins; k++) {
    const frequency = (k * sampleRate) / length;
    if (frequency >= to) {
      break;
    }
    if (frequency >= from) {
      sum += sidesOf(spectrum, k) * power[k];
    }
  }
  return windowSquares > 0 ? sum / (length * windowSquares) : 0;
}

function sidesOf({ length }: PowerSpectrum, k: number): 1 | 2 {
  return k === 0 || 2 * k === length ? 1 : 2;
}
