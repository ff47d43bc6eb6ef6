import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneAtATime } from '../../../nodes/shared/one-at-a-time';
import { settle } from '../../support/fake-clock';

test('one works, four wait in their order, and more are refused at once', async () => {
  const line = new OneAtATime(4);
  const begun: number[] = [];
  const finish: (() => void)[] = [];
  const work = (number: number): Promise<number> =>
    line.run(
      () =>
        new Promise((resolve) => {
          begun.push(number);
          finish.push(() => resolve(number));
        }),
    );
  const accepted = [0, 1, 2, 3, 4].map(work);
  assert.deepEqual(begun, [0]);
  await assert.rejects(work(5), { code: 'BUSY' });
  for (const [number, result] of accepted.entries()) {
    finish[number]();
    assert.equal(await result, number);
    await settle();
  }
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
});

test('what fails holds up nothing behind it', async () => {
  const line = new OneAtATime();
  const failed = line.run(() => Promise.reject(new Error('no')));
  const next = line.run(() => Promise.resolve('yes'));
  await assert.rejects(failed, /no/);
  assert.equal(await next, 'yes');
});
