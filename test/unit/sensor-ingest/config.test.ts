import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseIngestConfig } from '../../../nodes/sensor-ingest/config';
import { packageRoot } from '../../support/runtime';

test('the defaults of the contract are accepted, and an empty flow entry means the same', () => {
  const defaults = JSON.parse(
    readFileSync(join(packageRoot, 'test', 'fixtures', 'contract-defaults.json'), 'utf8'),
  ) as Record<string, object>;
  assert.deepEqual(parseIngestConfig(defaults['sensor-ingest']), parseIngestConfig({}));
});

test('filters are one a line, commas belong to them, a group makes them shared', () => {
  const filtersOf = (topic: string, group = ''): string[] | undefined =>
    parseIngestConfig({ source: 'mqtt', broker: 'b', topic, group }).subscription?.filters;
  assert.deepEqual(filtersOf('a/+/b\n\n  c,d/#  \na/+/b'), ['a/+/b', 'c,d/#']);
  assert.deepEqual(filtersOf('a/+\nb/#', 'line1'), ['$share/line1/a/+', '$share/line1/b/#']);
  assert.deepEqual(filtersOf('$share/g/a/#'), ['$share/g/a/#']);
});

test('what cannot work is a configuration error that names the property', () => {
  const mqtt = { source: 'mqtt', broker: 'b', topic: 'a/#' };
  const percent = { reduce: 'deadband', toleranceType: 'percent', tolerance: 1 };
  const cases: [object, string][] = [
    [{ ...mqtt, broker: '' }, 'broker'],
    [{ ...mqtt, topic: ' \n ' }, 'topic'],
    [{ ...mqtt, topic: 'a/#/b' }, 'topic'],
    [{ ...mqtt, topic: 'a+/b' }, 'topic'],
    [{ ...mqtt, topic: '$share/g' }, 'topic'],
    [{ ...mqtt, topic: '$share/+/a' }, 'topic'],
    [{ ...mqtt, topic: '$share/g/a', group: 'h' }, 'topic'],
    [{ ...mqtt, group: 'a/b' }, 'group'],
    [{ ...mqtt, group: '#' }, 'group'],
    [{ ...mqtt, qos: 3 }, 'qos'],
    [{ source: 'kafka' }, 'source'],
    [{ format: 'xml' }, 'format'],
    [{ sourceIdType: 'jsonata' }, 'sourceIdType'],
    [{ schema: '{' }, 'schema'],
    [{ channels: [{}] }, 'channels'],
    [{ channels: [{ name: 'a', scale: 0 }] }, 'channels'],
    [{ channels: [{ name: 'a', min: 2, max: 1 }] }, 'channels'],
    [{ channels: [{ name: 'a' }, { path: 'a' }] }, 'channels'],
    [{ format: 'int16', channels: [{ name: 'a' }, { name: 'b' }] }, 'channels'],
    [{ window: 'count', windowSize: 0 }, 'windowSize'],
    [{ window: 'count', windowSize: 2.5 }, 'windowSize'],
    [{ window: 'count', windowSize: 5, windowStep: 6 }, 'windowStep'],
    [{ window: 'time', windowSize: 100, windowStep: 0.01 }, 'windowStep'],
    [{ window: 'count', features: [] }, 'features'],
    [{ features: ['median'] }, 'features'],
    [{ window: 'count', features: ['dominantFrequency'] }, 'sampleRate'],
    [{ format: 'float32', features: ['band:0-10'] }, 'sampleRate'],
    [{ ...percent }, 'toleranceType'],
    [{ ...percent, channels: [{ name: 'a', min: 0 }] }, 'toleranceType'],
    [{ reduce: 'deadband', tolerance: -1 }, 'tolerance'],
    [{ dedupe: -1 }, 'dedupe'],
    [{ maxSources: 0 }, 'maxSources'],
    [{ lateness: 'soon' }, 'lateness'],
  ];
  for (const [properties, property] of cases) {
    assert.throws(
      () => parseIngestConfig(properties),
      { code: 'CONFIG', message: new RegExp(`"${property}".*(Open the node|Choose)`) },
      JSON.stringify(properties),
    );
  }
});
