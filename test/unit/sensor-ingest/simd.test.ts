import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { FeatureExtractor, featureKeys, parseFeature } from '../../../nodes/sensor-ingest/features/features';
import { SimdKernels } from '../../../nodes/sensor-ingest/features/simd/kernels';
import { SpectrumAnalyzer } from '../../../nodes/sensor-ingest/features/spectrum';

const NAMES =
  'mean std min max rms peak peakToPeak crest kurtosis skewness shape impulse dominantFrequency spectralCentroid band:0-900 band:900-6500';
const features = NAMES.split(' ').map(parseFeature);
const keys = featureKeys('x', features);

/** Relative to what cancels: moments and bands of noise are differences of larger sums. */
function close(found: number, expected: number, scale: number): boolean {
  return Math.abs(found - expected) <= 1e-12 * Math.max(Math.abs(expected), scale);
}

test('two samples at a time give what one at a time does, to 1e-12, for every window', () => {
  const simd = new FeatureExtractor(features, 12_800);
  const plain = new FeatureExtractor(features, 12_800, false);
  const magnitude = fc.constantFrom(1e-200, 1e-3, 1, 1e5, 1e119);
  const windows = fc.integer({ min: 0, max: 9 }).chain((exponent) =>
    fc.record({
      samples: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), {
        minLength: 16 << exponent,
        maxLength: 16 << exponent,
        size: 'max',
      }),
      unit: magnitude,
      offset: fc.constantFrom(0, 0, 0.5, 40),
    }),
  );
  fc.assert(
    fc.property(windows, ({ samples, unit, offset }) => {
      const window = Float64Array.from(samples, (sample) => (sample + offset) * unit);
      const [found, expected] = [simd, plain].map((extractor) => {
        const into: Record<string, number> = {};
        extractor.compute(window, window.length, keys, into);
        return into;
      });
      const spread = expected['x.std'];
      for (const key of keys) {
        const scale = key.includes('band')
          ? spread * spread
          : /skewness/.test(key)
            ? 1
            : /mean/.test(key)
              ? expected['x.rms']
              : 0;
        if (!/Frequency|Centroid/.test(key)) {
          assert.ok(close(found[key], expected[key], scale), `${key}: ${found[key]} and ${expected[key]}`);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('each bin of both transforms is the same to 1e-13 of the largest, at every length that has both', () => {
  const simd = new SpectrumAnalyzer();
  const plain = new SpectrumAnalyzer(false);
  for (let length = 16; length <= 16_384; length *= 2) {
    assert.ok(simd.kernelFor(length), `windows of ${length} samples are done in WebAssembly`);
    assert.equal(plain.kernelFor(length), undefined);
    const window = Float64Array.from({ length }, (_, i) => 7 + Math.sin(i) + Math.cos(i * i));
    const found = simd.analyze(window, length, 7).power;
    const expected = plain.analyze(window, length, 7).power;
    assert.equal(found.length, expected.length);
    const largest = expected.reduce((most, power) => Math.max(most, power));
    for (let k = 0; k < expected.length; k++) {
      assert.ok(Math.abs(found[k] - expected[k]) <= 1e-13 * largest, `bin ${k} of ${length}`);
    }
  }
});

test('lengths that come and go share one memory, which they give up to each other', () => {
  const kernels = new SimdKernels(1024, true);
  const first = kernels.for(1024);
  assert.ok(first);
  assert.equal(kernels.for(1024), first);
  const second = kernels.for(512);
  const third = kernels.for(256);
  assert.ok(second && third);
  assert.equal(second.samples.buffer, first.samples.buffer);
  assert.equal(kernels.for(512), second, 'there is room for both');
  assert.notEqual(second.samples.byteOffset, third.samples.byteOffset);
  const again = kernels.for(1024);
  assert.ok(again && again !== first);
  assert.equal(kernels.for(2048), undefined, 'too long for this memory');
  again.run(
    Float64Array.from({ length: 1024 }, (_, i) => Math.sin((2 * Math.PI * 100 * i) / 1024)),
    0,
  );
  assert.equal(again.spectrum.power.indexOf(Math.max(...again.spectrum.power)), 100);
});

test('without WebAssembly the features are there all the same', () => {
  const program = `
    const { FeatureExtractor, featureKeys, parseFeature } = require(${JSON.stringify(
      join(__dirname, '..', '..', '..', 'nodes', 'sensor-ingest', 'features', 'features.js'),
    )});
    const features = ['rms', 'kurtosis', 'dominantFrequency'].map(parseFeature);
    const found = { WebAssembly: typeof WebAssembly };
    const samples = Float64Array.from({ length: 256 }, (_, i) => Math.sin(2 * Math.PI * i / 16));
    new FeatureExtractor(features, 1600).compute(samples, 256, featureKeys('x', features), found);
    console.log(JSON.stringify(found));`;
  const output = execFileSync(process.execPath, ['--jitless', '-e', program], { encoding: 'utf8' });
  const found = JSON.parse(output) as Record<string, number | string>;
  assert.equal(found.WebAssembly, 'undefined');
  assert.ok(Math.abs(Number(found['x.rms']) - Math.SQRT1_2) < 1e-12);
  assert.ok(Math.abs(Number(found['x.kurtosis']) - 1.5) < 1e-12);
  assert.equal(found['x.dominantFrequency'], 100);
});
