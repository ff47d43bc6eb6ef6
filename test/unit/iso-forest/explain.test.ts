import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../nodes/shared/random';
import { Bench, machine } from './support';

test('an outlier in one of 20 channels: the right one comes first, with what was expected there', async () => {
  const bench = new Bench({
    persist: false,
    thresholdMode: 'score',
    // A healthy reading of 20 channels scores some 0.52, one with an outlier 0.8.
    scoreThreshold: 0.65,
    reference: 500,
    history: 500,
  });
  const next = machine(20, 3);
  const random = new SeededRandom(17);
  for (let reading = 0; reading < 800; reading++) {
    await bench.detect(next());
  }
  let first = 0;
  let explained = 0;
  for (let trial = 0; trial < 100; trial++) {
    const channel = `c${random.int(20)}`;
    const { contributions, kind } = await bench.detect({ ...next(), [channel]: 40 });
    if (!contributions || kind !== 'NOVEL_ANOMALY') {
      continue;
    }
    explained++;
    const [top] = contributions;
    first += top.channel === channel ? 1 : 0;
    assert.equal(contributions.find((entry) => entry.channel === channel)?.value, 40);
    assert.ok(Math.abs((top.expected ?? NaN) - 10) < 1.5, `expected ${top.expected}`);
    const shares = contributions.map(({ share }) => share);
    assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
    assert.deepEqual(
      shares,
      [...shares].sort((a, b) => b - a),
    );
  }
  assert.ok(explained >= 95 && first / explained >= 0.95, `${first} of ${explained} (seeds 3, 17)`);
});

test('a channel that is joined over several readings is named once', async () => {
  const bench = new Bench({ persist: false, shingle: 4, thresholdMode: 'score', scoreThreshold: 0.5 });
  const next = machine(2, 3);
  for (let reading = 0; reading < 400; reading++) {
    await bench.detect(next());
  }
  const { contributions } = await bench.detect({ ...next(), c1: 60 });
  assert.ok(contributions);
  assert.equal(contributions[0].channel, 'c1');
  assert.equal(new Set(contributions.map(({ channel }) => channel)).size, contributions.length);
});

test('without "explain" a flagged reading has no contributions', async () => {
  const bench = new Bench({ persist: false, explain: false, thresholdMode: 'score', scoreThreshold: 0 });
  const next = machine(2, 3);
  for (let reading = 0; reading < 110; reading++) {
    await bench.detect(next());
  }
  const detection = await bench.detect(next());
  assert.equal(detection.kind, 'NOVEL_ANOMALY');
  assert.equal(detection.contributions, undefined);
});
