import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerToDouble } from '../../../nodes/crdt-state/double';
import type { Frame } from '../../../nodes/crdt-state/frames';
import { SentFrames } from '../../../nodes/crdt-state/sent-frames';
import { World } from './world';

const HISTORIES = 300;

const vector = (hello: boolean): Frame => ({
  kind: 'vector',
  sender: 'a.000000000000',
  context: new Map(),
  strategies: '',
  hello,
});
const delta: Frame = {
  kind: 'delta',
  sender: 'a.000000000000',
  context: new Map(),
  from: 5,
  entries: [],
};
const farewell: Frame = { kind: 'farewell', sender: 'a.000000000000', context: new Map() };

test('whoever has told nothing yet gives way to a double, and whoever has greets it', () => {
  const quiet = { brought: 5, base: 5, quiet: true };
  const running = { brought: 5, base: 5, quiet: false };
  assert.equal(answerToDouble(vector(true), {}, quiet), 'renew');
  assert.equal(answerToDouble(vector(true), {}, running), 'greet');
  assert.equal(answerToDouble(vector(false), {}, running), 'nothing');
  assert.equal(answerToDouble(vector(false), {}, { ...running, brought: 6 }), 'greet');
  assert.equal(answerToDouble(vector(false), {}, { ...quiet, brought: 6 }), 'renew');
  assert.equal(answerToDouble(delta, {}, { ...running, brought: 6 }), 'renew');
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

test('a gateway and its copied file write apart, and nothing is lost or counted twice', async () => {
  for (const toldBefore of [true, false]) {
    const world = new World(1);
    world.weather = { loss: 0, repeat: 0, maxDelay: 20 };
    const original = world.addStation('original', 'line 1');
    const other = world.addStation('other');
    original.disk.place = 'here';
    if (!toldBefore) {
      world.cut.add('original>other');
    }
    await world.boot(other);
    const host = await world.boot(original);
    await host.write('increment', 'count/parts', 100);
    await world.run(20_000);
    world.crash(original);
    const copy = world.addStation('copy', 'line 1');
    copy.disk.rows = new Map(original.disk.rows);
    copy.disk.place = 'elsewhere';
    const problems: string[] = [];
    for (const cut of ['original>copy', 'copy>original', 'original>other', 'copy>other']) {
      world.cut.add(cut);
    }
    for (const [station, parts] of [
      [original, 1],
      [copy, 10],
    ] as const) {
      const started = await world.boot(station);
      started.listeners.add({ problem: ({ message }) => void problems.push(message) });
      await started.write('increment', 'count/parts', parts);
      await started.write('set', `by/${station.name}`, parts);
    }
    await world.run(60_000);
    const own = copy.host?.replicaId;
    assert.notEqual(own, original.host?.replicaId);
    world.crash(copy);
    const { replicaId } = await world.boot(copy);
    await copy.host?.write('increment', 'count/parts', 1000);
    assert.equal(replicaId, own, 'the identity of its own is kept');
    await world.run(20_000);
    world.cut.clear();
    await world.run(60_000);
    for (const { name, host: one } of world.stations) {
      const wanted = { 'count/parts': 1111, 'by/original': 1, 'by/copy': 10 };
      assert.deepEqual(await one?.snapshot(), wanted, `${name}, told before: ${toldBefore}`);
    }
    world.crash(copy);
    await world.boot(copy);
    await world.run(1000);
    assert.deepEqual(
      problems.map((problem) => problem.slice(0, 42)),
      ['A copy of gateway "line 1" runs elsewhere.'],
      'the original hears of it once',
    );
  }
});

test('a gateway whose disk is copied in its first session keeps its identity, and counts each part once', async () => {
  const world = new World(1);
  world.weather = { loss: 0, repeat: 0, maxDelay: 20 };
  const original = world.addStation('original', 'line 1');
  const other = world.addStation('other');
  const host = await world.boot(original);
  await world.boot(other);
  await host.write('increment', 'count/parts', 100);
  await world.run(20_000);
  const copy = world.addStation('copy', 'line 1');
  copy.disk.rows = new Map(original.disk.rows);
  const id = host.replicaId;
  const copied = await world.boot(copy);
  await host.write('increment', 'count/parts', 1);
  await copied.write('increment', 'count/parts', 10);
  await world.run(20_000);
  assert.equal(host.replicaId, id);
  assert.notEqual(copied.replicaId, id);
  for (const station of world.stations) {
    assert.deepEqual(await station.host?.snapshot(), { 'count/parts': 111 }, station.name);
  }
});

test('two copies that both take themselves for the only one do not greet each other without end', async () => {
  const world = new World(1);
  world.weather = { loss: 0, repeat: 0, maxDelay: 2 };
  const original = world.addStation('original', 'line 1');
  const other = world.addStation('other');
  await world.boot(other);
  await world.boot(original);
  await original.host?.write('increment', 'count/parts', 1);
  await world.run(20_000);
  const copy = world.addStation('copy', 'line 1');
  copy.disk.rows = new Map(original.disk.rows);
  for (const link of ['original>copy', 'copy>original']) {
    world.cut.add(link);
  }
  await world.boot(copy);
  await world.run(20_000);
  world.cut.clear();
  const before = world.framesSent;
  original.host?.reconnected();
  await world.run(60_000);
  assert.ok(world.framesSent - before < 600, `${world.framesSent - before} frames in a minute`);
});

test('a gateway and its copy that start together count each part once', async () => {
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const world = new World(seed);
    world.weather = { loss: 0, repeat: 0.1, maxDelay: 1 + world.random.int(900) };
    world.echoes = world.chance(0.5);
    const original = world.addStation('original', 'line 1');
    const other = world.addStation('other');
    const hosts = [await world.boot(other), await world.boot(original)];
    await hosts[1].write('increment', 'count/parts', 100);
    await world.run(20_000);
    world.crash(original);
    const copy = world.addStation('copy', 'line 1');
    copy.disk.rows = new Map(original.disk.rows);
    await world.boot(original);
    await world.run(world.random.int(world.chance(0.5) ? 2 : 4000));
    await world.boot(copy);
    const wanted = { 'count/parts': 100 };
    for (let write = 0; write < 10; write++) {
      const { host } = world.pick([original, copy]);
      await host?.write('increment', 'count/parts', 1);
      wanted['count/parts']++;
      await world.run(world.random.int(800));
    }
    await world.run(60_000);
    for (const { name, host } of world.stations) {
      assert.deepEqual(await host?.snapshot(), wanted, `${name}, seed ${seed}`);
    }
  }
});
