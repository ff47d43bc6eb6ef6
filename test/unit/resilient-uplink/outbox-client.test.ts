import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { OutboxClient, type OutboxClientOptions } from '../../../nodes/resilient-uplink/outbox-client';
import type { StoredMessage } from '../../../nodes/resilient-uplink/outbox-port';
import type { StoreLoss } from '../../../nodes/resilient-uplink/store-loss';
import { systemClock } from '../../../nodes/shared/clock';
import type { EdgeError } from '../../../nodes/shared/errors';
import { delivered, folderOf, message } from './support';

let folder: ReturnType<typeof folderOf>;
let path: string;
const open: OutboxClient[] = [];

beforeEach(() => {
  folder = folderOf('client');
  path = join(folder.path, 'uplink', 'node', 'outbox.db');
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
  folder.remove();
});

async function start(
  options: Partial<OutboxClientOptions> = {},
): Promise<{ outbox: OutboxClient; loss?: StoreLoss; stored: StoredMessage[][] }> {
  const stored: StoredMessage[][] = [];
  const opened = await OutboxClient.open(path, {
    clock: systemClock,
    limits: { hardBytes: 1e9, holdBytes: Infinity, batchBytes: 1e6 },
    onStored: (batch) => stored.push(batch),
    onHeld: () => undefined,
    onFailure: () => undefined,
    ...options,
  });
  open.push(opened.outbox);
  return { ...opened, stored };
}

const code = (expected: string) => (thrown: unknown) =>
  thrown instanceof Error && 'code' in thrown && thrown.code === expected;

test('stored messages let the flow go on a few at a turn, in order, and all before the store closes', async () => {
  const { outbox } = await start();
  const turns: number[][] = [];
  let open = false;
  const note = (sequence: number): void => {
    if (!open) {
      open = true;
      turns.push([]);
      setImmediate(() => {
        open = false;
      });
    }
    turns[turns.length - 1].push(sequence);
  };
  for (let index = 0; index < 500; index++) {
    void outbox.append(message('a', `m${index}`)).then(note);
  }
  await outbox.drain();
  await Promise.resolve();
  assert.deepEqual(
    turns.flat(),
    Array.from({ length: 500 }, (_, index) => index + 1),
  );
  assert.ok(Math.max(...turns.map(({ length }) => length)) <= 128, turns.map(String).join(' | '));
});

test('messages of one moment share a commit, and each is told when it is on disk', async () => {
  const { outbox, stored } = await start();
  const sequences = await Promise.all(
    Array.from({ length: 200 }, (_, index) => outbox.append(message('a', `m${index}`))),
  );
  assert.equal(stored.length, 1);
  assert.deepEqual(
    sequences,
    stored[0].map(({ sequence }) => sequence),
  );
  assert.deepEqual(
    stored[0].map(({ sequence }) => sequence),
    Array.from({ length: 200 }, (_, index) => index + 1),
  );
  const page = await outbox.read({ priority: 1, after: 198, maxRows: 10, maxBytes: 1e6 });
  assert.equal(Buffer.from(page.messages[1].body).toString(), 'm199');
});

test('a second owner is refused while the first is there, and not after', async () => {
  const { outbox } = await start();
  await assert.rejects(start(), code('STORE'));
  await outbox.close();
  await start();
});

test('reopens with what it held', async () => {
  const first = await start();
  await first.outbox.append(message('a', 'kept'));
  await first.outbox.close();
  const second = await start();
  assert.equal(second.outbox.uuid, first.outbox.uuid);
  assert.equal(second.outbox.usage.messages, 1);
});

test('refuses messages beyond its hard limit, at the door', async () => {
  const { outbox } = await start({ limits: { hardBytes: 100, holdBytes: Infinity, batchBytes: 1e6 } });
  await outbox.append(message('a', 'x'.repeat(80)));
  await assert.rejects(outbox.append(message('a', 'x'.repeat(80))), code('OUTBOX_FULL'));
  assert.equal(outbox.usage.messages, 1);
});

test('lets messages wait for room, and refuses them when none can be made', async () => {
  let held = 0;
  const { outbox } = await start({
    limits: { hardBytes: Infinity, holdBytes: 50, batchBytes: 1e6 },
    onHeld: () => held++,
  });
  await outbox.append(message('a', 'x'.repeat(80)));
  const waiting = outbox.append(message('a', 'waits'));
  while (held === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  await outbox.settle(delivered([1]));
  outbox.release(true);
  await waiting;
  await outbox.append(message('a', 'x'.repeat(80)));
  const refused = outbox.append(message('a', 'no room'));
  while (held === 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  outbox.release(false);
  await assert.rejects(refused, code('OUTBOX_FULL'));
});

test('closing stores what was appended and refuses what comes later', async () => {
  const { outbox } = await start();
  const last = outbox.append(message('a', 'last'));
  await outbox.close();
  await last;
  await assert.rejects(outbox.append(message('a', 'late')), code('STORE'));
  assert.equal((await start()).outbox.usage.messages, 1);
});

test('sets a file that is no database aside and goes on under the same identity, with higher numbers', async () => {
  const { outbox } = await start();
  await outbox.append(message('a', 'lost'));
  await outbox.close();
  writeFileSync(path, 'this was a database once '.repeat(400));
  const { loss, outbox: fresh } = await start();
  assert.ok(loss);
  assert.ok(loss.file?.startsWith(path));
  assert.equal(loss.count, 1);
  assert.equal(fresh.uuid, outbox.uuid);
  assert.equal(await fresh.append(message('a', 'works')), 2);
});

test('notices damage while it works, sets the file aside and salvages it with the next opening', async () => {
  const { outbox } = await start();
  const body = Buffer.alloc(3000, 'x');
  await Promise.all(Array.from({ length: 1500 }, () => outbox.append(message('a', '', { body }))));
  await outbox.close();
  let failure: EdgeError | undefined;
  const second = await start({ onFailure: (error) => (failure = error) });
  const handle = openSync(path, 'r+');
  for (let page = 20; page < 120; page++) {
    writeSync(handle, Buffer.alloc(64, 0xa5), 0, 64, page * 4096);
  }
  closeSync(handle);
  await assert.rejects(
    second.outbox.read({ priority: 1, after: 0, maxRows: 500, maxBytes: 1e9 }),
    code('STORE'),
  );
  assert.equal(failure?.code, 'CORRUPT');
  assert.ok(String(failure.details?.file).startsWith(path));
  await second.outbox.close();
  const progress: number[] = [];
  const { outbox: third, loss } = await start({
    onSalvage: ({ done, total }) => progress.push(done / total) > 0,
  });
  assert.equal(loss?.cause, 'damaged');
  assert.ok(loss.count >= 90 && loss.count <= 110, `${loss.count} lost`);
  assert.equal(third.usage.messages, 1500 - loss.count);
  assert.equal(third.uuid, outbox.uuid);
  assert.ok(progress.length > 0);
  const { counts } = await third.ledger({ maxRanges: 1000 });
  assert.equal(counts.corrupt, loss.count);
  assert.equal(counts.pending, 1500 - loss.count);
  assert.equal(await third.append(message('a', 'fresh')), 1501);
  assert.ok(readdirSync(join(path, '..')).some((name) => name.includes('.damaged-')));
});
