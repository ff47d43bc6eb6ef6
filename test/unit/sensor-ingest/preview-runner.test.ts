import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../nodes/shared/clock';
import { EdgeError } from '../../../nodes/shared/errors';
import type { PreviewRequest, PreviewResult } from '../../../nodes/sensor-ingest/preview/result';
import { PreviewRunner, type PreviewThread } from '../../../nodes/sensor-ingest/preview/runner';
import { startPreviewThread } from '../../../nodes/sensor-ingest/preview/thread';
import { FakeClock, settle } from '../../support/fake-clock';

const RESULT: PreviewResult = { samples: 0, rejections: [] };

const request = (properties: object = {}, payload = '{"v":1}'): PreviewRequest => ({
  properties,
  samples: [{ topic: 'a', at: 0, encoding: 'text', payload }],
  plot: {},
});

/** A thread whose previews the test finishes. */
class FakeThread implements PreviewThread {
  readonly calls: { finish: (result: PreviewResult) => void; fail: (error: Error) => void }[] = [];
  ended = '';

  preview(): Promise<PreviewResult> {
    return new Promise((finish, fail) => {
      this.calls.push({ finish, fail });
    });
  }

  close(): Promise<void> {
    this.ended = 'closed';
    return Promise.resolve();
  }

  terminate(): Promise<void> {
    this.ended = 'terminated';
    this.calls.forEach(({ fail }) => fail(new EdgeError('WORKER', 'The thread ended.')));
    return Promise.resolve();
  }
}

function setUp(): { clock: FakeClock; threads: FakeThread[]; runner: PreviewRunner } {
  const clock = new FakeClock();
  const threads: FakeThread[] = [];
  const runner = new PreviewRunner({
    clock,
    startThread() {
      const thread = new FakeThread();
      threads.push(thread);
      return thread;
    },
  });
  return { clock, threads, runner };
}

test('previews are made one after another in one thread, which is started when it is needed', async () => {
  const { threads, runner } = setUp();
  assert.equal(threads.length, 0);
  const results = [runner.run(request()), runner.run(request())];
  assert.equal(threads[0].calls.length, 1);
  threads[0].calls[0].finish(RESULT);
  assert.equal(await results[0], RESULT);
  await settle();
  threads[0].calls[1].finish(RESULT);
  await results[1];
  assert.equal(threads.length, 1);
});

test('four may wait; more are refused at once', async () => {
  const { threads, runner } = setUp();
  const accepted = Array.from({ length: 5 }, () => runner.run(request()));
  await assert.rejects(runner.run(request()), { code: 'BUSY' });
  for (const [index, result] of accepted.entries()) {
    threads[0].calls[index].finish(RESULT);
    await result;
    await settle();
  }
  const again = runner.run(request());
  threads[0].calls[5].finish(RESULT);
  await again;
});

test('a preview that takes too long is ended with its thread, and the next one has another', async () => {
  const { clock, threads, runner } = setUp();
  const slow = assert.rejects(runner.run(request()), { code: 'TIMEOUT', message: /more than 5 s/ });
  const next = runner.run(request());
  await clock.advance(4999);
  assert.equal(threads[0].ended, '');
  await clock.advance(1);
  assert.equal(threads[0].ended, 'terminated');
  await slow;
  await settle();
  threads[1].calls[0].finish(RESULT);
  assert.equal(await next, RESULT);
});

test('a thread that dies fails one preview only', async () => {
  const { threads, runner } = setUp();
  const failed = assert.rejects(runner.run(request()), { code: 'WORKER' });
  threads[0].calls[0].fail(new EdgeError('WORKER', 'The thread ended with code 1.'));
  await failed;
  await settle();
  const next = runner.run(request());
  threads[1].calls[0].finish(RESULT);
  await next;
});

test('an error of the preview itself costs no thread', async () => {
  const { threads, runner } = setUp();
  const failed = assert.rejects(runner.run(request()), { code: 'TOO_LARGE' });
  threads[0].calls[0].fail(new EdgeError('TOO_LARGE', 'Too large.'));
  await failed;
  await settle();
  const next = runner.run(request());
  threads[0].calls[1].finish(RESULT);
  await next;
  assert.equal(threads.length, 1);
});

test('the thread is let go of after 30 s without work, not sooner', async () => {
  const { clock, threads, runner } = setUp();
  for (let i = 0; i < 2; i++) {
    const result = runner.run(request());
    threads[0].calls[i].finish(RESULT);
    await result;
    await clock.advance(29_999);
    assert.equal(threads[0].ended, '');
  }
  await clock.advance(1);
  assert.equal(threads[0].ended, 'closed');
  const later = runner.run(request());
  threads[1].calls[0].finish(RESULT);
  await later;
});

test('the real thread: a preview that would take minutes holds up nothing and is stopped', async () => {
  const runner = new PreviewRunner({ clock: systemClock, startThread: startPreviewThread, limitMs: 1000 });
  let turns = 0;
  // Also keeps the process alive, which the thread does not.
  const beat = setInterval(() => turns++, 10);
  try {
    const rows = JSON.stringify(Array.from({ length: 10_000 }, (_, i) => ({ a: i, b: i + 1 })));
    const costly = {
      window: 'count',
      windowSize: 5000,
      windowStep: 1,
      sampleRate: 1000,
      features: ['spectralCentroid', 'dominantFrequency', 'kurtosis'],
    };
    const samples = Array.from({ length: 10 }, () => ({ ...request().samples[0], payload: rows }));
    await assert.rejects(runner.run({ properties: costly, samples, plot: {} }), { code: 'TIMEOUT' });
    assert.ok(turns > 40, `${turns} turns of the event loop in a second`);
    const { last } = await runner.run(request());
    assert.deepEqual(last?.reading?.values, [{ channel: 'v', value: 1, unit: '' }]);
  } finally {
    clearInterval(beat);
  }
});
