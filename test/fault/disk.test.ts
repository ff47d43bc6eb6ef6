import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { OutboxClient } from '../../nodes/resilient-uplink/outbox-client';
import type { NewMessage, ReadResult } from '../../nodes/resilient-uplink/outbox-port';
import { systemClock } from '../../nodes/shared/clock';
import { toEdgeError } from '../../nodes/shared/errors';
import { SeededRandom } from '../../nodes/shared/random';
import { unavailable } from '../support/tools';

const SEED = Number(process.env.EDGE_SEED ?? Date.now() % 1_000_000);
const DAMAGES = Number(process.env.EDGE_DAMAGES ?? 120);
const ROWS = 300;

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
  const { outbox, setAside } = await OutboxClient.open(path, {
    clock: systemClock,
    limits: { hardBytes: 1e9, holdBytes: Infinity, batchBytes: 1e6 },
    onStored: () => undefined,
    onHeld: () => undefined,
    onFailure: (error) => reports.push(error.code),
  });
  if (setAside !== undefined) {
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

type End = 'whole' | 'rows reported' | 'file set aside' | 'rows missed in silence';

/** Opens and reads a damaged file, and checks what may never happen; tells what did. */
async function afterDamage(path: string, what: string): Promise<End> {
  let { outbox, reports } = await openOutbox(path);
  let result: ReadResult | undefined;
  try {
    result = await readAll(outbox);
  } catch (thrown) {
    assert.equal(toEdgeError(thrown).code, 'STORE', what);
    assert.deepEqual(reports, ['CORRUPT'], `${what}: refused without a report`);
  }
  for (const { sequence, body } of result?.messages ?? []) {
    const text = Buffer.from(body).toString();
    assert.equal(text, textOf(Number(text.split(' ')[0])), `${what}: row ${sequence} was handed out damaged`);
  }
  // Whatever happened, the next message is stored, if need be in a new file, as the node would open it.
  if (reports.length > 0 && !result) {
    await outbox.close();
    const reported = reports;
    ({ outbox, reports } = await openOutbox(path));
    reports.push(...reported);
  }
  let stored = true;
  try {
    await outbox.append(messageOf(ROWS));
  } catch {
    stored = false;
    await outbox.close();
    assert.ok(reports.includes('CORRUPT'), `${what}: refuses to store without a report`);
    ({ outbox } = await openOutbox(path));
    await outbox.append(messageOf(ROWS));
  }
  await outbox.close();
  if (reports.includes('CORRUPT') || !stored) {
    return 'file set aside';
  }
  if ((result?.corrupt.length ?? 0) > 0) {
    return 'rows reported';
  }
  return result?.messages.length === ROWS ? 'whole' : 'rows missed in silence';
}

test(`a damaged database never hands out a wrong message, and the node works on (seed ${SEED})`, async (t) => {
  const folder = folderFor(t);
  const original = join(folder, 'original.db');
  const { outbox } = await openOutbox(original);
  await Promise.all(Array.from({ length: ROWS }, (_, n) => outbox.append(messageOf(n))));
  await outbox.close();
  const bytes = readFileSync(original);
  const random = new SeededRandom(SEED);
  for (const kind of ['flip', 'truncate'] as const) {
    const ends = new Map<End, number>();
    const silent: string[] = [];
    for (let run = 0; run < DAMAGES / 2; run++) {
      const at = random.int(bytes.length);
      const bit = random.int(8);
      const path = join(folder, `${kind}-${run}`, 'outbox.db');
      mkdirSync(join(path, '..'));
      copyFileSync(original, path);
      if (kind === 'flip') {
        const damaged = Buffer.from(bytes);
        damaged[at] ^= 1 << bit;
        writeFileSync(path, damaged);
      } else {
        truncateSync(path, at);
      }
      const what = `seed ${SEED}, ${kind} at ${at} of ${bytes.length}, bit ${bit}`;
      const end = await afterDamage(path, what);
      ends.set(end, (ends.get(end) ?? 0) + 1);
      if (end === 'rows missed in silence') {
        silent.push(what);
      }
      rmSync(join(path, '..'), { recursive: true });
    }
    t.diagnostic(
      `${kind}: ${[...ends].map(([end, times]) => `${times} × ${end}`).join(', ')}; ${silent.slice(0, 8).join(' | ')}`,
    );
  }
});

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
