import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../nodes/shared/clock';
import { StatusReporter, type NodeStatus } from '../../../nodes/shared/status';

test('a status set a thousand times a second is shown twice a second, and the last one is always shown', () => {
  let now = 0;
  let due: { at: number; action: () => void } | undefined;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after: (delayMs, action) => {
      due = { at: now + delayMs, action };
      return { cancel: () => (due = undefined) };
    },
  };
  const shown: NodeStatus[] = [];
  const status = new StatusReporter(
    clock,
    (key, params) => `${key} ${params?.n ?? ''}`,
    (next) => shown.push(next),
  );
  for (now = 0; now < 2000; now++) {
    if (due && due.at <= now) {
      const { action } = due;
      due = undefined;
      action();
    }
    status.set('ok', 'rate', { n: now });
  }
  assert.ok(shown.length >= 3 && shown.length <= 5, String(shown.length));
  now += 500;
  due?.action();
  assert.equal(shown.at(-1)?.text, 'rate 1999');
  assert.deepEqual(status.current, shown.at(-1));
});

test('a closed node says nothing more, so that its successor is not overwritten', () => {
  const due: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    after: (_delayMs, action) => {
      due.push(action);
      return { cancel: () => undefined };
    },
  };
  const shown: NodeStatus[] = [];
  const status = new StatusReporter(
    clock,
    (key) => key,
    (next) => shown.push(next),
  );
  status.set('ok', 'first');
  status.close();
  status.set('error', 'second');
  due.forEach((action) => action());
  assert.deepEqual(
    shown.map(({ text }) => text),
    ['first'],
  );
});
