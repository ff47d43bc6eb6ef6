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

test('what is not built yet is refused plainly, never ignored', () => {
  for (const raw of [{ replayRate: 100 }]) {
    assert.match(refusal(raw), new RegExp(Object.keys(raw)[0]));
  }
  assert.equal(refusal({ batchSize: '1', batchDelayMs: '0', compression: 'none', replayRate: 0 }), '');
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
