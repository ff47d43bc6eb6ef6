import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEASE_MS, Watch } from '../../../sidebar/watch';
import { FakeClock } from '../../support/fake-clock';

test('a snapshot is pushed each second while somebody looks, and none any more soon after', async () => {
  const clock = new FakeClock();
  let pushed = 0;
  let rested = 0;
  const watch = new Watch(
    clock,
    () => {
      pushed++;
      return Promise.resolve();
    },
    () => rested++,
  );
  await clock.advance(10_000);
  const before: number = pushed;
  assert.equal(before, 0, 'nobody looks');
  watch.renew();
  assert.equal(pushed, 1, 'at once');
  await clock.advance(5000);
  watch.renew();
  assert.equal(pushed, 6, 'looking twice pushes no faster');
  await clock.advance(LEASE_MS + 60_000);
  const last: number = pushed;
  assert.ok(last >= 20 && last <= 22, `${last} in 20 s`);
  await clock.advance(600_000);
  assert.equal(pushed, last);
  assert.equal(rested, 1, 'what snapshots are made of is let go of');
});
