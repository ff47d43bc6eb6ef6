import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { OutboxClient } from '../../nodes/resilient-uplink/outbox-client';
import type { NewMessage, ReadResult } from '../../nodes/resilient-uplink/outbox-port';
import { systemClock } from '../../nodes/shared/clock';
import { toEdgeError } from '../../nodes/shared/errors';
import { unavailable } from '../support/tools';

const textOf = (n: number): string => `${n} ${String(n * 7919).repeat(60)}`;
const messageOf = (n: number): NewMessage => ({
  priority: 1,
  topic: `plant/${n % 5}`,
  kind: 'text',
  body: Buffer.from(textOf(n)),
  ttlMs: 0,
});

async function openOutbox(path: string): Promise<{ outbox: OutboxClient; reports: string[] }> {
  const reports: string[] = [];
  const { outbox, loss } = await OutboxClient.open(path, {
    clock: systemClock,
    limits: { hardBytes: 1e9, holdBytes: Infinity, batchBytes: 1e6 },
    onStored: () => undefined,
    onHeld: () => undefined,
    onFailure: (error) => reports.push(error.code),
  });
  if (loss) {
    reports.push('CORRUPT');
  }
  return { outbox, reports };
}

/** Reads what delivery would: each priority's pages, one behind the other. */
async function readAll(outbox: OutboxClient): Promise<ReadResult> {
  const all: ReadResult = { messages: [], corrupt: [], more: false };
  for (let after = 0; ;) {
    const page = await outbox.read({ priority: 1, after, maxRows: 100, maxBytes: 1e7 });
    all.messages.push(...page.messages);
    all.corrupt.push(...page.corrupt);
    const last = Math.max(after, page.messages.at(-1)?.sequence ?? 0, ...page.corrupt);
    if (!page.more || last === after) {
      return all;
    }
    after = last;
  }
}

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'edge-disk-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a second owner of the file is refused while the first one lives, and nothing of either is lost', async (t) => {
  const path = join(folderFor(t), 'outbox.db');
  const first = await openOutbox(path);
  const before = Array.from({ length: 100 }, (_, n) => first.outbox.append(messageOf(n)));
  await assert.rejects(openOutbox(path), /in use/);
  await Promise.all(before);
  await first.outbox.append(messageOf(100));
  await first.outbox.close();
  const second = await openOutbox(path);
  assert.equal((await readAll(second.outbox)).messages.length, 101);
  await second.outbox.close();
});

test('a full disk refuses new messages with STORE, keeps the old ones, and takes new ones when there is room', async (t) => {
  const folder = folderFor(t);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  if (mounted.status !== 0) {
    unavailable(t, 'this machine lets nobody mount a small file system');
    return;
  }
  let outbox: OutboxClient | undefined;
  try {
    const path = join(folder, 'outbox.db');
    ({ outbox } = await openOutbox(path));
    const first = outbox;
    const accepted = 100;
    await Promise.all(Array.from({ length: accepted }, (_, n) => first.append(messageOf(n))));
    // By itself it leaves a reserve: others take the last byte.
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(join(folder, 'others'), Buffer.alloc(bavail * bsize, 1));
    const refusal = await outbox.append(messageOf(accepted)).catch((thrown: unknown) => thrown);
    const error = toEdgeError(refusal);
    assert.equal(error.code, 'STORE');
    assert.match(error.message, /full/i);
    const { messages } = await readAll(outbox);
    assert.deepEqual(
      messages.map(({ body }) => Buffer.from(body).toString()),
      Array.from({ length: accepted }, (_, n) => textOf(n)),
      'what was accepted is there, and what was refused is not',
    );
    t.diagnostic(`full after ${accepted} messages: ${error.message}`);
    // Somebody makes room, as an operator would.
    assert.equal(spawnSync('mount', ['-o', 'remount,size=4m', folder]).status, 0);
    await outbox.append(messageOf(accepted));
    assert.equal((await readAll(outbox)).messages.length, accepted + 1);
  } finally {
    await outbox?.close();
    spawnSync('umount', [folder]);
  }
});
