import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Activity } from '../../../nodes/sensor-ingest/activity';
import { TestClock } from './support';

test('the status shows the rate, recent rejects, silent sources and the connection, the most urgent first', () => {
  const clock = new TestClock();
  let silent = 0;
  let shown = '';
  const activity = new Activity(
    clock,
    (meaning, key, params) => (shown = [meaning, key, ...Object.values(params ?? {})].join(' ')),
    () => silent,
  );
  assert.equal(shown, 'idle status.waiting');
  for (let i = 0; i < 40; i++) {
    activity.accepted(5);
    clock.advance(100);
  }
  assert.equal(shown, 'ok status.rate 50');
  activity.rejected('DUPLICATE');
  assert.equal(shown, 'ok status.rate 50', 'repeated deliveries are no fault');
  activity.rejected('RANGE');
  activity.rejected('DECODE');
  assert.equal(shown, 'warning status.rejecting 2 DECODE');
  activity.linkChanged('disconnected');
  assert.equal(shown, 'error status.disconnected');
  activity.linkChanged('listening');
  clock.advance(14_000);
  assert.match(shown, /^ok status.rate/);
  silent = 3;
  activity.sourcesChanged();
  assert.equal(shown, 'warning status.silent 3');
  silent = 0;
  clock.advance(80_000);
  assert.equal(shown, 'ok status.listening');
  activity.accepted(1);
  clock.advance(2000);
  assert.equal(shown, 'ok status.rate 0.5');
  activity.stop();
});
