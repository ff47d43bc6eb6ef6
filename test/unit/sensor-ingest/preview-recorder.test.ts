import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recorder } from '../../../nodes/sensor-ingest/preview/recorder';
import { NOON } from './support';
import { heldBytes } from '../../support/held-memory';

const payloads = async (recorder: Recorder): Promise<string[]> =>
  (await recorder.recording()).samples.map(({ payload }) => payload);

test('the first topic is recorded, as it came and with its arrival time, until somebody asks for another', async () => {
  const recorder = new Recorder();
  assert.deepEqual(await recorder.recording(), {
    topic: null,
    topics: [],
    samples: [],
    leftOut: { count: 0, reason: '' },
  });
  recorder.record({ topic: 'a', payload: '{"v":1}' }, NOON);
  recorder.record({ topic: 'b', payload: '{"v":2}' }, NOON + 1);
  recorder.record({ topic: 'a', payload: Buffer.from([1, 2]) }, NOON + 2);
  recorder.record({ topic: 'a', payload: { v: [3] } }, NOON + 3);
  const first = await recorder.recording();
  assert.deepEqual(first.samples, [
    { topic: 'a', at: NOON, encoding: 'text', payload: '{"v":1}' },
    { topic: 'a', at: NOON + 2, encoding: 'base64', payload: 'AQI=' },
    { topic: 'a', at: NOON + 3, encoding: 'json', payload: '{"v":[3]}' },
  ]);
  assert.equal(first.topic, 'a');
  assert.deepEqual(first.topics.sort(), ['a', 'b']);

  recorder.follow('b');
  recorder.record({ topic: 'a', payload: '{"v":4}' }, NOON + 4);
  assert.deepEqual(await payloads(recorder), []);
  recorder.record({ topic: 'b', payload: '{"v":5}' }, NOON + 5);
  recorder.follow('b');
  assert.deepEqual(await payloads(recorder), ['{"v":5}'], 'asking again for the same topic forgets nothing');
  assert.deepEqual((await recorder.recording()).topics.sort(), ['a', 'b']);
});

test('a topic that is no text counts as none', async () => {
  const recorder = new Recorder();
  recorder.record({ payload: 1 }, NOON);
  recorder.record({ topic: 7, payload: 2 }, NOON);
  recorder.record({ topic: '', payload: 3 }, NOON);
  const { topic, topics } = await recorder.recording();
  assert.deepEqual([topic, topics], ['', ['']]);
  assert.deepEqual(await payloads(recorder), ['1', '2', '3']);
});

test('the last 300 messages are kept', async () => {
  const recorder = new Recorder();
  for (let i = 0; i < 1000; i++) {
    recorder.record({ topic: 'a', payload: i }, NOON + i);
  }
  assert.deepEqual(
    await payloads(recorder),
    Array.from({ length: 300 }, (_, i) => String(700 + i)),
  );
});

test('no more than 1 MiB is kept, of whatever kind, and no single payload beyond it', async () => {
  const kinds: Record<string, (bytes: number) => unknown> = {
    text: (bytes) => 'x'.repeat(bytes),
    bytes: (bytes) => Buffer.alloc(bytes),
    samples: (bytes) => new Float32Array(bytes / 4),
    list: (bytes) => new Array<number>(bytes / 8).fill(0.5),
    'a text hidden behind many values': (bytes) => ({
      list: [...new Array<number>(50).fill(0), 'x'.repeat(bytes)],
    }),
    'long names': (bytes) => ({ ['x'.repeat(bytes)]: 1 }),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    const recorder = new Recorder();
    for (let i = 0; i < 12; i++) {
      recorder.record({ topic: 'a', payload: make(100 * 1024) }, NOON + i);
    }
    const { samples, leftOut } = await recorder.recording();
    assert.ok(samples.length >= 9 && samples.length <= 10, `${kind}: ${samples.length}`);
    assert.equal(samples.at(-1)?.at, NOON + 11, kind);
    assert.equal(leftOut.count, 0);
    recorder.record({ topic: 'a', payload: make(2 * 1024 * 1024) }, NOON);
    const after = await recorder.recording();
    assert.equal(after.samples.length, samples.length, kind);
    assert.equal(after.leftOut.count, 1, kind);
    assert.match(after.leftOut.reason, /more than 1 MiB/);
  }
});

test('a small message does not keep the large chunk in memory in which it came', async () => {
  const recorder = new Recorder();
  const chunk = Buffer.alloc(65_536, 'x');
  recorder.record({ topic: 'a', payload: chunk.subarray(7, 10) }, NOON);
  const whole = Buffer.alloc(65_536, 'x');
  recorder.record({ topic: 'a', payload: whole }, NOON);
  // What was copied no longer changes with the chunk; what was not does.
  chunk.fill('y');
  whole.fill('y');
  const [small, large] = await payloads(recorder);
  assert.equal(small, Buffer.from('xxx').toString('base64'));
  assert.equal(large, whole.toString('base64'));
});

test('what is kept holds on to no chunk that Node.js cuts small Buffers from', () => {
  const recorder = new Recorder();
  const before = heldBytes();
  for (let i = 0; i < 300; i++) {
    // A window that came in a chunk of its own, and what else a gateway makes in the meantime, gone at once.
    recorder.record({ topic: 'a', payload: Buffer.alloc(65_536).subarray(0, 2000) }, NOON);
    Buffer.allocUnsafe(20_000);
    Buffer.allocUnsafe(20_000);
  }
  const more = heldBytes() - before;
  assert.ok(more < 3e6, `${more} bytes more`);
});

test('strangers cannot make the list of topics grow', async () => {
  const recorder = new Recorder();
  recorder.record({ topic: 'mine', payload: 1 }, NOON);
  for (let i = 0; i < 5000; i++) {
    recorder.record({ topic: `stranger/${i}`, payload: 1 }, NOON);
  }
  recorder.record({ topic: 'x'.repeat(60_000), payload: 1 }, NOON);
  const { topic, topics } = await recorder.recording();
  assert.equal(topic, 'mine');
  assert.ok(topics.length <= 101, String(topics.length));
  assert.ok(topics.includes('mine') && topics.includes('stranger/4999') && !topics.includes('stranger/0'));
  assert.ok(topics.every((name) => name.length <= 1024));
});

test('what cannot be written down is left out, with the reason, and nothing throws', async () => {
  const loop: Record<string, unknown> = { v: 1 };
  loop.self = loop;
  const hostile: Record<string, unknown> = {
    bigint: { v: 10n },
    cyclic: loop,
    'throwing getter': {
      get v(): number {
        throw new Error('this getter throws');
      },
    },
    'throwing toJSON': {
      toJSON() {
        throw new Error('this toJSON throws');
      },
    },
    function: () => 1,
    'revoked proxy': (() => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    })(),
  };
  for (const [kind, payload] of Object.entries(hostile)) {
    const recorder = new Recorder();
    recorder.record({ topic: 'a', payload: { v: 1 } }, NOON);
    recorder.record({ topic: 'a', payload }, NOON + 1);
    recorder.record({ topic: 'a', payload: { v: 2 } }, NOON + 2);
    const { samples, leftOut } = await recorder.recording();
    assert.deepEqual(
      samples.map((sample) => sample.payload),
      ['{"v":1}', '{"v":2}'],
      kind,
    );
    assert.equal(leftOut.count, 1, kind);
    assert.notEqual(leftOut.reason, '', kind);
  }
  const recorder = new Recorder();
  recorder.record(
    {
      get topic(): string {
        throw new Error('no topic for you');
      },
    },
    NOON,
  );
  assert.equal((await recorder.recording()).leftOut.count, 1);
});
