import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatheredEnds } from '../../../nodes/sensor-ingest/thread/gathered-ends';
import { EndTally } from '../../../nodes/sensor-ingest/thread/tallies';

/** A node's end, and what its reader has heard of when it looks. */
function start() {
  const timers: (() => void)[] = [];
  let calls = 0;
  const ends = new GatheredEnds(
    (_ms, action) => timers.push(action),
    () => calls++,
  );
  let tally = new EndTally(ends.shared);
  return {
    ends,
    add: (count: number): void => Array.from({ length: count }).forEach(() => ends.add()),
    elapse: () => timers.splice(0).forEach((action) => action()),
    calls: () => calls,
    look: () => tally.hear(),
    renew: () => (tally = new EndTally(ends.renew())),
  };
}

test('a reader that does not look by itself is called for what ended within a moment', () => {
  const { add, elapse, calls, look } = start();
  add(3);
  assert.equal(calls(), 0);
  elapse();
  assert.deepEqual([calls(), look()], [1, 3]);
  add(1);
  elapse();
  elapse();
  assert.deepEqual([calls(), look()], [2, 1]);
});

test('a reader that looks in time is not called', () => {
  const { add, elapse, calls, look } = start();
  for (let round = 0; round < 20; round++) {
    add(9);
    assert.equal(look(), 9);
  }
  elapse();
  elapse();
  assert.equal(calls(), 0);
});

test('a broker that waits for acknowledgements does not run dry: for ten the reader is called at once', () => {
  const { add, calls, look } = start();
  add(10);
  assert.equal(calls(), 1);
  assert.equal(look(), 10);
  add(10);
  assert.equal(calls(), 2);
});

test('while a call is on its way there is no other, and what came too late for it is not forgotten', () => {
  const { add, elapse, calls, look } = start();
  add(25);
  elapse();
  assert.equal(calls(), 1);
  assert.equal(look(), 25);
  add(4);
  elapse();
  elapse();
  assert.deepEqual([calls(), look()], [2, 4]);
  elapse();
  elapse();
  assert.equal(calls(), 2);
});

test('what another tally holds is not told to the reader of the earlier one', () => {
  const { add, elapse, calls, look, renew } = start();
  add(2);
  renew();
  elapse();
  assert.deepEqual([calls(), look()], [0, 0]);
  add(1);
  elapse();
  assert.deepEqual([calls(), look()], [1, 1]);
});

test('a reader that looked by itself 2^31 times is called when it no longer does', () => {
  const { ends, add, elapse, calls, look } = start();
  // Settled and heard of, without a call.
  new Int32Array(ends.shared).fill(-(2 ** 31));
  add(3);
  elapse();
  assert.deepEqual([calls(), look()], [1, 3]);
});
