import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../nodes/shared/clock';
import { FakeClock } from '../../support/fake-clock';
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

test('a node that is closed shows nothing any more', async () => {
  const clock = new FakeClock();
  const shown: NodeStatus[] = [];
  const status = new StatusReporter(
    clock,
    (key) => key,
    (next) => shown.push(next),
  );
  status.set('ok', 'running');
  status.close();
  status.set('warning', 'offline');
  await clock.advance(1000);
  assert.deepEqual(
    shown.map(({ text }) => text),
    ['running'],
  );
});

test('a status that stays the same is translated twice a second at most', async () => {
  const clock = new FakeClock();
  let translations = 0;
  const status = new StatusReporter(
    clock,
    (key) => {
      translations++;
      return key;
    },
    () => undefined,
  );
  for (let i = 0; i < 1000; i++) {
    status.set('ok', 'running', { n: 1 });
    await clock.advance(1);
  }
  assert.ok(translations <= 3, String(translations));
});
