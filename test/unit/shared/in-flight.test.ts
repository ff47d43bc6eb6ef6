import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  follow,
  followedBy,
  followPart,
  heldMessages,
  hold,
  lose,
  onLowered,
  unfollow,
} from '../../../nodes/shared/in-flight';

test('a followed message is held until the last node has let go of it', () => {
  const message = follow('m1');
  const first = hold('m1');
  const second = hold('m1');
  const other = hold('m2');
  let released = 0;
  message.onMove = () => released++;
  assert.deepEqual([message.holds, heldMessages()], [2, 3]);
  first();
  assert.deepEqual([message.holds, released], [1, 0]);
  second();
  assert.deepEqual([message.holds, released], [0, 1]);
  hold('m1')();
  assert.equal(released, 2, 'the next node on its way');
  const last = hold('m1');
  unfollow(message);
  last();
  assert.equal(released, 2);
  let lowered = false;
  onLowered(() => (lowered = true));
  other();
  assert.deepEqual([heldMessages(), lowered], [0, true]);
});

test('what a node has made of a message is followed with it, and lost with it', () => {
  const message = follow('whole');
  followPart(message, 'part');
  const other = follow('other');
  followPart(message, 'other');
  const release = hold('part');
  assert.equal(message.holds, 1);
  release();
  assert.equal(followedBy('other'), other, 'a message that is followed by itself stays so');
  lose('part');
  lose('nobody follows this');
  assert.deepEqual([message.lost, other.lost], [true, false]);
  unfollow(message);
  assert.deepEqual(
    [followedBy('whole'), followedBy('part'), followedBy('other')],
    [undefined, undefined, other],
  );
  unfollow(other);
});
