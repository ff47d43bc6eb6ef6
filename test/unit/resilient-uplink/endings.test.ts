import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Delivery } from '../../../nodes/resilient-uplink/delivery';
import type { Link } from '../../../nodes/resilient-uplink/link';
import { SettlementBuffer } from '../../../nodes/resilient-uplink/settlement-buffer';
import { EdgeError } from '../../../nodes/shared/errors';
import { FakeClock, settle } from '../../support/fake-clock';
import { FakeLink, folderOf, LocalOutbox, message, numbered, openStore, startDelivery } from './support';

let folder: ReturnType<typeof folderOf>;
let clock: FakeClock;
let current: ReturnType<typeof openStore>;
let outbox: LocalOutbox;

beforeEach(() => {
  folder = folderOf('delivery');
  clock = new FakeClock();
  current = openStore(join(folder.path, 'outbox.db'), clock);
  outbox = new LocalOutbox(current.store);
});

afterEach(() => {
  current.database.close();
  folder.remove();
});

const start = (links: Link[]): Promise<Delivery> => startDelivery(links, outbox, clock);

test('what expired while the node was away is not sent', async () => {
  outbox.append([message('a', 'late', { ttlMs: 1000 }), message('a', 'for ever')]);
  await clock.advance(2000);
  const link = new FakeLink('broker');
  await start([link]);
  await clock.advance(500);
  assert.deepEqual(link.texts, ['for ever']);
  assert.equal(outbox.usage.messages, 1, 'it is left to be reported as expired');
});

test('what is discarded while it is read from the store is not sent as well', async () => {
  outbox.append(numbered('a', 2));
  const link = new FakeLink('broker');

  const delivery = await start([link]);
  assert.equal(link.texts.length, 2);
  link.sent.length = 0;
  const [next] = outbox.append(numbered('b', 1));
  const read = outbox.read.bind(outbox);
  outbox.read = async (request) => {
    const page = await read(request);
    assert.deepEqual(
      delivery.discard(page.messages, 'expired').map(({ sequence }) => sequence),
      [next.sequence],
    );
    return page;
  };
  // An arrival that the lane must read from the store.
  (delivery as unknown as { lanes: { caughtUp: boolean }[] }).lanes[1].caughtUp = false;
  await clock.advance(500);
  assert.deepEqual(link.texts, []);
});

test('a store that refuses deletions is not asked again and again', async () => {
  let asked = 0;
  outbox.settle = () => {
    asked++;
    return Promise.reject(new EdgeError('STORE', 'the disk is full'));
  };
  const buffer = new SettlementBuffer(outbox, clock, () => undefined);
  for (let sequence = 1; sequence <= 600; sequence++) {
    buffer.remove(sequence, { fate: 'delivered', connection: 'broker' });
  }
  for (let turn = 0; turn < 20; turn++) {
    await settle();
  }
  assert.ok(asked <= 2, `${asked} times`);
  await clock.advance(10_000);
  assert.ok(asked >= 8 && asked <= 12, `${asked} times in 10 s`);
  assert.ok(buffer.has(600));
  buffer.close();
});
