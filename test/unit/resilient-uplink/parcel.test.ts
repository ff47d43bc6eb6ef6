import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Outgoing } from '../../../nodes/resilient-uplink/link';
import type { BodyKind } from '../../../nodes/resilient-uplink/outbox-port';
import { entrySize, parcelOf } from '../../../nodes/resilient-uplink/parcel';
import { Press } from '../../../nodes/resilient-uplink/press';

const STORED = 1_700_000_000_000;

function row(sequence: number, kind: BodyKind, body: string | Buffer) {
  return { sequence, topic: 'plant/"1"', kind, body: Buffer.from(body), storedMs: STORED + sequence };
}

test('an envelope says about each message what it is, and is JSON whatever is in it', () => {
  const rows = [
    row(3, 'json', '{"x":1.5}'),
    row(5, 'text', 'a "quoted" line\n'),
    row(6, 'text', ''),
    row(8, 'binary', Buffer.from([0, 255, 31, 139])),
    row(9, 'json', 'NaN'),
    row(10, 'json', '-Infinity'),
    row(12, 'message', '{"topic":"t","payload":{"y":2},"detection":null}'),
  ];
  const { id, body, batch, contentType, storedMs, replay } = parcelOf(
    'store',
    rows,
    true,
    ({ sequence }) => sequence === 5 || sequence === 12,
  );
  assert.deepEqual([storedMs, replay], [STORED + 3, true], 'the oldest, and whether any is backlog');
  assert.equal(id, 'store:3-12');
  assert.equal(batch, 7);
  assert.equal(contentType, 'application/json');
  assert.deepEqual(JSON.parse(Buffer.from(body).toString()), {
    edgeBatch: 1,
    id: 'store:3-12',
    topic: 'plant/"1"',
    messages: [
      { id: 'store:3', stored: STORED + 3, payload: { x: 1.5 } },
      { id: 'store:5', stored: STORED + 5, replay: true, payload: 'a "quoted" line\n' },
      { id: 'store:6', stored: STORED + 6, payload: '' },
      { id: 'store:8', stored: STORED + 8, payload: 'AP8fiw==', encoding: 'base64' },
      { id: 'store:9', stored: STORED + 9, payload: 'NaN' },
      { id: 'store:10', stored: STORED + 10, payload: '-Infinity' },
      { id: 'store:12', stored: STORED + 12, replay: true, topic: 't', payload: { y: 2 }, detection: null },
    ],
  });
});

test('a message that does not travel in an envelope is what it always was', () => {
  const parcel = parcelOf('store', [row(3, 'text', 'plain')], false);
  const { id, body, batch, contentType } = parcel;
  assert.deepEqual([parcel.storedMs, parcel.replay], [STORED + 3, false]);
  assert.equal(id, 'store:3');
  assert.equal(Buffer.from(body).toString(), 'plain');
  assert.equal(batch, undefined);
  assert.equal(contentType, 'text/plain; charset=utf-8');
});

test('the size that is reckoned with is not too small', () => {
  const store = '6b0e8dd2-1f6c-4b0a-9f0e-8f1d8f5e2b11';
  const rows = [
    row(Number.MAX_SAFE_INTEGER - 1, 'binary', Buffer.alloc(1000)),
    row(Number.MAX_SAFE_INTEGER, 'json', '[]'),
  ];
  const { body } = parcelOf(store, rows, true, () => true);
  assert.ok(body.byteLength < rows.reduce((sum, entry) => sum + entrySize(entry), 160 + 9));
});

/** @param size of its body, which begins with its id */
function outgoing(id: string, size = 8192): Outgoing {
  return {
    id,
    topic: 't',
    body: Buffer.from(id.padEnd(size)),
    contentType: 'text/plain',
    storedMs: STORED,
    replay: false,
  };
}

test('what is compressed sooner does not overtake, and what cannot be compressed is sent as it is', async () => {
  const finish: (() => void)[] = [];
  const press = new Press('gzip', (body) => {
    const id = Buffer.from(body).toString().trim();
    return new Promise((resolve, reject) => {
      finish.push(() => (id === 'second' ? reject(new Error('no memory')) : resolve(Buffer.from(`z${id}`))));
    });
  });
  const ready: Outgoing[] = [];
  for (const id of ['first', 'second', 'third']) {
    press.press(outgoing(id), (done) => ready.push(done));
  }
  finish[2]();
  finish[1]();
  await new Promise(setImmediate);
  assert.equal(ready.length, 0);
  finish[0]();
  await new Promise(setImmediate);
  assert.deepEqual(
    ready.map(({ body, encoding }) => [Buffer.from(body).toString().trim(), encoding]),
    [
      ['zfirst', 'gzip'],
      ['second', undefined],
      ['zthird', 'gzip'],
    ],
  );
});

/** A press whose second thread compresses when the test says so, into the bytes as they were. */
function startPress(compressAtOnce?: () => Uint8Array) {
  const finish: (() => void)[] = [];
  const press = new Press(
    'gzip',
    (body) => new Promise((resolve) => finish.push(() => resolve(body))),
    compressAtOnce,
  );
  const ready: Outgoing[] = [];
  return {
    ready,
    put: (id: string, size?: number) => press.press(outgoing(id, size), (done) => ready.push(done)),
    finish: async (): Promise<void> => {
      finish.splice(0).forEach((done) => done());
      await new Promise(setImmediate);
    },
  };
}

test('what is small is compressed at once, and overtakes nothing that is still being compressed', async () => {
  const { ready, put, finish } = startPress();
  put('alert', 800);
  assert.equal(gunzipSync(ready[0].body).toString().trim(), 'alert');
  assert.equal(ready[0].encoding, 'gzip');
  put('batch');
  put('later', 800);
  await new Promise(setImmediate);
  assert.equal(ready.length, 1);
  await finish();
  assert.deepEqual(
    ready.slice(1).map(({ body }) => Buffer.from(body).toString().trim()),
    ['batch', 'later'],
  );
  put('last', 800);
  assert.equal(gunzipSync(ready[3].body).toString().trim(), 'last');
});

test('many at once are not all compressed in one turn of the event loop', async () => {
  const { ready, put, finish } = startPress();
  const all = Array.from({ length: 100 }, (_, place) => `m${place}`);
  all.forEach((id) => put(id, 800));
  assert.equal(ready.length, 16);
  await finish();
  assert.deepEqual(
    ready.map(({ id }) => id),
    all,
  );
  put('next', 800);
  assert.equal(ready.length, 101);
});

test('what is small and cannot be compressed is sent as it is, too', () => {
  const { ready, put } = startPress(() => {
    throw new Error('no memory');
  });
  put('alert', 800);
  assert.deepEqual(
    ready.map(({ body, encoding }) => [Buffer.from(body).toString().trim(), encoding]),
    [['alert', undefined]],
  );
});
