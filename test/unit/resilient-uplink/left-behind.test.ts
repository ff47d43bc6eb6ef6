import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LeftBehindStores } from '../../../nodes/resilient-uplink/left-behind/left-behind-stores';
import { adoptedNames, parseStoreFolder } from '../../../nodes/resilient-uplink/left-behind/store-folder';
import { OutboxClient } from '../../../nodes/resilient-uplink/outbox-client';
import { DiskReserve } from '../../../nodes/resilient-uplink/disk-reserve';
import { systemClock } from '../../../nodes/shared/clock';
import { makeOrphan } from '../../support/orphan';
import { FakeClock } from '../../support/fake-clock';
import { folderOf } from './support';

function dataDir(t: TestContext): string {
  const folder = folderOf('edge-left-behind');
  t.after(() => folder.remove());
  return folder.path;
}

function storesIn(folder: string, owned: (folder: string) => boolean = () => false): LeftBehindStores {
  return new LeftBehindStores({
    clock: new FakeClock(),
    folders: () => Promise.resolve([folder]),
    isOwned: (_dataDir, name) => owned(name),
  });
}

function openOutbox(path: string): Promise<{ outbox: OutboxClient }> {
  return OutboxClient.open(path, {
    clock: systemClock,
    limits: { hardBytes: 1e9, holdBytes: Infinity, batchBytes: 1e6 },
    onStored: () => undefined,
    onHeld: () => undefined,
    onFailure: () => undefined,
  });
}

test('the name of a folder says whose store it is, for ids of any form', () => {
  for (const node of ['a1b2c3d4', 'a1b2.c3d4', 'x-by-y', 'x.adopted', 'x.adopted-by-y']) {
    assert.deepEqual(parseStoreFolder(node), { node });
    for (const adopter of ['f00', 'f.00', 'b-by-c']) {
      const [name] = adoptedNames(join('/data', 'uplink', node, 'outbox.db'), adopter);
      assert.deepEqual(parseStoreFolder(name.slice('/data/uplink/'.length)), { node, adopter });
      // Adopted once more by another, or come to its end.
      const [again] = adoptedNames(join(name, 'outbox.db'), 'next');
      assert.deepEqual(parseStoreFolder(again.slice('/data/uplink/'.length)), { node, adopter: 'next' });
      const [done] = adoptedNames(join(name, 'outbox.db'));
      assert.deepEqual(parseStoreFolder(done.slice('/data/uplink/'.length)), { node });
    }
  }
});

test('a store that is open elsewhere is passed over, is not disturbed, and cannot be claimed', async (t) => {
  const folder = dataDir(t);
  const { file, store } = makeOrphan(folder, 'owned', ['a', 'b']);
  const { outbox } = await openOutbox(file);
  const stores = storesIn(folder);
  assert.deepEqual(await stores.list(), []);
  await assert.rejects(stores.claim(store, 'me'), { code: 'NOT_FOUND' });
  await assert.rejects(stores.exportPage(file, { priority: 0, after: 0 }), { code: 'STORE' });
  // Its lock still holds, and it still stores.
  await assert.rejects(openOutbox(file), /in use/);
  await outbox.append({ priority: 1, topic: 't', kind: 'text', body: Buffer.from('c'), ttlMs: 0 });
  await outbox.close();
  stores.changed();
  const [found] = await stores.list();
  assert.deepEqual([found.store, found.messages, found.node, found.bytes], [store, 3, 'owned', 6]);
});

test('a list is looked up anew after ten seconds, or when a node came or went', async (t) => {
  const folder = dataDir(t);
  const clock = new FakeClock();
  const stores = new LeftBehindStores({
    clock,
    folders: () => Promise.resolve([folder]),
    isOwned: () => false,
  });
  assert.deepEqual(await stores.list(), []);
  makeOrphan(folder, 'gone', ['a']);
  assert.deepEqual(await stores.list(), [], 'still good');
  await clock.advance(10_001);
  assert.equal((await stores.list()).length, 1);
  makeOrphan(folder, 'gone too', ['a']);
  stores.changed();
  assert.equal((await stores.list()).length, 2);
});

test('of two copies of a store one has to be named by its file', async (t) => {
  const folder = dataDir(t);
  const { file, store } = makeOrphan(folder, 'gone', ['a']);
  cpSync(dirname(file), join(folder, 'uplink', 'copy'), { recursive: true });
  const stores = storesIn(folder);
  await assert.rejects(stores.find(store), ({ message }: Error) => message.includes(file));
  assert.equal((await stores.find(file)).node, 'gone');
});

test('two that claim one store: one has it, the other is refused', async (t) => {
  const folder = dataDir(t);
  const { file, store } = makeOrphan(folder, 'gone', ['a']);
  const stores = storesIn(folder, (name) => parseStoreFolder(name).adopter !== undefined);
  const claims = await Promise.allSettled([stores.claim(store, 'one'), stores.claim(file, 'two')]);
  const won = claims.flatMap((claim) => (claim.status === 'fulfilled' ? claim.value : []));
  assert.equal(won.length, 1);
  const adopter = parseStoreFolder(dirname(won[0].file).split('/').at(-1) ?? '').adopter ?? '';
  assert.deepEqual(await stores.claimedBy(adopter), [won[0].file]);
  await stores.setAside(won[0].file);
  assert.deepEqual(await stores.claimedBy(adopter), []);
});

test('a file that is no database is told with its problem, and does not hide the others', async (t) => {
  const folder = dataDir(t);
  const broken = join(folder, 'uplink', 'broken');
  mkdirSync(broken, { recursive: true });
  writeFileSync(join(broken, 'outbox.db'), 'no database at all, whatever its name says');
  makeOrphan(folder, 'gone', ['a']);
  mkdirSync(join(folder, 'uplink', 'empty'));
  const listed = await storesIn(folder).list();
  assert.deepEqual(
    listed.map(({ node, messages, problem }) => [node, messages, problem === undefined]),
    [
      ['broken', 0, false],
      ['gone', 1, true],
    ],
  );
});

test('a shortage begins below the reserve, and is over a tenth above it', () => {
  const MEGABYTE = 1024 * 1024;
  let free = 0;
  const small = new DiskReserve('/nowhere/outbox.db', () => ({ free, total: 100 * MEGABYTE }));
  const shortAt = (megabytes: number): boolean => {
    free = megabytes * MEGABYTE;
    return small.shortage() !== undefined;
  };
  assert.deepEqual([6, 5, 4.9, 5.2, 5.4, 5.6, 5.1].map(shortAt), [
    false,
    false,
    true,
    true,
    true,
    false,
    false,
  ]);
  const large = new DiskReserve('/nowhere/outbox.db', () => ({ free: 255 * MEGABYTE, total: 1e12 }));
  assert.equal(large.shortage()?.reserve, 256 * MEGABYTE);
  assert.equal(new DiskReserve('/nowhere/outbox.db', () => undefined).shortage(), undefined);
});
