import assert from 'node:assert/strict';
import { test } from 'node:test';
import { follow, heldMessages, hold, onLowered } from '../../../nodes/shared/in-flight';

test('a followed message is held until the last node has let go of it', () => {
  const message = follow('m1');
  assert.equal(message.held, false);
  const first = hold('m1');
  const second = hold('m1');
  const other = hold('m2');
  let released = 0;
  message.onRelease(() => released++);
  assert.equal(heldMessages(), 3);
  first();
  assert.deepEqual([message.held, released], [true, 0]);
  second();
  assert.deepEqual([message.held, released], [false, 1]);
  const again = hold('m1');
  assert.equal(message.held, true);
  message.forget();
  again();
  assert.equal(released, 1);
  let lowered = false;
  onLowered(() => (lowered = true));
  other();
  assert.deepEqual([heldMessages(), lowered], [0, true]);
});
