import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ceilLog2, exp, exp2, log } from '../../../nodes/iso-forest/forest/exact-math';
import { averagePathLength } from '../../../nodes/iso-forest/forest/path-length';

function assertClose(actual: number, expected: number, relative = 1e-14): void {
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected) + 1e-300, `${actual} ≠ ${expected}`);
}

test('powers and logarithms agree with the built-in ones', () => {
  fc.assert(
    fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (x) => {
      assertClose(exp(x), Math.exp(x));
      assertClose(exp2(x), 2 ** x);
      const positive = Math.exp(x);
      assert.ok(Math.abs(log(positive) - Math.log(positive)) < 1e-13);
    }),
  );
  assert.equal(exp2(0), 1);
  assert.equal(exp(-1000), 0);
  assert.equal(exp(1000), Infinity);
  assert.equal(log(0), -Infinity);
  assert.ok(Number.isNaN(log(-1)));
});

test('ceilLog2 is exact at powers of two', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 255, 256, 257].map(ceilLog2), [0, 1, 2, 2, 3, 8, 8, 9]);
});

test('c(n) has its exact values, not those of the logarithm that approximates it', () => {
  assert.deepEqual([0, 1, 2].map(averagePathLength), [0, 0, 1]);
  assertClose(averagePathLength(3), 5 / 3);
  assertClose(averagePathLength(4), 13 / 6);
  let harmonic = 0;
  for (let k = 1; k < 256; k++) {
    harmonic += 1 / k;
  }
  assertClose(averagePathLength(256), 2 * harmonic - (2 * 255) / 256);
});
