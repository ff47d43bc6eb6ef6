import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUplinkConfig } from '../../../nodes/resilient-uplink/config';

function refusal(raw: object, hashKey?: string): string {
  try {
    parseUplinkConfig(raw, hashKey);
  } catch (thrown) {
    assert.ok(thrown instanceof Error && 'code' in thrown && thrown.code === 'CONFIG');
    return thrown.message;
  }
  return '';
}

test('an empty node has the defaults of the contract', () => {
  const config = parseUplinkConfig({});
  assert.deepEqual(config.connections, []);
  assert.equal(config.topic, '{topic}');
  assert.equal(config.qos, 1);
  assert.equal(config.limitBytes, 1024 * 1024 * 1024);
  assert.equal(config.overflow, 'drop-lowest');
  assert.equal(config.ackTimeoutMs, 10_000);
  assert.equal(config.failbackMs, 30_000);
});

test('batches, compression and the limit on the backlog are bounded', () => {
  const { batchSize, batchDelayMs, compression, replayRate } = parseUplinkConfig({});
  assert.deepEqual([batchSize, batchDelayMs, compression, replayRate], [1, 0, 'none', 0]);
  const texts = parseUplinkConfig({
    batchSize: '50',
    batchDelayMs: '20',
    compression: 'gzip',
    replayRate: 0.5,
  });
  assert.equal(texts.batchSize, 50);
  assert.equal(texts.replayRate, 0.5);
  for (const raw of [
    { batchSize: 0 },
    { batchSize: 1.5 },
    { batchSize: 1001 },
    { batchDelayMs: -1 },
    { compression: 'zip' },
    { replayRate: -1 },
  ]) {
    assert.match(refusal(raw), new RegExp(Object.keys(raw)[0]));
  }
});

test('pseudonyms need a key', () => {
  assert.match(refusal({ hash: ['payload.operator'] }), /hashKey/);
  assert.equal(refusal({ hash: ['payload.operator'] }, 'key'), '');
});

test('names what is wrong', () => {
  assert.match(refusal({ topic: 'a/{machine}' }), /topic/);
  assert.match(refusal({ connections: ['a', 'a'] }), /connections/);
  assert.match(refusal({ retryMinMs: 100, retryMaxMs: 10 }), /retryMaxMs/);
  assert.match(refusal({ qos: 0 }), /qos/);
  assert.match(refusal({ overflow: 'block' }), /overflow/);
});
