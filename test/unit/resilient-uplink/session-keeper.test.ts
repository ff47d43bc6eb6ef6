import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeError } from '../../../nodes/shared/errors';
import { MAX_WAITING_BYTES } from '../../../nodes/resilient-uplink/outbox-client';
import type { Session } from '../../../nodes/resilient-uplink/session';
import { SessionKeeper } from '../../../nodes/resilient-uplink/session-keeper';
import { FakeClock, settle } from '../../support/fake-clock';

/** A keeper whose sessions open when the test says so. */
function kept() {
  const clock = new FakeClock();
  const events: string[] = [];
  const openings: {
    broken: (error: EdgeError) => void;
    done: () => Session;
    fail: () => void;
  }[] = [];
  const keeper = new SessionKeeper({
    clock,
    open: (broken) =>
      new Promise((resolve, reject) => {
        const number = openings.length;
        const close = (): Promise<void> => {
          events.push(`closed ${number}`);
          return Promise.resolve();
        };
        openings.push({
          broken,
          done: () => {
            const session = { close } as unknown as Session;
            resolve({ session });
            return session;
          },
          fail: () => reject(new EdgeError('STORE', 'The disk refuses.')),
        });
      }),
    opened: () => events.push('opened'),
    failed: () => events.push('failed'),
    damaged: () => events.push('damaged'),
    changed: () => undefined,
  });
  return { clock, events, openings, keeper };
}

const BROKEN = new EdgeError('STORE', 'The thread died.');

test('an outbox that breaks, also while it opens, is closed and opened again, once', async () => {
  const { clock, events, openings, keeper } = kept();
  await settle();
  openings[0].broken(BROKEN);
  openings[0].done();
  await settle();
  await clock.advance(1000);
  assert.deepEqual(events, ['closed 0']);
  const second = openings[1].done();
  assert.equal(await keeper.current(), second);
  openings[1].broken(BROKEN);
  openings[1].broken(BROKEN);
  await settle();
  assert.equal(openings.length, 3);
  assert.equal(keeper.error, BROKEN);
  const third = openings[2].done();
  assert.equal(await keeper.current(), third);
  assert.equal(keeper.error, undefined);
  assert.deepEqual(events, ['closed 0', 'opened', 'closed 1', 'opened']);
});

test('a session that breaks while it is exchanged for another does not open a third', async () => {
  const { events, openings, keeper } = kept();
  await settle();
  openings[0].done();
  await keeper.current();
  const renewed = keeper.renew();
  await settle();
  openings[0].broken(BROKEN);
  await settle();
  assert.equal(openings.length, 2);
  const second = openings[1].done();
  await renewed;
  assert.equal(keeper.session, second);
  assert.deepEqual(events, ['opened', 'closed 0', 'opened']);
});

test('one that cannot be opened is tried until it can, and nothing waits for it for ever', async () => {
  const { clock, events, openings, keeper } = kept();
  await settle();
  const waiting = keeper.current();
  waiting.catch(() => undefined);
  for (let attempt = 0; attempt < 10; attempt++) {
    openings[attempt].fail();
    await settle();
    await clock.advance(300);
  }
  await assert.rejects(waiting, { code: 'STORE' });
  assert.deepEqual(events, ['failed']);
  await clock.advance(2000);
  const session = openings[10].done();
  assert.equal(await keeper.current(), session);
});

test('messages wait for an outbox that is salvaged, within bounds, and closing ends the salvage', async () => {
  const { openings, keeper } = kept();
  await settle();
  assert.equal(keeper.noteSalvage({ done: 1, total: 2 }), true);
  const large = keeper.waited(MAX_WAITING_BYTES);
  await assert.rejects(keeper.waited(1), { code: 'OUTBOX_FULL' });
  const session = openings[0].done();
  assert.equal(await large, session);
  assert.equal(keeper.salvaging, undefined);
  assert.equal(await keeper.waited(1), session);
  const closed = keeper.close();
  assert.equal(keeper.noteSalvage({ done: 1, total: 2 }), false);
  assert.equal(await closed, session);
});
