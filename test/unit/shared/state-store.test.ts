import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openStateStore } from '../../../nodes/shared/store/state-store';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

test('what was written is there after closing and opening again, by namespace', async () => {
  const first = await openStateStore(folder);
  await first.write([
    { namespace: 'a', key: 'k', value: bytes('1') },
    { namespace: 'b', key: 'k', value: bytes('2') },
    { namespace: 'a', key: 'gone', value: bytes('3') },
  ]);
  await first.write([{ namespace: 'a', key: 'gone', value: null }]);
  await first.release();
  const second = await openStateStore(folder);
  const entries = await second.load('a');
  assert.deepEqual([...entries.keys()], ['k']);
  assert.equal(text(entries.get('k')), '1');
  assert.equal(await second.setAside(), undefined);
  await second.release();
});

test('users of one folder share a store, and the last one closes it', async () => {
  const [one, two] = await Promise.all([openStateStore(folder), openStateStore(folder)]);
  await one.release();
  await two.write([{ namespace: 'n', key: 'k', value: bytes('x') }]);
  const releasing = two.release();
  const three = await openStateStore(folder);
  await releasing;
  assert.equal((await three.load('n')).size, 1);
  await three.release();
});

test('writes that arrive together are all durable when theirs resolves', async () => {
  const store = await openStateStore(folder);
  await Promise.all(
    Array.from({ length: 500 }, (_, index) =>
      store.write([{ namespace: 'n', key: `k${index}`, value: bytes('x') }]),
    ),
  );
  assert.equal((await store.load('n')).size, 500);
  await store.release();
});

test('a file that is no database is set aside, and the store works on', async () => {
  writeFileSync(
    join(folder, 'state.db'),
    'this is no database, but it is long enough to be looked at'.repeat(100),
  );
  const store = await openStateStore(folder);
  assert.match((await store.setAside()) ?? '', /state\.db\.damaged-/);
  await store.write([{ namespace: 'n', key: 'k', value: bytes('x') }]);
  await store.release();
  assert.ok(readdirSync(folder).some((name) => name.startsWith('state.db.damaged-')));
});

test('a folder that cannot be written is a STORE error', async () => {
  writeFileSync(join(folder, 'file'), '');
  const store = await openStateStore(join(folder, 'file'));
  await assert.rejects(store.load('n'), { code: 'STORE' });
  await store.release();
});
