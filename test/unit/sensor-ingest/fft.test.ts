import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FourierTransform } from '../../../nodes/sensor-ingest/features/fft';
import { SpectrumAnalyzer } from '../../../nodes/sensor-ingest/features/spectrum';
import { SeededRandom } from '../../../nodes/shared/random';

/** The sum as it is defined, angles kept small so that they are exact. */
function slowTransform(real: Float64Array, imaginary: Float64Array, k: number): [number, number] {
  const n = real.length;
  let sumR = 0;
  let sumI = 0;
  for (let i = 0; i < n; i++) {
    const angle = (-2 * Math.PI * ((i * k) % n)) / n;
    sumR += real[i] * Math.cos(angle) - imaginary[i] * Math.sin(angle);
    sumI += real[i] * Math.sin(angle) + imaginary[i] * Math.cos(angle);
  }
  return [sumR, sumI];
}

for (const size of [4, 8, 16, 32, 64, 128, 512, 1024, 2048]) {
  test(`a transform of ${size} values is the sum that defines it`, () => {
    const random = new SeededRandom(size);
    const real = Float64Array.from({ length: size }, () => random.normal());
    const imaginary = Float64Array.from({ length: size }, () => random.normal());
    const fft = new FourierTransform(size);
    const foundR = Float64Array.from(fft.order, (i) => real[i]);
    const foundI = Float64Array.from(fft.order, (i) => imaginary[i]);
    fft.transform(foundR, foundI);
    for (let k = 0; k < size; k++) {
      const [sumR, sumI] = slowTransform(real, imaginary, k);
      assert.ok(Math.hypot(foundR[k] - sumR, foundI[k] - sumI) < 1e-13 * size, `bin ${k}`);
    }
  });
}

for (const length of [2, 8, 12, 16, 32, 97, 256]) {
  test(`every bin of a window of ${length} samples has the power of its definition`, () => {
    const random = new SeededRandom(length);
    const samples = Float64Array.from({ length }, () => 3 + random.normal());
    const weighted = samples.map(
      (sample, i) => (sample - 3) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length)),
    );
    const { power, bins } = new SpectrumAnalyzer().analyze(samples, length, 3);
    assert.equal(bins, Math.floor(length / 2) + 1);
    for (let k = 0; k < bins; k++) {
      const [sumR, sumI] = slowTransform(weighted, new Float64Array(length), k);
      assert.ok(Math.abs(power[k] - (sumR ** 2 + sumI ** 2)) < 1e-12 * length, `bin ${k}`);
    }
  });
}

test('a size that is no power of two from 4 on is refused', () => {
  for (const size of [0, 1, 2, 12, 1000, NaN]) {
    assert.throws(() => new FourierTransform(size), RangeError);
  }
});
