import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CsvReader, lineOf, readLine } from '../../../assess/read-sample';
import { SampleBuilder } from '../../../assess/sample';
import { EdgeError } from '../../../nodes/shared/errors';
import { message, simulated, START } from './support';

const OPTIONS = { timestamp: 'ts', topic: 'file' };

test('rates, bytes a day, sizes and topic patterns are those of the messages', () => {
  const builder = new SampleBuilder();
  for (let second = 0; second < 100; second++) {
    for (const machine of ['a', 'b']) {
      builder.add(message(`plant1/${machine}/telemetry`, 'x'.repeat(100), START + second * 1000));
    }
    builder.add(message('plant1/a/state', 'y'.repeat(10), START + second * 1000));
  }
  const { traffic } = builder.sample(100);
  assert.equal(traffic.messagesPerSecond, 3);
  assert.equal(traffic.bytesPerDay, 210 * 86_400);
  assert.equal(traffic.size.max, 100);
  assert.ok(Math.abs(traffic.size.p50 - 100) <= 5, `${traffic.size.p50}`);
  assert.deepEqual(
    traffic.patterns.map(({ pattern, topics, messages }) => [pattern, topics, messages]),
    [
      ['plant1/+/telemetry', 2, 200],
      ['plant1/a/state', 1, 100],
    ],
  );
  assert.deepEqual(new Set(traffic.series.points), new Set([3]));
});

test('a sample stays within its bounds, counts everything, and keeps topics whole', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 60 }), (topics, rounds) => {
      const bounds = { maxBytes: 20_000, maxMessages: 150 };
      const builder = new SampleBuilder(bounds);
      for (let round = 0; round < rounds; round++) {
        for (let topic = 0; topic < topics; topic++) {
          builder.add(message(`t/${topic}`, 'z'.repeat(50), START + round * 1000));
        }
      }
      const { messages, traffic } = builder.sample();
      assert.equal(traffic.messages, topics * rounds);
      assert.ok(messages.length > 0 && messages.length <= bounds.maxMessages);
      const times = new Map<string, number[]>();
      messages.forEach(({ topic, at }) => times.set(topic, [...(times.get(topic) ?? []), at]));
      for (const [topic, seen] of times) {
        const whole = Array.from(seen, (_at, index) => START + index * 1000);
        assert.deepEqual(seen, whole, `${topic} has a gap`);
      }
    }),
  );
});

test('a line that was written is read again as it was', () => {
  for (const payload of ['text', { torque: 41.2 }, 7, [1, 2], Buffer.from([0xff, 0, 1])]) {
    const read = readLine(lineOf(message('plant1/cnc-01', payload, START)), 1, OPTIONS);
    assert.deepEqual(read, message('plant1/cnc-01', payload, START));
  }
  const text = readLine(lineOf(message('t', Buffer.from('{"a":1}'), START)), 1, OPTIONS);
  assert.equal(text?.payload, '{"a":1}', 'bytes that are text are kept readable');
});

test('a line without an envelope is a payload, and its time may be in it', () => {
  const read = readLine('{"torque": 41.2, "ts": "2026-01-01T00:00:00Z"}', 1, OPTIONS);
  assert.deepEqual([read?.topic, read?.at], ['file', START]);
  assert.equal(readLine('{"torque": 41.2}', 1, OPTIONS)?.at, undefined);
  assert.equal(readLine('  ', 1, OPTIONS), undefined);
});

test('what cannot be read names its line and the way out', () => {
  assert.throws(
    () => readLine('torque=41.2', 7, OPTIONS),
    (error) =>
      error instanceof EdgeError && error.code === 'SAMPLE' && /Line 7 .*"topic"/.test(error.message),
  );
  assert.throws(() => readLine('{"payload":1,"ts":"soon"}', 3, OPTIONS), /Line 3 .*ISO 8601/);
  const csv = new CsvReader(OPTIONS);
  csv.read('machine,ts,torque', 1);
  assert.throws(() => csv.read('cnc-01,1767225600000', 2), /Line 2 .*names 3/);
});

test('a CSV file gives one message a row, with its machine and its time', () => {
  const csv = new CsvReader(OPTIONS);
  assert.equal(csv.read('Machine;Time;torque', 1), undefined);
  const read = csv.read('cnc-01;2026-01-01T00:00:05Z;41,5', 2);
  assert.deepEqual([read?.topic, read?.at], ['cnc-01', START + 5000]);
  assert.equal((read?.payload as Record<string, unknown>).torque, 41.5);
});

test('simulated machines are one pattern', () => {
  const builder = new SampleBuilder();
  simulated(6, 10).forEach((one) => builder.add(one));
  assert.deepEqual(
    builder.sample().traffic.patterns.map(({ pattern }) => pattern),
    ['plant1/+/telemetry'],
  );
});
