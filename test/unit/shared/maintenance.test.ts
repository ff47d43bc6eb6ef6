import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MaintenanceMode } from '../../../nodes/shared/detection/maintenance';

test('maintenance covers one source, or all, until it ends', () => {
  const mode = new MaintenanceMode();
  mode.apply('a', { on: true }, 0);
  mode.apply('b', { on: true, until: 100 }, 0);
  assert.ok(mode.covers('a', 1e12) && mode.covers('b', 99));
  assert.ok(!mode.covers('b', 100) && !mode.covers('c', 0));
  mode.apply('', { on: true }, 0);
  assert.ok(mode.covers('c', 0));
  mode.apply('', { on: false }, 0);
  assert.ok(!mode.covers('a', 0) && !mode.covers('c', 0));
});

test('a report tells what is under maintenance, since when, until when, by whom and why; the whole node first', () => {
  const mode = new MaintenanceMode();
  mode.apply('a', { on: true }, 10);
  mode.apply('', { on: true, until: 90, by: 'anna', reason: 'new bearing' }, 20);
  mode.apply('b', { on: true, until: 50 }, 30);
  const whole = { source: '', since: 20, until: 90, by: 'anna', reason: 'new bearing' };
  const [a, b] = [
    { source: 'a', since: 10, until: null },
    { source: 'b', since: 30, until: 50 },
  ];
  assert.deepEqual(mode.report(40), { maintenance: [whole, b, a] });
  assert.deepEqual(mode.report(50), { maintenance: [whole, a] }, 'over');
  assert.deepEqual([mode.of('a', 60), mode.of('other', 60)], [a, whole]);
  mode.end('');
  assert.deepEqual(mode.report(60), { maintenance: [a] }, 'what was begun for a source goes on');
  assert.equal(mode.of('other', 60), undefined);
});

test('a report is short whatever is under maintenance, and what is over makes room', () => {
  const mode = new MaintenanceMode();
  for (let n = 0; n < 10_000; n++) {
    mode.apply(`source ${n}`, { on: true, until: 100 }, 0);
  }
  const { maintenance, moreMaintenance } = mode.report(0);
  assert.deepEqual([maintenance.length, moreMaintenance], [20, 9980]);
  assert.equal(maintenance[0].source, 'source 9999');
  assert.throws(() => mode.apply('one more', { on: true }, 50), { code: 'SOURCE_LIMIT' });
  mode.apply('one more', { on: true }, 100);
  assert.deepEqual(
    mode.report(100).maintenance.map(({ source }) => source),
    ['one more'],
  );
});

test('a payload that says neither on nor off changes nothing, nor does one with a text that is none', () => {
  const mode = new MaintenanceMode();
  const wrong = [
    ...[undefined, 'on', {}, { on: 'yes' }, { on: true, until: 'tomorrow' }],
    ...[
      { on: true, by: 7 },
      { on: true, reason: 'x'.repeat(201) },
    ],
  ];
  for (const payload of wrong) {
    assert.throws(() => mode.apply('a', payload, 0), { code: 'PAYLOAD' });
  }
  assert.ok(!mode.covers('a', 0));
});
