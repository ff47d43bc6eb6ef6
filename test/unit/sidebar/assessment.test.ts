import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finished, FinishRequest } from '../../../sidebar/assessment/assessment-worker';
import { Capture } from '../../../sidebar/assessment/capture';
import { AssessmentJob, type AssessmentThread, type JobRequest } from '../../../sidebar/assessment/job';
import type { Summary } from '../../../sidebar/assessment/summary';
import { FakeClock, settle } from '../../support/fake-clock';

const SUMMARY: Summary = {
  ...{ messagesPerSecond: 1, bytesPerDay: 1, best: null, personal: [], personalCount: 0 },
  ...{ load: 0, sources: 1, carries: true, months: null, downtimeCounted: false },
};

class FakeThread implements AssessmentThread {
  messages = 0;
  finished: FinishRequest | undefined;
  ended = false;
  failure: Error | undefined;

  add(portion: unknown[]): Promise<void> {
    this.messages += portion.length;
    return Promise.resolve();
  }

  finish(request: FinishRequest): Promise<Finished> {
    this.finished = request;
    return this.failure
      ? Promise.reject(this.failure)
      : Promise.resolve({ summary: SUMMARY, pages: { de: 'Seite' } });
  }

  terminate(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }
}

function recording(milliseconds: number): {
  clock: FakeClock;
  thread: FakeThread;
  job: AssessmentJob;
  request: JobRequest;
  listeners: Set<Capture>;
} {
  const clock = new FakeClock();
  const thread = new FakeThread();
  const listeners = new Set<Capture>();
  const job = new AssessmentJob({ clock, startThread: () => thread });
  const request: JobRequest = {
    ...{ node: 'in', milliseconds, ingest: {}, given: {}, origin: 'Readings' },
    listen: (capture) => {
      listeners.add(capture);
      return () => listeners.delete(capture);
    },
  };
  return { clock, thread, job, request, listeners };
}

const send = (listeners: Set<Capture>): void =>
  listeners.forEach((capture) => capture.take({ topic: 'm1', payload: { a: 1 } }, 0));

test('everything that comes in the time is handed to the thread, and the listener is let go of', async () => {
  const { clock, thread, job, request, listeners } = recording(10_000);
  job.start(request);
  assert.throws(() => job.start(request), { code: 'BUSY' });
  for (let second = 0; second < 9; second++) {
    send(listeners);
    await clock.advance(1000);
  }
  assert.equal(job.state.phase === 'capturing' && job.state.messages, 9);
  await clock.advance(1000);
  await settle();
  assert.equal(job.state.phase, 'ready');
  assert.deepEqual([thread.messages, thread.finished?.seconds, thread.ended], [9, 10, true]);
  assert.deepEqual(job.pages, { de: 'Seite' });
  assert.equal(listeners.size, 0);
});

test('a recording can be ended early, and one that fails says why and makes room for the next', async () => {
  const { clock, thread, job, request, listeners } = recording(600_000);
  thread.failure = new Error('no message');
  job.start(request);
  send(listeners);
  await clock.advance(3000);
  job.stop();
  await settle();
  assert.equal(thread.finished?.seconds, 3);
  assert.deepEqual(job.state, { phase: 'failed', message: 'no message' });
  job.start(request);
  assert.equal(job.state.phase, 'capturing');
});

test('what is too large, too deep or too much is counted and left out, and nothing is thrown', () => {
  const capture = new Capture();
  const deep: Record<string, unknown> = {};
  let inner = deep;
  for (let n = 0; n < 100_000; n++) {
    inner = inner.a = {} as Record<string, unknown>;
  }
  const throwing = {
    get payload(): unknown {
      throw new Error('no');
    },
  };
  for (const msg of [{ payload: 'x'.repeat(1_000_000) }, { payload: deep }, throwing, {}]) {
    capture.take(msg, 0);
  }
  assert.deepEqual([capture.count, capture.leftOut], [4, 4]);
  for (let n = 0; n < 100; n++) {
    capture.take({ payload: 'y'.repeat(100_000) }, 0);
  }
  const kept = capture.portion();
  assert.ok(kept.length > 10 && kept.length < 25, `${kept.length}`);
  assert.equal(capture.leftOut, 4 + 100 - kept.length);
  capture.take({ payload: 1 }, 0);
  assert.equal(capture.portion().length, 1, 'room again');
});
