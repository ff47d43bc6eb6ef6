import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeError, toEdgeError } from '../../../nodes/shared/errors';

test('an error of the suite stays what it is, and any other gets a code and keeps its text and stack', () => {
  const own = new EdgeError('RANGE', 'out of range');
  assert.equal(toEdgeError(own), own);
  const other = new TypeError('no number');
  const { code, message, stack } = toEdgeError(other, 'STORE');
  assert.deepEqual([code, message, stack], ['STORE', 'no number', other.stack]);
  assert.equal(toEdgeError('a text').message, 'a text');
});

test('anything can be thrown at it', () => {
  const throwing = Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('again');
    },
  });
  for (const thrown of [undefined, null, Symbol('s'), 7n, Object.create(null), throwing]) {
    const error = toEdgeError(thrown);
    assert.equal(error.code, 'INTERNAL');
    assert.notEqual(error.message, '');
  }
});
