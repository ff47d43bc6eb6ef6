import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerToDouble } from '../../../nodes/crdt-state/double';
import type { Frame } from '../../../nodes/crdt-state/frames';
import { SentFrames } from '../../../nodes/crdt-state/sent-frames';

const vector = (hello: boolean): Frame => ({
  kind: 'vector',
  sender: 'a.000000000000',
  context: new Map(),
  strategies: '',
  hello,
});
const farewell: Frame = { kind: 'farewell', sender: 'a.000000000000', context: new Map() };

test('whoever has told nothing yet gives way to a double, and whoever has greets it', () => {
  const quiet = { brought: 5, base: 5, quiet: true };
  const running = { brought: 5, base: 5, quiet: false };
  assert.equal(answerToDouble(vector(true), {}, quiet), 'renew');
  assert.equal(answerToDouble(vector(true), {}, running), 'greet');
  assert.equal(answerToDouble(vector(false), {}, running), 'nothing');
  assert.equal(answerToDouble(vector(false), {}, { ...running, brought: 6 }), 'renew');
});

test('own frames that come back, kept ones and wills are no double', () => {
  const quiet = { brought: 6, base: 5, quiet: true };
  assert.equal(answerToDouble(vector(true), { echo: true }, quiet), 'nothing');
  assert.equal(answerToDouble(vector(true), { kept: true }, quiet), 'nothing');
  assert.equal(answerToDouble(farewell, {}, quiet), 'nothing');
});

test('the frames that were sent lately are known again', () => {
  const sent = new SentFrames();
  const frame = (number: number): Buffer => Buffer.from(`frame ${number}`);
  for (let i = 0; i < 2000; i++) {
    sent.add(frame(i));
  }
  assert.ok(sent.has(frame(1999)));
  assert.ok(sent.has(frame(1000)));
  assert.ok(!sent.has(frame(0)), 'bounded');
  assert.ok(!sent.has(frame(2000)));
});
