import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ReaderReport } from '../../../nodes/sensor-ingest/thread/protocol';
import { ReadingThreads, type ReaderLink } from '../../../nodes/sensor-ingest/thread/threads';
import { TestClock } from './support';

let folder: string;
let script: string;

/** Tells which thread it is, and fails when it is asked to send again. */
const SCRIPT = `
const { parentPort, threadId } = require('node:worker_threads');
parentPort.on('message', ({ reader, content }) => {
  if (content.kind === 'sendAgain') {
    throw new Error('no more');
  }
  parentPort.postMessage({ reader, content: { kind: 'warning', text: String(threadId) } });
});`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reading-threads-'));
  script = join(folder, 'thread.js');
  await writeFile(script, SCRIPT);
});

after(() => rm(folder, { recursive: true }));

interface End extends Pick<ReaderLink, 'release'> {
  order: ReaderLink['order'];
  /** The thread that answers. */
  thread(): Promise<string>;
  died: Promise<string>;
}

function attach(threads: ReadingThreads): End {
  let answer: (text: string) => void = () => undefined;
  let end: (text: string) => void = () => undefined;
  const died = new Promise<string>((resolve) => (end = resolve));
  const link = threads.attach({
    report: (report: ReaderReport) => answer(report.kind === 'warning' ? report.text : ''),
    died: (error) => end(error.message),
  });
  return {
    order: (order) => link.order(order),
    release: () => link.release(),
    died,
    thread: () =>
      new Promise((resolve) => {
        answer = resolve;
        link.order({ kind: 'look' });
      }),
  };
}

// A thread keeps no process alive, and a test waits for its answer.
let awake: NodeJS.Timeout;
before(() => (awake = setInterval(() => undefined, 1000)));
after(() => clearInterval(awake));

test('readers have threads of their own while there are any, then share them', async () => {
  const clock = new TestClock();
  const threads = new ReadingThreads(clock, 2, script);
  const ends = [attach(threads), attach(threads), attach(threads)];
  const [first, second, third] = await Promise.all(ends.map((end) => end.thread()));
  assert.notEqual(first, second);
  assert.equal(third, first);
  ends.forEach((end) => end.release());
  assert.equal(await attach(threads).thread(), first, 'a deployment finds the thread that it left');
});

test('a thread without work ends after a while', async () => {
  const clock = new TestClock();
  const threads = new ReadingThreads(clock, 1, script);
  const end = attach(threads);
  const first = await end.thread();
  end.release();
  clock.advance(31_000);
  assert.notEqual(await attach(threads).thread(), first);
});

test('all readers of a thread that fails are told, and others find a new one', async () => {
  const threads = new ReadingThreads(new TestClock(), 1, script);
  const ends = [attach(threads), attach(threads)];
  const first = await ends[0].thread();
  ends[1].order({ kind: 'sendAgain' });
  assert.deepEqual(
    await Promise.all(ends.map(({ died }) => died)),
    new Array(2).fill('The thread that reads from brokers failed: no more.'),
  );
  assert.notEqual(await attach(threads).thread(), first);
});
