import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelNames, channelValue, isBatch } from '../../../nodes/shared/detection/payload';
import { rowsOf, sendVerdicts, type Verdict } from '../../../nodes/shared/detection/rows';
import type { Detection, EdgeMessage } from '../../../nodes/shared/messages';

function detection(overrides: Partial<Detection> = {}): Detection {
  return {
    detector: 'iso-forest',
    node: 'forest',
    status: 'OPERATIONAL',
    score: 0.4,
    threshold: 0.6,
    source: 's',
    ts: 0,
    latencyMs: 0,
    ...overrides,
  };
}

function run(msg: EdgeMessage, verdicts: Verdict[]): { output: number; msg: EdgeMessage }[] {
  const sent: { output: number; msg: EdgeMessage }[] = [];
  sendVerdicts(msg, rowsOf(msg, 0), verdicts, (output, out) => sent.push({ output, msg: out }));
  return sent;
}

test('channels of every payload form', () => {
  assert.deepEqual(channelNames(3), ['value']);
  assert.deepEqual(channelNames([5, 6]), ['0', '1']);
  assert.deepEqual(channelNames(new Float32Array(2)), ['0', '1']);
  assert.deepEqual(channelNames({ a: 1, label: 'x', motor: { current: 2, on: true } }), [
    'a',
    'motor.current',
  ]);
  assert.equal(channelValue({ motor: { current: 2 } }, 'motor.current'), 2);
  assert.equal(channelValue({ 'motor.current': 3, motor: { current: 2 } }, 'motor.current'), 3);
  assert.ok(Number.isNaN(channelValue({ a: '7' }, 'a')));
  assert.ok(Number.isNaN(channelValue({}, 'constructor.length')));
});

test('an array of arrays or of objects is a batch, an array of numbers is one reading', () => {
  assert.ok(isBatch([[1], [2]]));
  assert.ok(isBatch([{ a: 1 }]));
  assert.ok(!isBatch([1, 2]));
  assert.ok(!isBatch([]));
  assert.ok(!isBatch({ a: 1 }));
});

test('without a reading the topic is the source and arrival the time', () => {
  const { rows } = rowsOf({ _msgid: '1', topic: 'press', payload: 1 }, 1234);
  assert.equal(rows[0].source, 'press');
  assert.equal(rows[0].ts, 1234);
  assert.equal(rowsOf({ _msgid: '1', payload: 1 }, 0).rows[0].source, '');
});

test('a known failure is not forgotten by a calm detector behind it', () => {
  const known = detection({ detector: 'onnx-detect', kind: 'KNOWN_FAILURE' });
  const calm = detection();
  const [{ msg, output }] = run({ _msgid: '1', payload: 1, detections: [known] }, [
    { output: 1, detection: calm },
  ]);
  assert.equal(output, 1);
  assert.deepEqual(msg.detections, [known, calm]);
  assert.deepEqual(msg.detection, known);
});

test('a batch gives each output with rows one message, with places in the input', () => {
  const msg: EdgeMessage = { _msgid: '1', topic: 't', payload: [{ a: 1 }, { a: 2 }, { a: 3 }] };
  const sent = run(msg, [
    { output: 1, detection: detection() },
    { output: 0, detection: detection({ kind: 'NOVEL_ANOMALY' }) },
    { output: 1, detection: detection() },
  ]);
  assert.deepEqual(
    sent.map(({ output, msg: out }) => [
      output,
      out.payload,
      (out.detection as Detection[]).map(({ index }) => index),
    ]),
    [
      [0, [{ a: 2 }], [1]],
      [1, [{ a: 1 }, { a: 3 }], [0, 2]],
    ],
  );
  assert.ok(!('reading' in sent[0].msg));
});

test('garbage in reading and detections is no reading and no detection', () => {
  const { rows } = rowsOf(
    { _msgid: '1', topic: 't', payload: 1, reading: 'x', detections: [null, 3, {}] },
    5,
  );
  assert.equal(rows[0].source, 't');
  assert.deepEqual(rows[0].detections, []);
});

test('a reading whose time is no number is no reading: it would never let an episode end', () => {
  for (const ts of [NaN, Infinity, '5', null]) {
    const { rows } = rowsOf({ _msgid: '1', topic: 't', payload: 1, reading: { source: 's', ts } }, 5);
    assert.deepEqual([rows[0].source, rows[0].ts, rows[0].reading], ['t', 5, undefined]);
  }
});

test('a hole in a batch is a row without a payload', () => {
  const payload: unknown[] = [{ a: 1 }];
  payload[2] = { a: 3 };
  const { rows } = rowsOf({ _msgid: '1', payload }, 5);
  assert.deepEqual(
    rows.map((row) => row.payload),
    [{ a: 1 }, undefined, { a: 3 }],
  );
});

test('the lists of each output are of equal length where only some rows of a batch came with a reading', () => {
  const reading = { id: '1', source: 's', ts: 1, seq: 0, quality: 'good' };
  const sent = run({ _msgid: '1', payload: [{ a: 1 }, { a: 2 }, { a: 3 }], reading: [reading, null, null] }, [
    { output: 0, detection: detection() },
    { output: 1, detection: detection() },
    { output: 1, detection: detection() },
  ]);
  assert.deepEqual(
    sent.map(({ msg }) => msg.reading),
    [[reading], [null, null]],
  );
});
