import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePayload, encodePayload } from '../../../nodes/sensor-ingest/preview/sample';
import type { Encoding } from '../../../nodes/sensor-ingest/preview/result';

const again = (payload: unknown): unknown =>
  decodePayload({ topic: '', at: 0, ...encodePayload(payload) }, false);
const decoded = (encoding: Encoding, payload: string, textAsBytes = false): unknown =>
  decodePayload({ topic: '', at: 0, encoding, payload }, textAsBytes);

test('a payload that was written down is read back as it was', () => {
  for (const payload of [
    '{"v":1}',
    '',
    21.5,
    true,
    null,
    undefined,
    Buffer.from([0, 255, 128]),
    { temp: NaN, high: Infinity, low: -Infinity, note: 'NaN, "Infinity" and \\"-Infinity\\"' },
    NaN,
    [1, [2, NaN]],
    JSON.parse('{"__proto__":1,"v":2}'),
  ]) {
    assert.deepEqual(again(payload), payload);
  }
  fc.assert(
    fc.property(fc.jsonValue(), (value) => assert.deepEqual(again(value), JSON.parse(JSON.stringify(value)))),
  );
});

test('typed arrays are lists, and bytes inside an object are no channels', () => {
  assert.deepEqual(again(new Int16Array([1, -2])), [1, -2]);
  assert.deepEqual(again({ x: new Float64Array([0.5]) }), { x: [0.5] });
  assert.deepEqual(again({ v: 1, raw: Buffer.from('x') }), { v: 1 });
  assert.deepEqual(again(new Uint8Array([7]).buffer), Buffer.from([7]));
});

test('pasted bytes may be base64 or hex, as tools print them', () => {
  const bytes = Buffer.from([0xde, 0xad, 0xbe, 0xef]);
  for (const text of ['deadbeef', 'DE AD BE EF', 'de:ad:be:ef\n', '0xde, 0xad, 0xbe, 0xef']) {
    assert.deepEqual(decoded('hex', text), bytes);
  }
  for (const text of ['3q2+7w==', '3q2-7w', ' 3q2+\n7w== ']) {
    assert.deepEqual(decoded('base64', text), bytes);
  }
});

test('a sample that is not written as it says is told apart from what a node would refuse', () => {
  for (const [encoding, text] of [
    ['hex', 'abc'],
    ['hex', 'no'],
    ['base64', '{"v":1}'],
    ['json', '{"v":'],
    ['json', 'NaN NaN'],
  ] as const) {
    assert.throws(() => decoded(encoding, text), { code: 'SAMPLE', message: new RegExp(encoding, 'i') });
  }
});

test('a text arrives as bytes over MQTT', () => {
  assert.equal(decoded('text', 'é'), 'é');
  assert.deepEqual(decoded('text', 'é', true), Buffer.from('é'));
});
