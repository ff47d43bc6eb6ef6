import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPublishableTopic, isTopicFilter, topicMatches } from '../../../nodes/shared/topic';

// The examples of MQTT 5, section 4.7.
const MATCHES: [string, string, boolean][] = [
  ['sport/tennis/player1/#', 'sport/tennis/player1', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
  ['sport/#', 'sport', true],
  ['#', 'a/b', true],
  ['sport/tennis/+', 'sport/tennis/player1', true],
  ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
  ['sport/+', 'sport', false],
  ['sport/+', 'sport/', true],
  ['+/+', '/finance', true],
  ['/+', '/finance', true],
  ['+', '/finance', false],
  ['#', '$SYS/monitor', false],
  ['+/monitor/Clients', '$SYS/monitor/Clients', false],
  ['$SYS/#', '$SYS/monitor', true],
  ['a/b', 'a/b/c', false],
];

for (const [filter, topic, expected] of MATCHES) {
  test(`${filter} ${expected ? 'matches' : 'does not match'} ${topic}`, () => {
    assert.equal(topicMatches(filter, topic), expected);
  });
}

test('only topics that a broker takes may be published to', () => {
  assert.ok(isPublishableTopic('plant1/cnc-07'));
  for (const bad of ['', 'a/+', 'a/#', 'a\u0000b', 'x'.repeat(65536)]) {
    assert.ok(!isPublishableTopic(bad), bad.slice(0, 10));
  }
});

test('wildcards stand for whole levels, and # comes last', () => {
  assert.ok(isTopicFilter('plant1/+/telemetry'));
  assert.ok(isTopicFilter('#'));
  for (const bad of ['', 'a+/b', 'a/#/b', 'a#']) {
    assert.ok(!isTopicFilter(bad), bad);
  }
});
