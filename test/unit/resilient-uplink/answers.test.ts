import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorWithReasonCode } from 'mqtt';
import { backoffMs } from '../../../nodes/resilient-uplink/backoff';
import { answerOfStatus } from '../../../nodes/resilient-uplink/http-link';
import { answerOf, lossOf } from '../../../nodes/resilient-uplink/mqtt-answers';
import { SeededRandom } from '../../../nodes/shared/random';

test('HTTP: 2xx delivers, what may pass is tried again, the rest is refused for good', () => {
  const outcome = (status: number): string => answerOfStatus({ status }).outcome;
  for (const status of [200, 201, 202, 204]) {
    assert.equal(outcome(status), 'acknowledged');
  }
  for (const status of [401, 403, 408, 425, 429, 500, 502, 503, 504, 301]) {
    assert.equal(outcome(status), 'retry', String(status));
  }
  for (const status of [400, 404, 409, 413, 415, 422]) {
    assert.equal(outcome(status), 'rejected', String(status));
  }
  assert.deepEqual(answerOfStatus({ status: 429, retryAfterMs: 5000 }), {
    outcome: 'retry',
    reason: 'the server answered 429',
    retryAfterMs: 5000,
  });
});

test('a server may ask for a pause of an hour at most, and says which credential it refuses', () => {
  for (const retryAfterMs of [1e9, Infinity]) {
    assert.equal(
      (answerOfStatus({ status: 503, retryAfterMs }) as { retryAfterMs: number }).retryAfterMs,
      3_600_000,
    );
  }
  const fault = (reply: Parameters<typeof answerOfStatus>[0]): unknown => {
    const answer = answerOfStatus(reply);
    return answer.outcome === 'retry' ? answer.fault : answer.outcome;
  };
  assert.equal(fault({ status: 401 }), 'credential');
  assert.equal(fault({ status: 403 }), 'permission');
  assert.equal(fault({ status: 503 }), undefined);
  assert.equal(fault({ status: 400, certificateRefused: true }), 'credential');
});

test('what a broker disconnects for may lie in what was sent, or cannot', () => {
  for (const code of [0x81, 0x82, 0x87, 0x90, 0x95]) {
    assert.equal(lossOf(code).closed, true, code.toString(16));
  }
  for (const code of [0x00, 0x89, 0x8b, 0x8d, 0x8e, 0x97, 0x98, 0x9c, 0xff]) {
    assert.equal(lossOf(code).closed, undefined, code.toString(16));
  }
  assert.equal(lossOf(0x87).fault, 'permission');
  assert.match(lossOf(0x95, 'over 128 KB').reason, /packet too large \(0x95\), "over 128 KB"/);
});

test('MQTT: a refusal for the credential or the quota is tried again, one for the message is not', () => {
  const outcome = (code: number): string => answerOf(new ErrorWithReasonCode('refused', code)).outcome;
  for (const code of [0x80, 0x83, 0x87, 0x97]) {
    assert.equal(outcome(code), 'retry', String(code));
  }
  for (const code of [0x90, 0x95, 0x99]) {
    assert.equal(outcome(code), 'rejected', String(code));
  }
});

test('backoff is spread between nothing and a ceiling that doubles up to its bound', () => {
  const random = new SeededRandom(7);
  const waits = (failures: number): number[] =>
    Array.from({ length: 500 }, () => backoffMs({ minMs: 500, maxMs: 60_000 }, failures, random));
  const first = waits(1);
  assert.ok(Math.max(...first) <= 500 && Math.max(...first) > 450 && Math.min(...first) < 50);
  assert.ok(Math.max(...waits(4)) > 3000 && Math.max(...waits(4)) <= 4000);
  assert.ok(Math.max(...waits(1000)) <= 60_000);
});
