import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FakeClock } from '../../support/fake-clock';
import { FakeLink, folderOf, LocalOutbox, message, openStore, startDelivery } from './support';

let folder: ReturnType<typeof folderOf>;
beforeEach(() => {
  folder = folderOf('replay-marks');
});
afterEach(() => folder.remove());

test('what was stored before the connection opened, or waited too long, is marked; live messages are not', async () => {
  const clock = new FakeClock();
  const file = join(folder.path, 'outbox.db');
  const first = openStore(file, clock);
  new LocalOutbox(first.store).append([message('a', 'earlier run')]);
  await clock.advance(1000);
  first.store.finish();
  first.database.close();
  const outbox = new LocalOutbox(openStore(file, clock).store);
  const link = new FakeLink('broker');
  link.reachable = false;
  const delivery = await startDelivery([link], outbox, clock);
  const send = (text: string): void => delivery.offer(outbox.append([message(text, text)]));
  send('outage');
  const storedMs = clock.now();
  await clock.advance(3000);
  link.reachable = true;
  await clock.advance(60_000);
  send('live');
  await clock.advance(100);
  delivery.pause();
  send('held for a moment');
  await clock.advance(9000);
  clock.jump(86_400_000);
  delivery.resume();
  await clock.advance(100);
  delivery.pause();
  send('held up');
  await clock.advance(11_000);
  delivery.resume();
  await clock.advance(100);
  assert.deepEqual(
    link.sent.map(({ body, replay }) => [Buffer.from(body).toString(), replay]),
    [
      ['earlier run', true],
      ['outage', true],
      ['live', false],
      ['held for a moment', false],
      ['held up', true],
    ],
  );
  assert.equal(link.sent[1].storedMs, storedMs);
  await delivery.stop(0);
});

test('a batch that waits for more is live as long as it may wait', async () => {
  const clock = new FakeClock();
  const outbox = new LocalOutbox(openStore(join(folder.path, 'outbox.db'), clock).store);
  const link = new FakeLink('broker');
  const delivery = await startDelivery([link], outbox, clock, {}, { batchSize: 10, batchDelayMs: 30_000 });
  await clock.advance(100);
  delivery.offer(outbox.append([message('a', 'one'), message('a', 'two')]));
  await clock.advance(31_000);
  assert.deepEqual(
    link.sent.map(({ batch, replay }) => [batch, replay]),
    [[2, false]],
  );
  await delivery.stop(0);
});
