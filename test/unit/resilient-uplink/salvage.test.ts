import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { OutboxFile, type OpenOutbox } from '../../../nodes/resilient-uplink/outbox-file';
import { FATES } from '../../../nodes/resilient-uplink/outbox-port';
import { DamagedFile } from '../../../nodes/resilient-uplink/salvage/damaged-file';
import { highestOf } from '../../../nodes/resilient-uplink/salvage/highest';
import { reconcile } from '../../../nodes/resilient-uplink/salvage/reconcile';
import { rowsOf } from '../../../nodes/resilient-uplink/salvage/records';
import { scanWal } from '../../../nodes/resilient-uplink/salvage/wal';
import { FakeClock } from '../../support/fake-clock';
import { delivered, folderOf, message, openStore } from './support';

const PAGE = 4096;

let folder: ReturnType<typeof folderOf>;
let path: string;
let clock: FakeClock;

beforeEach(() => {
  folder = folderOf('salvage');
  path = join(folder.path, 'outbox.db');
  clock = new FakeClock();
});

afterEach(() => folder.remove());

/** Opens as the worker does, over a salvage if there is one. */
function open(at = path): OpenOutbox & { file: OutboxFile } {
  const file = new OutboxFile(at, clock);
  for (;;) {
    const opened = file.open();
    if ('store' in opened) {
      return { ...opened, file };
    }
  }
}

function damage(page: number, at = path): void {
  const bytes = readFileSync(at);
  bytes.fill(0, (page - 1) * PAGE, page * PAGE);
  writeFileSync(at, bytes);
}

const all = { after: 0, maxRows: 10_000, maxBytes: 1e9 };

test('reads every row of a real file without SQLite, of any length', () => {
  const { store, database } = openStore(path, clock);
  const lengths = [0, 1, 100, 489, 490, 3900, 4000, 4050, 4061, 4062, 4100, 8000, 8192, 50_000, 1_000_000];
  store.append(lengths.map((length) => message('a/ü', 'x'.repeat(length))));
  database.close();
  const file = new DamagedFile(path);
  const found: [number | undefined, number][] = [];
  for (let page = 2; page <= file.pages; page++) {
    const bytes = file.isTree(page) ? file.page(page) : undefined;
    for (const { rowid, values } of bytes ? rowsOf(bytes, (other) => file.page(other)) : []) {
      if (values.length === 11) {
        assert.equal(values[2], 'a/ü');
        found.push([rowid, (values[10] as Uint8Array).byteLength]);
      }
    }
  }
  file.close();
  assert.deepEqual(
    found.sort(([one = 0], [other = 0]) => one - other),
    lengths.map((length, index) => [index + 1, length]),
  );
});

test('makes a row of no bytes whatever, and never loops', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: PAGE, maxLength: PAGE }),
      fc.constantFrom(0x0d, 0x0a),
      (bytes, kind) => {
        const page = Buffer.from(bytes);
        page[0] = kind;
        for (const { values } of rowsOf(page, () => page)) {
          assert.ok(values.length < 64);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('reads a log past a damaged frame, and takes a torn tail for what it is', () => {
  const { store, database } = openStore(path, clock);
  for (let n = 0; n < 20; n++) {
    store.append([message('a', `m${n}`)]);
  }
  const log = readFileSync(`${path}-wal`);
  database.close();
  const scan = (bytes: Buffer) =>
    scanWal((target, position) => bytes.copy(target, 0, position), bytes.byteLength);
  const whole = scan(log);
  assert.equal(whole.damaged, false);
  assert.ok(whole.pages.size > 5);
  const torn = Buffer.from(log);
  torn[torn.length - 10] ^= 1;
  assert.equal(scan(torn).damaged, false, 'nothing follows');
  assert.equal(scan(log.subarray(0, log.length - 100)).damaged, false);
  for (const at of [8, 17, 25, 32 + 10, 32 + 17, 32 + 24 + 500]) {
    const flipped = Buffer.from(log);
    flipped[at] ^= 4;
    const { damaged, pages, databasePages } = scan(flipped);
    assert.ok(damaged, `byte ${at}`);
    assert.equal(databasePages, whole.databasePages, `byte ${at}`);
    assert.ok(pages.size >= whole.pages.size - 1, `byte ${at}`);
  }
});

test('a damaged store keeps its identity, numbers, times to live, attempts, dead letters and ledger', () => {
  const first = open();
  first.store.append(
    Array.from({ length: 40 }, (_, n) =>
      message('a', `m${n + 1}`, { priority: n % 3, ttlMs: n % 2 ? 9000 : 0 }),
    ),
  );
  first.store.settle(delivered([1, 2, 3], 'cloud'));
  first.store.settle({
    remove: [
      {
        fate: 'rejected',
        connection: '',
        sequences: [7, 8],
        refusal: { reason: '422', connection: 'cloud' },
      },
    ],
    attempts: [],
  });
  first.store.settle({ remove: [{ fate: 'expired', connection: '', sequences: [10] }], attempts: [] });
  first.store.settle({ remove: [], attempts: [[5, 4]] });
  const { uuid } = first.store;
  const before = [0, 1, 2].map((priority) => first.store.read({ priority, ...all }).messages);
  const ledger = first.store.ledger({ maxRanges: 100 });
  const letters = first.store.listDeadLetters({ ...all, bodies: true });
  first.file.close();
  damage(1);
  const { store, loss, file } = open();
  assert.equal(loss?.cause, 'damaged');
  assert.equal(loss.count, 0);
  assert.deepEqual(loss.salvaged, { messages: 34, deadLetters: 2 });
  assert.equal(store.uuid, uuid);
  const salvaged = [0, 1, 2].map((priority) => store.read({ priority, ...all }).messages);
  assert.deepEqual(
    salvaged,
    before.map((messages) => messages.map((entry) => ({ ...entry, earlierRun: true }))),
  );
  assert.deepEqual(store.ledger({ maxRanges: 100 }), ledger);
  assert.deepEqual(store.listDeadLetters({ ...all, bodies: true }), letters);
  assert.equal(store.append([message('a', 'fresh')]).first, 41);
  file.close();
  const again = open();
  assert.equal(again.loss, undefined, 'it is told once');
  again.file.close();
});

test('without the note too, except that a smashed identity gives new ids, which is told', () => {
  const first = open();
  first.store.append([message('a', 'one')]);
  first.file.close();
  rmSync(`${path}.sequence`);
  const bytes = readFileSync(path);
  // Every copy of the identity, wherever it lies.
  for (let at = bytes.indexOf(first.store.uuid); at >= 0; at = bytes.indexOf(first.store.uuid)) {
    bytes.write('?', at);
  }
  bytes.fill(0, 0, PAGE);
  writeFileSync(path, bytes);
  const { store, loss, file } = open();
  assert.equal(loss?.newIds, true);
  assert.notEqual(store.uuid, first.store.uuid);
  assert.equal(store.read({ priority: 1, ...all }).messages.length, 1);
  file.close();
});

test('rows of a store of an earlier version are salvaged by the checksum that they have', () => {
  const { store, database } = openStore(path, clock);
  store.append([message('a', 'old'), message('a', 'evil')]);
  const old = database.prepare('UPDATE message SET checksum = ? WHERE sequence = ?');
  old.run(crc32('old', crc32('text a')), 1);
  old.run(crc32('good', crc32('text a')), 2);
  assert.deepEqual(store.read({ priority: 1, ...all }).corrupt, [2]);
  store.finish();
  database.exec('PRAGMA user_version=2');
  database.close();
  damage(1);
  const opened = open();
  assert.deepEqual(
    opened.store.read({ priority: 1, ...all }).messages.map(({ sequence }) => sequence),
    [1],
  );
  assert.equal(opened.loss?.count, 1);
  opened.file.close();
});

test('a row that moved, or whose priority or time to live changed, is told as damaged', () => {
  const { store, database } = openStore(path, clock);
  store.append(Array.from({ length: 5 }, (_, n) => message('a', `m${n}`, { ttlMs: 1000 })));
  database.exec('UPDATE message SET priority = 0 WHERE sequence = 2');
  database.exec('UPDATE message SET ttl_ms = 1001 WHERE sequence = 3');
  database.exec('UPDATE message SET sequence = 9 WHERE sequence = 4');
  assert.deepEqual(store.read({ priority: 0, after: 0, maxRows: 1, maxBytes: 1e6 }).corrupt, [2]);
  const { messages, corrupt } = store.read({ priority: 1, after: 0, maxRows: 4, maxBytes: 1e6 });
  assert.deepEqual(corrupt, [3, 9]);
  assert.deepEqual(
    messages.map(({ sequence }) => sequence),
    [1, 5],
  );
  database.close();
});

test('messages that are counted and cannot be found are a damage, not an empty queue', () => {
  const { store, database } = openStore(path, clock);
  store.append([message('a', 'one'), message('a', 'two')]);
  database.exec('DELETE FROM message WHERE sequence = 2');
  assert.throws(() => store.read({ priority: 1, ...all }), /contradict/);
  database.close();
});

test('a store that another process has open is left alone, whatever its log looks like', () => {
  const owner = openStore(path, clock);
  owner.store.append([message('a', 'one')]);
  copyFileSync(`${path}-wal`, join(folder.path, 'log'));
  const log = readFileSync(`${path}-wal`);
  const half = Buffer.from(log);
  half[32 + 24 + 9] ^= 1;
  writeFileSync(`${path}-wal`, half);
  assert.throws(() => open(), /in use/);
  writeFileSync(`${path}-wal`, log);
  assert.equal(owner.store.append([message('a', 'two')]).first, 2);
  owner.database.close();
  assert.equal(statSync(`${path}.salvaging`, { throwIfNoEntry: false }), undefined);
});

test('only so many damaged files are kept, and the deleted ones are named', () => {
  let deleted: string[] = [];
  for (let n = 0; n < 5; n++) {
    const { store, file } = open();
    store.append([message('a', `${n}`)]);
    file.close();
    damage(1);
    const opened = open();
    deleted = opened.loss?.deleted ?? [];
    opened.file.close();
  }
  assert.equal(deleted.length, 1);
  assert.match(deleted[0], /damaged-\d+$/);
  assert.equal(statSync(deleted[0], { throwIfNoEntry: false }), undefined);
});

test('the highest number is the highest that is vouched for or plausible', () => {
  assert.equal(highestOf([10, 12], [15, 14]), 15);
  assert.equal(highestOf([10], [2 ** 40]), 10);
  assert.equal(highestOf([10], [2 ** 40, 12]), 12);
  assert.equal(highestOf([0], [50_000_000, 50_000_000]), 50_000_000);
  assert.equal(highestOf([], [NaN, -4]), 0);
});

test('a reconciled ledger has no gap, keeps what was read pending and loses no known end', () => {
  const range = fc.record({
    first: fc.integer({ min: 1, max: 120 }),
    length: fc.integer({ min: 0, max: 20 }),
    fate: fc.constantFrom(...FATES),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 100 })),
      fc.uniqueArray(fc.integer({ min: 1, max: 100 })),
      fc.array(range),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 60 }),
      (messages, letters, ranges, upTo, told) => {
        const read = new Set(messages);
        const { ledger, corrupt } = reconcile({
          messages: [...messages].sort((one, other) => one - other),
          deadLetters: (first, last) =>
            letters.filter((n) => n >= first && n <= last && !read.has(n)).sort((one, other) => one - other),
          ranges: ranges.map(({ first, length, fate }) => ({
            first,
            last: first + length,
            fate,
            connection: '',
          })),
          summary: { upTo, sums: [{ fate: 'delivered', connection: 'a', messages: told }] },
          highest: 100,
        });
        const inRanges = new Map<number, string>();
        for (const { first, last, fate } of ledger.all()) {
          for (let n = first; n <= last; n++) {
            assert.ok(!inRanges.has(n) && n > ledger.summarisedTo && n <= 100);
            inRanges.set(n, fate);
          }
        }
        assert.equal(inRanges.size + ledger.summary.total + read.size, 100);
        const known = (n: number): boolean =>
          ranges.some(({ first, length }) => first <= n && n <= first + length);
        let lost = 0;
        for (let n = ledger.summarisedTo + 1; n <= 100; n++) {
          assert.equal(inRanges.has(n), !read.has(n));
          lost += !read.has(n) && !known(n) && !letters.includes(n) ? 1 : 0;
        }
        assert.equal(corrupt, lost);
      },
    ),
  );
});
