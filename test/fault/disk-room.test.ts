import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseUplinkConfig } from '../../nodes/resilient-uplink/config';
import { OutboxClient } from '../../nodes/resilient-uplink/outbox-client';
import { Uplink } from '../../nodes/resilient-uplink/uplink';
import { systemClock } from '../../nodes/shared/clock';
import { toEdgeError } from '../../nodes/shared/errors';
import { Figures } from '../../nodes/shared/figures';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { SeededRandom } from '../../nodes/shared/random';
import { StatusReporter } from '../../nodes/shared/status';
import { unavailable } from '../support/tools';
import { FakeLink } from '../unit/resilient-uplink/support';

const MEGABYTE = 1024 * 1024;

/** A file system of its own, with so many MB. */
class SmallDisk {
  private constructor(readonly folder: string) {}

  static mount(t: TestContext, megabytes: number): SmallDisk | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'edge-room-'));
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]).status !== 0) {
      rmSync(folder, { recursive: true });
      unavailable(t, 'this machine lets nobody mount a small file system');
      return undefined;
    }
    return new SmallDisk(folder);
  }

  get free(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  /** Somebody else takes room until so much is free. */
  fill(leave: number): void {
    writeFileSync(join(this.folder, 'others'), Buffer.alloc(Math.max(0, this.free - leave), 1));
  }

  makeRoom(): void {
    rmSync(join(this.folder, 'others'));
  }

  unmount(): void {
    spawnSync('umount', [this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface Watched {
  uplink: Uplink;
  link: FakeLink;
  log: string[];
  statuses: string[];
  ends: string[];
}

function watched(disk: SmallDisk, config: object): Watched {
  const link = new FakeLink('link');
  const log: string[] = [];
  const statuses: string[] = [];
  const ends: string[] = [];
  const parsed = parseUplinkConfig({ retryMinMs: 10, retryMaxMs: 50, ...config });
  const uplink = new Uplink(parsed, {
    path: join(disk.folder, 'uplink', 'node', 'outbox.db'),
    links: [link],
    clock: systemClock,
    random: new SeededRandom(1),
    envelope: { ...parsed, gatewayId: 'gateway', site: '', maxBytes: MEGABYTE },
    figures: new Figures(),
    status: new StatusReporter(
      systemClock,
      (key) => key,
      ({ text }) => void statuses.push(text),
    ),
    log: { info: (text) => void log.push(text), warn: (text) => void log.push(text) },
    delivered: () => undefined,
    undeliverable: (_msg, error) => void ends.push(error.code),
  });
  return { uplink, link, log, statuses, ends };
}

const messageOf = (n: number): EdgeMessage => ({
  _msgid: '',
  topic: `t/${n % 3}`,
  payload: `${n} ${'x'.repeat(4000)}`,
});

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('an outbox that refuses leaves a reserve free on the disk, says so once, and takes messages again when there is room', async (t) => {
  const disk = SmallDisk.mount(t, 64);
  if (!disk) {
    return;
  }
  const { uplink, link, log, statuses } = watched(disk, { overflow: 'reject' });
  try {
    link.reachable = false;
    let accepted = 0;
    await uplink.accept(messageOf(accepted++));
    const reserve = 0.05 * 64 * MEGABYTE;
    disk.fill(reserve + 4 * MEGABYTE);
    let refusal: unknown;
    while (refusal === undefined && accepted < 5000) {
      await uplink.accept(messageOf(accepted++)).catch((thrown: unknown) => (refusal = thrown));
    }
    assert.equal(toEdgeError(refusal).code, 'OUTBOX_FULL');
    assert.match(toEdgeError(refusal).message, /disk/);
    assert.ok(disk.free > reserve * 0.5, `${disk.free} bytes are free`);
    assert.ok(disk.free < reserve * 1.1, `${disk.free} bytes are free`);
    await until(() => statuses.at(-1) === 'status.disk', 'the status');
    await assert.rejects(uplink.accept(messageOf(accepted)), { code: 'OUTBOX_FULL' });
    assert.equal(log.filter((text) => text.includes('Make room on the disk')).length, 1);
    disk.makeRoom();
    await until(
      () =>
        uplink.accept(messageOf(accepted)).then(
          () => true,
          () => false,
        ),
      'room',
    );
    await until(() => statuses.at(-1) !== 'status.disk', 'the status to recover');
    assert.match(log.at(-1) ?? '', /room again/);
  } finally {
    await uplink.close(false);
    disk.unmount();
  }
});

test('an outbox that drops makes room inside itself instead of taking the last of the disk', async (t) => {
  const disk = SmallDisk.mount(t, 128);
  if (!disk) {
    return;
  }
  const { uplink, link, ends } = watched(disk, { overflow: 'drop-oldest' });
  try {
    link.reachable = false;
    const reserve = 0.05 * 128 * MEGABYTE;
    await uplink.accept(messageOf(0));
    disk.fill(reserve + 6 * MEGABYTE);
    for (let n = 1; n < 4000; n += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, i) => uplink.accept(messageOf(n + i))));
    }
    assert.ok(disk.free > reserve * 0.5, `${disk.free} bytes are free`);
    assert.ok(ends.length > 1000, `${ends.length} evicted`);
    assert.deepEqual([...new Set(ends)], ['EVICTED']);
  } finally {
    await uplink.close(false);
    disk.unmount();
  }
});

test('what is delivered is deleted on a disk without a byte left', async (t) => {
  const disk = SmallDisk.mount(t, 64);
  if (!disk) {
    return;
  }
  const { uplink, link } = watched(disk, {});
  try {
    link.reachable = false;
    // So few that SQLite's log was never brought into the database: its first growth would need room.
    await Promise.all(Array.from({ length: 50 }, (_, n) => uplink.accept(messageOf(n))));
    disk.fill(0);
    assert.equal(disk.free, 0);
    link.reachable = true;
    await until(async () => {
      const { queueMessages } = (await uplink.operate('stats')) as { queueMessages: number };
      return queueMessages === 0;
    }, 'the outbox to be empty');
    disk.makeRoom();
    await uplink.accept(messageOf(50));
  } finally {
    await uplink.close(false);
    disk.unmount();
  }
});

test('a drained outbox gives its room back, and counts right after a restart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-drain-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'outbox.db');
  const open = async (): Promise<OutboxClient> =>
    (
      await OutboxClient.open(path, {
        clock: systemClock,
        limits: { hardBytes: 1e9, holdBytes: Infinity, batchBytes: 1e6 },
        onStored: () => undefined,
        onHeld: () => undefined,
        onFailure: () => undefined,
      })
    ).outbox;
  let outbox = await open();
  const sequences = await Promise.all(
    Array.from({ length: 4000 }, (_, n) =>
      outbox.append({ priority: 1, topic: 't', kind: 'text', body: Buffer.alloc(4000, n % 100), ttlMs: 0 }),
    ),
  );
  const size = statSync(path).size;
  assert.ok(size > 12 * MEGABYTE, `${size} bytes`);
  const kept = sequences.slice(-10);
  await outbox.settle({
    remove: [{ fate: 'delivered', connection: 'x', sequences: sequences.slice(0, -10) }],
    attempts: [],
  });
  // As the uplink does every second.
  for (let sweep = 0; sweep < 12; sweep++) {
    await outbox.expired({ maxAgeMs: 0, maxRows: 1 });
  }
  const before = outbox.usage;
  await outbox.close();
  const left = statSync(path).size;
  assert.ok(left < 4 * MEGABYTE, `${left} of ${size} bytes`);
  outbox = await open();
  assert.deepEqual({ ...outbox.usage }, { ...before });
  assert.equal(outbox.usage.messages, kept.length);
  assert.equal(outbox.usage.bytes, kept.length * 4001);
  const page = await outbox.read({ priority: 1, after: 0, maxRows: 100, maxBytes: 1e7 });
  assert.equal(page.messages.length, kept.length);
  await outbox.close();
});
