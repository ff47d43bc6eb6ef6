import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MaintenanceMode } from '../../../nodes/shared/detection/maintenance';

test('maintenance covers one source, or all, until it ends', () => {
  const mode = new MaintenanceMode();
  mode.apply('a', { on: true });
  mode.apply('b', { on: true, until: 100 });
  assert.ok(mode.covers('a', 1e12) && mode.covers('b', 99));
  assert.ok(!mode.covers('b', 100) && !mode.covers('c', 0));
  mode.apply('', { on: true });
  assert.ok(mode.covers('c', 0));
  mode.apply('', { on: false });
  assert.ok(!mode.covers('a', 0) && !mode.covers('c', 0));
});

test('a payload that says neither on nor off changes nothing', () => {
  const mode = new MaintenanceMode();
  for (const payload of [undefined, 'on', {}, { on: 'yes' }, { on: true, until: 'tomorrow' }]) {
    assert.throws(() => mode.apply('a', payload), { code: 'PAYLOAD' });
  }
  assert.ok(!mode.covers('a', 0));
});
