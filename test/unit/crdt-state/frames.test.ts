import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EdgeError } from '../../../nodes/shared/errors';
import { FrameCodec, type Frame } from '../../../nodes/crdt-state/frames';
import type { DeltaFrame } from '../../../nodes/crdt-state/frame';
import { NameTable, nameOf } from '../../../nodes/crdt-state/names';
import { encodeVersion1 } from './version1';

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

test('frames of version 1 are still read', () => {
  for (const frame of FRAMES) {
    assert.deepEqual(open.decode(encodeVersion1(frame)), frame);
  }
});

test('any value within the bounds arrives as the same text', () => {
  const numbers = fc.oneof(
    fc.stringMatching(/^-?(0|[1-9]\d{0,17})(\.\d{1,17})?$/),
    fc.constantFrom('-0', '0.0', '1e5', '1E-7', '1.50', '-0.05', '999999999999999', '9007199254740993'),
  );
  const texts = fc.oneof(
    numbers,
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.constant(null),
  );
  const stamps = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER));
  fc.assert(
    fc.property(fc.array(fc.tuple(texts, stamps), { minLength: 1, maxLength: 5 }), (values) => {
      const frame: Frame = {
        kind: 'delta',
        sender: SENDER,
        context: new Map([[SENDER, 100]]),
        from: 90,
        entries: values.map(([text, stamp], index) => [
          `key ${index}`,
          [{ replica: SENDER, counter: 91 + index, stamp, text }],
        ]),
      };
      assert.deepEqual(open.decode(open.encode(frame)), frame);
    }),
    { numRuns: 2000 },
  );
});

test('short names are read by whoever knows the long ones, and by nobody else', () => {
  const keys = new NameTable();
  const ids = new NameTable();
  entries.forEach(([key]) => keys.add(nameOf(key)));
  [SENDER, OTHER].forEach((id) => ids.add(nameOf(id)));
  const [delta] = FRAMES;
  const short = { key: (text: string) => keys.shorten(text), replica: (text: string) => ids.shorten(text) };
  const book = { key: (ref: number) => keys.find(ref), replica: (ref: number) => ids.find(ref) };
  const bytes = open.encode({ ...delta, short } as Frame);
  assert.ok(bytes.length < open.encode(delta).length);
  const frame = open.decode(bytes);
  assert.ok(frame.kind === 'short');
  const { names, ...read } = frame.expand(book) as DeltaFrame;
  assert.deepEqual(read, delta);
  assert.deepEqual(
    names?.map((name) => name?.text),
    entries.map(([key]) => key),
  );
  const stranger = new NameTable();
  stranger.add(nameOf('another key'));
  assert.equal(frame.expand({ ...book, key: (ref) => stranger.find(ref) }), undefined);
  // A name that has the reference of the right one by chance does not pass the check.
  const chance = (ref: number): ReturnType<NameTable['find']> => {
    const name = keys.find(ref);
    return name && { ...name, text: 'another key', check: name.check ^ 1 };
  };
  assert.equal(frame.expand({ ...book, key: chance }), undefined);
});

test('names that share a reference travel whole', () => {
  const keys = new NameTable();
  const seen = new Map<number, string>();
  const alike: string[] = [];
  // Among so many texts some have the same 32 bits.
  for (let index = 0; alike.length === 0 && index < 400_000; index++) {
    const text = `key ${index}`;
    keys.add(nameOf(text));
    const ref = keys.shorten(text)?.ref;
    if (ref === undefined) {
      alike.push(text);
    } else {
      seen.set(ref, text);
    }
  }
  assert.equal(alike.length, 1);
  const [later] = alike;
  keys.remove(later);
  const table = new NameTable();
  const earlier = [...seen.values()].filter((text) => keys.shorten(text) !== undefined);
  table.add(nameOf(later));
  assert.ok(table.shorten(later));
  earlier.forEach((text) => table.add(nameOf(text)));
  assert.equal(table.shorten(later), undefined);
});

test('a frame of another version is told apart', () => {
  const bytes = open.encode(FRAMES[0]);
  bytes[0] = 3;
  assert.equal(refusal(open, bytes), 'SYNC_VERSION');
});

test('any bytes are a frame or SYNC_INVALID, never anything else', () => {
  const body = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(fc.nat(6), body, (kind, bytes) => {
      for (const version of [1, 2]) {
        assert.match(refusal(open, Uint8Array.from([version, kind, ...bytes])), /^(SYNC_INVALID)?$/);
      }
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
