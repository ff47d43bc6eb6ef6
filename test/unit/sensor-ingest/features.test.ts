import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SeededRandom } from '../../../nodes/shared/random';
import { featureKeys, FeatureExtractor, parseFeature } from '../../../nodes/sensor-ingest/features/features';
import { amplitudeAt } from '../../../nodes/sensor-ingest/features/spectral-features';
import { SpectrumAnalyzer } from '../../../nodes/sensor-ingest/features/spectrum';
import { packageRoot } from '../../support/runtime';
import { heldBytes } from '../../support/held-memory';

const ALL =
  'mean std min max rms peak peakToPeak crest kurtosis skewness shape impulse dominantFrequency spectralCentroid'.split(
    ' ',
  );

interface Vectors {
  windows: Record<string, { sampleRate: number; samples: number[]; features: Record<string, number> }>;
}

const vectors = JSON.parse(
  readFileSync(join(packageRoot, 'test', 'fixtures', 'feature-vectors.json'), 'utf8'),
) as Vectors;

function compute(samples: number[], sampleRate: number, names: string[]): Record<string, number> {
  const features = names.map(parseFeature);
  const payload: Record<string, number> = {};
  new FeatureExtractor(features, sampleRate).compute(
    Float64Array.from(samples),
    samples.length,
    featureKeys('x', features),
    payload,
  );
  return Object.fromEntries(Object.entries(payload).map(([key, value]) => [key.slice(2), value]));
}

/** Relative; absolute where NumPy's figure is 0. */
function errorOf(ours: number, expected: number): number {
  return Math.abs(ours - expected) / (expected === 0 ? 1 : Math.abs(expected));
}

test('every feature of every window is that of NumPy and SciPy to 1e-6', (t) => {
  const worst = new Map<string, { error: number; window: string; ours: number; expected: number }>();
  for (const [window, { sampleRate, samples, features }] of Object.entries(vectors.windows)) {
    const computed = compute(samples, sampleRate, Object.keys(features));
    for (const [feature, expected] of Object.entries(features)) {
      const ours = computed[feature];
      const error = errorOf(ours, expected);
      if (!(error <= (worst.get(feature)?.error ?? -1))) {
        worst.set(feature, { error, window, ours, expected });
      }
    }
  }
  t.diagnostic(`${Object.keys(vectors.windows).length} windows; the worst of each feature:`);
  for (const [feature, { error, window, ours, expected }] of worst) {
    t.diagnostic(
      `${feature.padEnd(18)} ${error.toExponential(1).padStart(8)}  here ${String(ours)}, NumPy ${String(expected)} (${window})`,
    );
    assert.ok(error <= 1e-6, feature);
  }
  for (const feature of ALL) {
    assert.ok(worst.has(feature), feature);
  }
});

for (const length of [64, 100, 1024, 1000, 997]) {
  test(`a tone of amplitude 3.7 on a bin of a ${length}-sample window shows 3.7 at its frequency`, () => {
    const rate = 12_800;
    const bin = 17;
    const samples = Array.from(
      { length },
      (_, i) => 5 + 3.7 * Math.sin((2 * Math.PI * bin * i) / length + 0.3),
    );
    const frequency = (bin * rate) / length;
    const found = compute(samples, rate, [
      'dominantFrequency',
      `band:0-${Math.floor(frequency * 2)}`,
      `band:${Math.ceil(frequency * 2)}-${rate}`,
    ]);
    assert.ok(Math.abs(found.dominantFrequency - frequency) < 1e-9 * frequency);
    assert.ok(Math.abs(Object.values(found)[1] - 3.7 ** 2 / 2) < 1e-9, 'the mean square of the tone is A²/2');
    assert.ok(Object.values(found)[2] < 1e-9, 'and none of it lies elsewhere');
    const spectrum = new SpectrumAnalyzer().analyze(Float64Array.from(samples), length, 5);
    assert.ok(Math.abs(amplitudeAt(spectrum, bin) - 3.7) < 1e-9);
  });
}

test('windows without spread, of zeros, of one sample and of extremes give finite features, 0 where there is none', () => {
  const steady = compute(new Array<number>(100).fill(0.1), 50, ALL);
  assert.deepEqual(steady, {
    mean: 0.1,
    std: 0,
    min: 0.1,
    max: 0.1,
    rms: 0.1,
    peak: 0.1,
    peakToPeak: 0,
    crest: 1,
    kurtosis: 0,
    skewness: 0,
    shape: 1,
    impulse: 1,
    dominantFrequency: 0,
    spectralCentroid: 0,
  });
  const zeros = compute(new Array<number>(16).fill(0), 50, ALL);
  assert.ok(Object.values(zeros).every((value) => value === 0));
  const extremes = [
    [7],
    [1, 2],
    [1e120, -1e120, 5e119],
    [1e-200, -1e-200, 0],
    [5e-324, 0],
    [3, 3, 3.0000000000000004],
  ];
  for (const samples of extremes) {
    for (const [feature, value] of Object.entries(compute(samples, 10, [...ALL, 'band:0-4']))) {
      assert.ok(Number.isFinite(value), `${feature} of ${samples.join()} is ${value}`);
    }
  }
});

test('one extractor serves windows of changing lengths without mixing them up', () => {
  const random = new SeededRandom(5);
  const features = ALL.map(parseFeature);
  const shared = new FeatureExtractor(features, 100);
  const keys = featureKeys('x', features);
  for (let i = 0; i < 60; i++) {
    const samples = Float64Array.from({ length: 1 + random.int(40) }, () => random.normal());
    const fromShared: Record<string, number> = {};
    const fromFresh: Record<string, number> = {};
    shared.compute(samples, samples.length, keys, fromShared);
    new FeatureExtractor(features, 100).compute(samples, samples.length, keys, fromFresh);
    assert.deepEqual(fromShared, fromFresh);
  }
});

test('a feature that does not exist is a configuration error that lists those that do', () => {
  for (const name of ['median', 'band:10', 'band:20-10', 'band:-5-10', 'constructor']) {
    assert.throws(() => parseFeature(name), { code: 'CONFIG', message: /features.*peakToPeak/ });
  }
});

test('windows of ever new lengths do not fill the memory with their tables', () => {
  const analyzer = new SpectrumAnalyzer();
  const samples = new Float64Array(200_000);
  analyzer.analyze(samples, samples.length, 0);
  const before = heldBytes();
  for (let i = 1; i <= 6; i++) {
    analyzer.analyze(samples, samples.length - i, 0);
  }
  const more = heldBytes() - before;
  assert.ok(more < 50e6, `${more} bytes more`);
  assert.equal(analyzer.analyze(samples, samples.length, 0).length, samples.length);
});
