import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FakeClock } from '../../support/fake-clock';
import { FakeLink, folderOf, LocalOutbox, numbered, openStore, startDelivery } from './support';

let folder: ReturnType<typeof folderOf>;
let clock: FakeClock;
let store: ReturnType<typeof openStore>;
let outbox: LocalOutbox;

beforeEach(() => {
  folder = folderOf('connections');
  clock = new FakeClock();
  store = openStore(join(folder.path, 'outbox.db'), clock);
  outbox = new LocalOutbox(store.store);
});

afterEach(() => {
  store.database.close();
  folder.remove();
});

test('tells of each connection whether it is trusted, waits for its next try or is on trial', async () => {
  const began = clock.now();
  const primary = new FakeLink('primary');
  const second = new FakeLink('second');
  const delivery = await startDelivery([primary, second], outbox, clock);
  assert.deepEqual(delivery.pool.report()[0], {
    id: 'primary',
    name: 'primary',
    rank: 0,
    state: 'closed',
    link: 'up',
    carries: true,
    inFlight: 0,
    failures: 0,
    since: began,
  });

  primary.onSend = () => undefined;
  delivery.offer(outbox.append(numbered('a', 3)));
  await clock.advance(1000);
  assert.equal(delivery.pool.report()[0].inFlight, 1);
  primary.reachable = false;
  primary.die('getaddrinfo ENOTFOUND primary');
  const [failed, spare] = delivery.pool.report();
  assert.equal(failed.state, 'open');
  assert.equal(failed.link, 'down');
  assert.equal(failed.error, 'getaddrinfo ENOTFOUND primary');
  assert.equal(failed.since, began + 1000);
  assert.equal(failed.carries, false);
  assert.equal(spare.link, 'connecting');

  await clock.advance(1000);
  const [waiting, carrying] = delivery.pool.report();
  assert.equal(carrying.carries, true);
  assert.equal(carrying.state, 'closed');
  assert.ok(waiting.nextTryMs !== undefined && waiting.nextTryMs <= 5000);
  primary.reachable = true;
  await clock.advance(5000);
  const [onTrial] = delivery.pool.report();
  assert.equal(onTrial.state, 'half-open');
  assert.equal(onTrial.link, 'up');
  assert.equal(onTrial.nextTryMs, undefined);

  primary.onSend = ({ answer }) => answer({ outcome: 'acknowledged' });
  delivery.offer(outbox.append(numbered('b', 1)));
  await clock.advance(6000);
  const [healed] = delivery.pool.report();
  assert.equal(healed.state, 'closed');
  assert.equal(healed.error, undefined);
  assert.ok(healed.since > began + 5000);
});
