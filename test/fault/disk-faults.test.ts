import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SeededRandom } from '../../nodes/shared/random';
import { ERRNO, FailingDisk, type Faults } from '../support/failing-disk';
import { Receiver, UplinkStation } from '../support/uplink-station';

const SEED = Number(process.env.EDGE_SEED ?? Date.now() % 1_000_000);

interface Bench {
  uplink: UplinkStation;
  receiver: Receiver;
  disk: FailingDisk;
}

/** Node-RED with an uplink on a disk that can be made to fail. */
async function onDisk(t: TestContext, work: (bench: Bench) => Promise<void>): Promise<void> {
  const disk = FailingDisk.make(t);
  if (!disk) {
    return;
  }
  const receiver = await Receiver.start();
  const uplink = await UplinkStation.start(receiver, {
    environment: (userDir) => disk.environment(join(userDir, 'edge', 'uplink')),
  });
  try {
    await work({ uplink, receiver, disk });
  } finally {
    disk.fail();
    await uplink.station.stop();
    receiver.stop();
  }
}

/** Whatever happened: nothing that was accepted is missing, nothing came under two ids, a fresh message goes through. */
async function isWell({ uplink, receiver }: Bench, what: string): Promise<void> {
  await uplink.sendFresh(`fresh after ${what}`);
  assert.deepEqual(await uplink.missing(), [], what);
  assert.deepEqual(receiver.faults, [], what);
  assert.equal(new Set(receiver.texts).size, receiver.texts.length, `${what}: one message under two ids`);
}

const FAULTS: [name: string, faults: Faults][] = [
  ['read-only', { open: ERRNO.EROFS, write: ERRNO.EROFS }],
  ['I/O errors', { write: ERRNO.EIO, sync: ERRNO.EIO }],
  ['no permission', { open: ERRNO.EACCES, write: ERRNO.EACCES }],
  ['full', { write: ERRNO.ENOSPC }],
  ['syncs that fail', { sync: ERRNO.EIO }],
];

test(`a disk that fails while messages come and go loses none that was accepted (seed ${SEED})`, async (t) => {
  await onDisk(t, async (bench) => {
    const { uplink, receiver, disk } = bench;
    const random = new SeededRandom(SEED);
    for (const [name, faults] of FAULTS) {
      receiver.accepts = random.next() < 0.5;
      for (let n = 0; n < 5 + random.int(10); n++) {
        await uplink.send(`before ${name} ${n}`);
      }
      disk.fail(faults);
      const refused = uplink.refusals.length;
      for (let n = 0; n < 5; n++) {
        assert.equal(await uplink.send(`during ${name} ${n}`), false, `accepted on a disk that is ${name}`);
      }
      assert.match(uplink.refusals[refused], /outbox|disk|database|outbox\.db/i);
      receiver.accepts = true;
      await new Promise((resolve) => setTimeout(resolve, random.int(400)));
      disk.fail();
      await isWell(bench, name);
    }
    t.diagnostic(`refusals: ${[...new Set(uplink.refusals)].join(' | ')}`);
  });
});

test('a node that starts on a disk that fails shows it, and works by itself when the disk does', async (t) => {
  await onDisk(t, async (bench) => {
    const { uplink, disk, receiver } = bench;
    receiver.accepts = false;
    await uplink.send('accepted before the restart');
    for (const [name, faults] of FAULTS.filter(([name]) => ['read-only', 'no permission'].includes(name))) {
      disk.fail(faults);
      await uplink.station.kill();
      await uplink.station.launch();
      await uplink.station.shows('uplink', 'resilient-uplink.status.store');
      assert.equal(await uplink.send('refused'), false);
      receiver.accepts = true;
      disk.fail();
      await isWell(bench, `start: ${name}`);
    }
  });
});

test('after a sync that failed everything is written once more before anything is accepted', async (t) => {
  await onDisk(t, async (bench) => {
    const { uplink, disk, receiver } = bench;
    receiver.accepts = false;
    await uplink.send('before');
    disk.fail({ sync: ERRNO.EIO });
    assert.equal(await uplink.send('not synced'), false);
    disk.fail();
    const failed = disk.syncs().findLastIndex((line) => line.startsWith('failed'));
    assert.ok(failed >= 0, 'a sync failed');
    await uplink.sendFresh('after');
    const since = disk.syncs().slice(failed + 1);
    // The log is brought into the database, which is synced, before the log is begun anew.
    assert.match(since.join('\n'), /synced .*outbox\.db$/m);
    receiver.accepts = true;
    await isWell(bench, 'a sync that failed');
    assert.ok(!receiver.texts.includes('not synced'));
  });
});

test('the second Node-RED on one user folder is refused with a clear status, and takes over when the first ends', async () => {
  const receiver = await Receiver.start();
  receiver.accepts = false;
  const first = await UplinkStation.start(receiver, {});
  let second: UplinkStation | undefined;
  try {
    for (let n = 0; n < 5; n++) {
      assert.ok(await first.send(`first ${n}`));
    }
    second = await UplinkStation.start(receiver, { userDir: first.station.userDir });
    await second.station.shows('uplink', 'resilient-uplink.status.store');
    assert.equal(await second.send('refused'), false);
    assert.match(second.refusals[0], /in use by another process/);
    assert.ok(await first.send('first goes on'));
    await first.station.kill();
    receiver.accepts = true;
    second.accepted.push(...first.accepted);
    await second.sendFresh('second');
    assert.deepEqual(await second.missing(), []);
    assert.equal(new Set(receiver.texts).size, receiver.texts.length);
    assert.deepEqual(receiver.faults, []);
  } finally {
    await second?.station.stop();
    await first.station.launch();
    await first.station.stop();
    receiver.stop();
  }
});
