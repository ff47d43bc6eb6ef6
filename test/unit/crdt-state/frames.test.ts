import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EdgeError } from '../../../nodes/shared/errors';
import { FrameCodec, type Frame } from '../../../nodes/crdt-state/frames';

const SENDER = 'gateway-a.0123456789ab';
const OTHER = 'gateway-b.ba9876543210';
const open = new FrameCodec('line', '');
const keyed = new FrameCodec('line', 'secret');

const context = new Map([
  [SENDER, 7],
  [OTHER, 3],
]);
const entries = [
  [
    '__proto__',
    [
      { replica: SENDER, counter: 7, stamp: 1_740_800_000_000_001, text: '{"__proto__":1}' },
      { replica: OTHER, counter: 3, stamp: 1_740_800_000_000_000, text: null },
    ],
  ],
  ['plant1/count', [{ replica: SENDER, counter: 6, stamp: 0, text: '12.5' }]],
] as const;
const FRAMES: Frame[] = [
  { kind: 'delta', sender: SENDER, context, from: 4, entries },
  { kind: 'vector', sender: SENDER, context, strategies: 'abcdef', hello: true },
  { kind: 'request', sender: SENDER, context, target: OTHER, transfer: 5, chunks: [1, 2] },
  {
    kind: 'reply',
    sender: SENDER,
    context,
    target: OTHER,
    transfer: 5,
    index: 0,
    total: 2,
    floor: new Map([[OTHER, 2]]),
    entries,
  },
  { kind: 'farewell', sender: SENDER, context: new Map() },
];

function refusal(codec: FrameCodec, bytes: Uint8Array): string {
  try {
    codec.decode(bytes);
  } catch (thrown) {
    assert.ok(thrown instanceof EdgeError, `threw ${String(thrown)}`);
    return thrown.code;
  }
  return '';
}

test('every kind of frame comes out as it went in', () => {
  for (const frame of FRAMES) {
    assert.deepEqual(open.decode(open.encode(frame)), frame);
    assert.deepEqual(keyed.decode(keyed.encode(frame)), frame);
  }
});

test('with a space key every frame without it is refused', () => {
  for (const frame of FRAMES) {
    const bytes = keyed.encode(frame);
    assert.equal(refusal(keyed, open.encode(frame)), 'SYNC_AUTH');
    assert.equal(refusal(open, bytes), 'SYNC_AUTH');
    assert.equal(refusal(new FrameCodec('line', 'another'), bytes), 'SYNC_AUTH');
    assert.equal(refusal(new FrameCodec('another', 'secret'), bytes), 'SYNC_AUTH');
    for (let at = 1; at < bytes.length; at++) {
      const forged = Buffer.from(bytes);
      forged[at] ^= 1;
      assert.equal(refusal(keyed, forged), 'SYNC_AUTH', `byte ${at} is not protected`);
    }
  }
});

test('a frame of another version is told apart', () => {
  const bytes = open.encode(FRAMES[0]);
  bytes[0] = 2;
  assert.equal(refusal(open, bytes), 'SYNC_VERSION');
});

test('any bytes are a frame or SYNC_INVALID, never anything else', () => {
  const body = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(fc.nat(6), body, (kind, bytes) => {
      assert.match(refusal(open, Uint8Array.from([1, kind, ...bytes])), /^(SYNC_INVALID)?$/);
    }),
    { numRuns: 3000 },
  );
});

test('any damage to a frame gives a frame within bounds or SYNC_INVALID', () => {
  const change = fc.record({
    frame: fc.nat(FRAMES.length - 1),
    at: fc.nat(),
    to: fc.nat(255),
    cut: fc.nat(40),
  });
  fc.assert(
    fc.property(change, ({ frame, at, to, cut }) => {
      const bytes = open.encode(FRAMES[frame]);
      bytes[2 + (at % (bytes.length - 2))] = to;
      const damaged = bytes.subarray(0, bytes.length - (cut > 20 ? cut - 20 : 0));
      assert.match(refusal(open, damaged), /^(SYNC_INVALID)?$/);
    }),
    { numRuns: 5000 },
  );
});

test('an announced length that the bytes cannot hold is refused without setting it up', () => {
  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  for (let depth = 1; depth < 50; depth++) {
    const bytes = [1, 0, ...Array.from({ length: depth }, () => [0xdd, 0x01, 0xff, 0xff, 0xff]).flat()];
    assert.equal(refusal(open, Uint8Array.from(bytes)), 'SYNC_INVALID');
  }
  assert.ok(process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before < 50e6);
});

test('a frame that claims what no replica sends is refused', () => {
  const head = { kind: 'delta' as const, sender: SENDER, context, from: 4 };
  const sibling = { replica: SENDER, counter: 5, stamp: 1, text: '1' };
  const claims: Frame[] = [
    { ...head, entries: [['k', [{ ...sibling, counter: 8 }]]] },
    { ...head, entries: [['k', [sibling, sibling]]] },
    { ...head, entries: [['k', []]] },
    { ...head, entries: [['', [sibling]]] },
    { ...head, entries: [['x'.repeat(2000), [sibling]]] },
    {
      ...head,
      entries: [
        ['k', [sibling]],
        ['k', [sibling]],
      ],
    },
    { ...head, entries: [['k', [{ ...sibling, text: '{broken' }]]] },
    { ...head, entries: [['k', [{ ...sibling, text: `${'['.repeat(100)}${']'.repeat(100)}` }]]] },
    { ...head, entries: [['k', [{ ...sibling, text: `"${'x'.repeat(70_000)}"` }]]] },
    { ...head, entries: [['k', [{ ...sibling, stamp: 2 ** 60 }]]] },
    { ...head, from: 7, entries: [] },
    { ...head, sender: 'no replica', entries: [] },
    { ...head, context: new Map([[SENDER, 2 ** 50]]), entries: [] },
  ];
  claims.forEach((frame, index) => {
    assert.equal(refusal(open, open.encode(frame)), 'SYNC_INVALID', `claim ${index}`);
  });
});
