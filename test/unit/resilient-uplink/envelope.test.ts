import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envelopeOf, rebuild, wireBody, type EnvelopeConfig } from '../../../nodes/resilient-uplink/envelope';
import type { StoredMessage } from '../../../nodes/resilient-uplink/outbox-port';
import { pseudonym } from '../../../nodes/resilient-uplink/redaction';
import type { EdgeMessage } from '../../../nodes/shared/messages';

const CONFIG: EnvelopeConfig = {
  topic: '{topic}',
  content: 'payload',
  priority: 'auto',
  ttlMs: 0,
  gatewayId: 'gw-1',
  site: 'north',
  maxBytes: 1000,
  drop: [],
  hash: [],
  hashKey: '',
};

function make(msg: object, config: Partial<EnvelopeConfig> = {}): ReturnType<typeof envelopeOf> {
  return envelopeOf({ _msgid: '', ...msg }, { ...CONFIG, ...config });
}

function text(msg: object, config: Partial<EnvelopeConfig> = {}): string {
  return Buffer.from(make(msg, config).body).toString();
}

const code = (expected: string) => (thrown: unknown) =>
  thrown instanceof Error && 'code' in thrown && thrown.code === expected;

test('writes payloads as the core mqtt out node does', () => {
  const topic = 'a';
  assert.equal(text({ topic, payload: 'grün' }), 'grün');
  assert.equal(text({ topic, payload: 12.5 }), '12.5');
  assert.equal(text({ topic, payload: true }), 'true');
  assert.equal(text({ topic, payload: { x: [1] } }), '{"x":[1]}');
  assert.equal(text({ topic, payload: null }), '');
  assert.equal(text({ topic }), '');
  assert.deepEqual([...make({ topic, payload: Buffer.from([0, 255]) }).body], [0, 255]);
});

test('takes its own copy of bytes, which a flow may go on writing into', () => {
  const payload = Buffer.from('before');
  const { body } = make({ topic: 'a', payload });
  payload.write('after!');
  assert.equal(Buffer.from(body).toString(), 'before');
});

test('fills in the topic', () => {
  const topic = '{site}/{gateway}/{priority}/{topic}';
  assert.equal(make({ topic: 'cnc/7', priority: 'bulk' }, { topic }).topic, 'north/gw-1/bulk/cnc/7');
});

test('refuses topics that no broker takes', () => {
  for (const topic of [
    '',
    'a/+/b',
    '#',
    'a\u0000b',
    'line\nbreak',
    '\ud800',
    'x'.repeat(70_000),
    7,
    undefined,
  ]) {
    assert.throws(() => make({ topic, payload: 1 }), code('TOPIC'), String(topic).slice(0, 40));
  }
});

test('refuses what JSON cannot hold', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (const payload of [cycle, { big: 1n }, 1n, () => 1, Symbol('s')]) {
    assert.throws(() => make({ topic: 'a', payload }), code('UNSERIALISABLE'));
  }
});

test('refuses messages that are too large', () => {
  assert.throws(() => make({ topic: 'a', payload: 'x'.repeat(1001) }), code('TOO_LARGE'));
});

test('takes the priority from the node, the message, or what was detected', () => {
  const topic = 'a';
  const finding = { detections: [{ status: 'OPERATIONAL' }, { kind: 'KNOWN_FAILURE' }] };
  assert.equal(make({ topic }).priority, 1);
  assert.equal(make({ topic, ...finding }).priority, 0);
  assert.equal(make({ topic, detection: { kind: 'NOVEL_ANOMALY' } }).priority, 0);
  assert.equal(make({ topic, ...finding, priority: 'bulk' }).priority, 2);
  assert.equal(make({ topic, ...finding, priority: 'urgent!' }).priority, 0);
  assert.equal(make({ topic, ...finding }, { priority: 'normal' }).priority, 1);
});

test('lets msg.ttl override the time to live, and ignores nonsense', () => {
  const ttlMs = 5000;
  assert.equal(make({ topic: 'a', ttl: 2 }, { ttlMs }).ttlMs, 2000);
  assert.equal(make({ topic: 'a', ttl: 0 }, { ttlMs }).ttlMs, 0);
  assert.equal(make({ topic: 'a', ttl: -1 }, { ttlMs }).ttlMs, 5000);
  assert.equal(make({ topic: 'a', ttl: 'soon' }, { ttlMs }).ttlMs, 5000);
});

test('content message carries the parts of the contract and gets its id on the wire', () => {
  const msg = {
    topic: 'a',
    payload: { x: 1 },
    reading: { id: 'r1' },
    detection: { kind: 'KNOWN_FAILURE' },
    internal: 'not sent',
  };
  const { kind, body } = make(msg, { content: 'message' });
  assert.deepEqual(JSON.parse(wireBody(kind, body, 'store:7').toString()), {
    id: 'store:7',
    topic: 'a',
    payload: { x: 1 },
    reading: { id: 'r1' },
    detection: { kind: 'KNOWN_FAILURE' },
  });
});

test('leaves dropped values out and puts pseudonyms in, in every row, without changing the message', () => {
  const msg = {
    topic: 'a',
    payload: [
      { operator: 'Ann', shift: { crew: 'red' }, x: 1 },
      { operator: 'Bob', x: 2 },
    ],
  };
  const before = structuredClone(msg);
  const config = { drop: ['payload.shift.crew'], hash: ['msg.payload.operator'], hashKey: 'secret' };
  assert.deepEqual(JSON.parse(text(msg, config)), [
    { operator: pseudonym('Ann', 'secret'), shift: {}, x: 1 },
    { operator: pseudonym('Bob', 'secret'), x: 2 },
  ]);
  assert.deepEqual(msg, before);
  assert.match(pseudonym('Ann', 'secret'), /^[0-9a-f]{64}$/);
  assert.notEqual(pseudonym('Ann', 'secret'), pseudonym('Ann', 'other'));
});

test('gives back after a restart what was stored', () => {
  const restored = (msg: object, config: Partial<EnvelopeConfig> = {}): EdgeMessage =>
    rebuild(make(msg, config) as StoredMessage);
  assert.deepEqual(restored({ topic: 'a', payload: { x: 1 } }).payload, { x: 1 });
  assert.equal(restored({ topic: 'a', payload: 5 }).payload, 5);
  assert.equal(restored({ topic: 'a', payload: 'text' }).payload, 'text');
  assert.deepEqual(restored({ topic: 'a', payload: Buffer.from([1]) }).payload, Buffer.from([1]));
  const whole = restored({ topic: 'a', payload: 1, reading: { id: 'r' } }, { content: 'message' });
  assert.deepEqual((whole as { reading?: unknown }).reading, { id: 'r' });
});
