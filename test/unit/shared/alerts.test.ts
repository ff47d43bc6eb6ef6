import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acknowledgeAlert, listAlerts, raiseAlert } from '../../../nodes/shared/alerts';
import type { Detection } from '../../../nodes/shared/messages';

function detection(source: string): Detection {
  return {
    ...{ detector: 'iso-forest', node: 'Unusual', status: 'MAINTENANCE_REQUIRED', kind: 'NOVEL_ANOMALY' },
    ...{
      score: 0.8,
      threshold: 0.6,
      model: { name: '', version: '', digest: '' },
      source,
      ts: 0,
      latencyMs: 0,
    },
    contributions: ['a', 'b', 'c', 'd'].map((channel) => ({ channel, value: 1, share: 0.25 })),
  };
}

test('a source has one alert a node, which counts, is acknowledged, and comes again', () => {
  raiseAlert('forest', detection('press'), 1000);
  raiseAlert('forest', detection('press'), 2000);
  raiseAlert('forest', detection('lathe'), 3000);
  const [latest, earlier] = listAlerts(() => true);
  assert.equal(latest.source, 'lathe');
  assert.deepEqual([earlier.since, earlier.last, earlier.count], [1000, 2000, 2]);
  assert.deepEqual(earlier.channels, ['a', 'b', 'c']);
  assert.ok(acknowledgeAlert(earlier.id, 'anna', 4000));
  assert.ok(acknowledgeAlert(earlier.id, 'bert', 5000));
  assert.equal(acknowledgeAlert('nobody', undefined, 4000), false);
  const seen = listAlerts(() => true)[1];
  assert.equal(seen.acknowledged, true);
  assert.deepEqual([seen.acknowledgedBy, seen.acknowledgedAt], ['anna', 4000], 'who was first');
  raiseAlert('forest', detection('press'), 9000);
  const [again] = listAlerts(() => true);
  assert.deepEqual([again.since, again.count, again.acknowledged], [9000, 1, false]);
  assert.equal(again.acknowledgedBy, undefined);
});

test('alerts of nodes that are gone are gone, and a flood of sources keeps only the latest', () => {
  for (let n = 0; n < 500; n++) {
    raiseAlert('other', detection(`machine ${n}`), n);
  }
  const alerts = listAlerts((node) => node === 'other');
  assert.equal(alerts.length <= 100, true);
  assert.equal(alerts[0].source, 'machine 499');
  assert.deepEqual(
    listAlerts(() => false),
    [],
  );
});
