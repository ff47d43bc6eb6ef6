import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatheredEnds } from '../../../nodes/sensor-ingest/thread/gathered-ends';

function start() {
  const timers: (() => void)[] = [];
  const told: number[] = [];
  const ends = new GatheredEnds(
    (_ms, action) => timers.push(action),
    (count) => told.push(count),
  );
  const add = (count: number): void => Array.from({ length: count }).forEach(() => ends.add());
  return { ends, told, add, elapse: () => timers.splice(0).forEach((action) => action()) };
}

test('what ends within a moment is told together, when the moment is over', () => {
  const { told, add, elapse } = start();
  add(3);
  assert.deepEqual(told, []);
  elapse();
  add(1);
  elapse();
  elapse();
  assert.deepEqual(told, [3, 1]);
});

test('a broker that waits for acknowledgements does not run dry: ten are told at once', () => {
  const { told, add } = start();
  add(20);
  assert.deepEqual(told, [10, 10]);
});

test('what is told before its time is not told again', () => {
  const { ends, told, add, elapse } = start();
  add(2);
  ends.flush();
  elapse();
  assert.deepEqual(told, [2]);
});

test('of messages whose reader is gone nothing is told', () => {
  const { ends, told, add, elapse } = start();
  add(2);
  ends.forget();
  add(1);
  elapse();
  assert.deepEqual(told, [1]);
});
