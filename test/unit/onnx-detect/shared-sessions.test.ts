import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedSessions } from '../../../nodes/onnx-detect/runtime/shared-sessions';
import { FakeBackend, rowModel } from './support';

const bytes = (): Uint8Array<ArrayBuffer> => new Uint8Array(1);

function fake(): FakeBackend {
  const { info, compute } = rowModel(1, (row) => row);
  return new FakeBackend(info, compute);
}

test('one model is loaded once for all, and released by the last', async () => {
  const backend = fake();
  const sessions = new SharedSessions(backend);
  const [one, two] = await Promise.all([
    sessions.acquire('d', ['cpu'], bytes()),
    sessions.acquire('d', ['cpu'], bytes()),
  ]);
  await sessions.acquire('other', ['cpu'], bytes());
  assert.deepEqual([backend.loads, sessions.size], [2, 2]);
  await one.release();
  await one.release();
  assert.equal(backend.released, 0);
  await two.release();
  assert.deepEqual([backend.released, sessions.size], [1, 1]);
});

test('when the runtime dies every user that still holds the model is told once, and the next one loads anew', async () => {
  const backend = fake();
  const sessions = new SharedSessions(backend);
  const [one, two, gone] = await Promise.all(
    ['one', 'two', 'gone'].map(() => sessions.acquire('d', ['cpu'], bytes())),
  );
  const told: string[] = [];
  one.onLost(() => told.push('one'));
  two.onLost(() => told.push('two'));
  gone.onLost(() => told.push('gone'));
  await gone.release();
  backend.die();
  assert.deepEqual(told, ['one', 'two']);
  await sessions.acquire('d', ['cpu'], bytes());
  assert.equal(backend.loads, 2);
});

test('a failed load leaves nothing behind', async () => {
  const backend = fake();
  const load = backend.load.bind(backend);
  backend.load = () => Promise.reject(new Error('no'));
  const sessions = new SharedSessions(backend);
  await assert.rejects(sessions.acquire('d', ['cpu'], bytes()));
  assert.equal(sessions.size, 0);
  backend.load = load;
  await sessions.acquire('d', ['cpu'], bytes());
});
