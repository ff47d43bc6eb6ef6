import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashString, SeededRandom } from '../../../nodes/shared/random';

const draw = (random: SeededRandom, count: number): number[] =>
  Array.from({ length: count }, () => random.next());

test('a seed gives the same numbers for ever', () => {
  const random = new SeededRandom(42);
  assert.deepEqual(
    Array.from({ length: 4 }, () => random.int(1_000_000)),
    GOLDEN,
  );
});

test('streams of the same seed differ', () => {
  assert.notDeepEqual(draw(new SeededRandom(1, 2), 4), draw(new SeededRandom(2, 1), 4));
  assert.notDeepEqual(draw(new SeededRandom(1), 4), draw(new SeededRandom(1, 0), 4));
});

test('a snapshot carries on where it was taken', () => {
  const random = new SeededRandom(3);
  draw(random, 5);
  const snapshot = random.snapshot();
  const expected = draw(random, 5);
  random.restore(snapshot);
  assert.deepEqual(draw(random, 5), expected);
});

test('numbers are uniform and normal deviates have mean 0 and variance 1', () => {
  const random = new SeededRandom(7);
  const buckets = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    buckets[random.int(10)]++;
  }
  // Chi-square with 9 degrees of freedom exceeds 27.9 once in a thousand seeds.
  const chi = buckets.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  assert.ok(chi < 27.9, String(chi));
  const normals = Array.from({ length: 50_000 }, () => random.normal());
  const mean = normals.reduce((sum, x) => sum + x, 0) / normals.length;
  const variance = normals.reduce((sum, x) => sum + (x - mean) ** 2, 0) / normals.length;
  assert.ok(Math.abs(mean) < 0.02 && Math.abs(variance - 1) < 0.03, `${mean} ${variance}`);
});

test('names hash to 32 bits as FNV-1a does', () => {
  assert.equal(hashString(''), 0x811c9dc5);
  assert.equal(hashString('foobar'), 0xbf9cf968);
});

const GOLDEN = [642_860, 401_468, 303_489, 273_126];
