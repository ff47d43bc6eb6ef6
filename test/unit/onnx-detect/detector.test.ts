import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EdgeError } from '../../../nodes/shared/errors';
import type { Verdict } from '../../../nodes/shared/detection/rows';
import type { Detector } from '../../../nodes/onnx-detect/detector';
import {
  batchOf,
  coded,
  detectorWith,
  FakeBackend,
  ManualClock,
  reading,
  rowModel,
  serve,
  tensor,
} from './support';

/** The score is the reading itself. */
function echo(width = 1): FakeBackend {
  const { info, compute } = rowModel(width, (row) => [row[0]]);
  return new FakeBackend(info, compute);
}

async function serving(detector: Detector, backend: FakeBackend, digest?: string): Promise<void> {
  await detector.serve(await serve(backend, { threshold: 100 }, undefined, digest));
  backend.runs.length = 0;
}

function held(backend: FakeBackend): () => void {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  backend.hold = () => opened;
  return open;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const scores = (verdicts: Verdict[]): (number | null)[] => verdicts.map(({ detection }) => detection.score);

test('an idle model gets a reading at once, in the same turn', async () => {
  const backend = echo();
  const detector = detectorWith();
  await serving(detector, backend);
  const verdict = detector.submit(reading(7));
  assert.equal(backend.runs.length, 1);
  assert.deepEqual(scores(await verdict), [7]);
});

test('readings that arrive while the model runs make the next tensor together', async () => {
  const backend = echo();
  const detector = detectorWith({ batchSize: 4 });
  await serving(detector, backend);
  const open = held(backend);
  const all = Array.from({ length: 7 }, (_, at) => detector.submit(reading(at)));
  assert.equal(detector.waiting, 6);
  open();
  assert.deepEqual((await Promise.all(all)).flatMap(scores), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(
    backend.runs.map(({ dims }) => dims[0]),
    [1, 4, 2],
  );
});

test('with a delay, readings are gathered until it ends or the tensor is full', async () => {
  const backend = echo();
  const clock = new ManualClock();
  const detector = detectorWith({ batchSize: 3, batchDelayMs: 20 }, clock);
  await serving(detector, backend);
  const early = [detector.submit(reading(1)), detector.submit(reading(2))];
  await turn();
  assert.equal(backend.runs.length, 0);
  clock.advance(20);
  await Promise.all(early);
  const full = [3, 4, 5].map((value) => detector.submit(reading(value)));
  await Promise.all(full);
  assert.deepEqual(
    backend.runs.map(({ dims }) => dims[0]),
    [2, 3],
  );
});

test('whatever the delays, every reading gets its own verdict, in order of arrival, one tensor at a time', async () => {
  const arrival = fc.record({
    rows: fc.integer({ min: 1, max: 5 }),
    bad: fc.boolean(),
    turns: fc.integer({ min: 0, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { maxLength: 40 }),
      fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1 }),
      fc.integer({ min: 1, max: 6 }),
      async (arrivals, runTurns, batchSize) => {
        const backend = echo();
        const detector = detectorWith({ batchSize });
        await serving(detector, backend);
        let run = 0;
        backend.hold = async () => {
          for (let left = runTurns[run++ % runTurns.length]; left > 0; left--) {
            await turn();
          }
        };
        let next = 0;
        const good: number[] = [];
        const answered: (number | null)[] = [];
        const pending: Promise<unknown>[] = [];
        for (const { rows, bad, turns } of arrivals) {
          const payloads: unknown[] = Array.from({ length: rows }, () => [next++]);
          if (bad) {
            payloads[rows - 1] = ['broken'];
            pending.push(assert.rejects(detector.submit(batchOf(payloads)), coded('FEATURE_MISSING')));
          } else {
            good.push(...payloads.flat().map(Number));
            pending.push(
              detector.submit(batchOf(payloads)).then((verdicts) => answered.push(...scores(verdicts))),
            );
          }
          for (let left = turns; left > 0; left--) {
            await turn();
          }
        }
        await Promise.all(pending);
        assert.deepEqual(answered, good);
        assert.ok(backend.mostInFlight <= 1);
        assert.ok(backend.runs.every(({ dims }) => dims[0] <= batchSize));
      },
    ),
    { numRuns: 60 },
  );
});

test('a model exchanged in mid-stream loses and reorders nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 8 }),
      async (count, swapAt, batchSize) => {
        const detector = detectorWith({ batchSize });
        const old = echo();
        const young = echo();
        await serving(detector, old, 'old');
        const next = await serve(young, { threshold: 100 }, undefined, 'new');
        for (const backend of [old, young]) {
          backend.hold = turn;
        }
        const pending: Promise<Verdict[]>[] = [];
        let swapped: Promise<unknown> = Promise.resolve();
        for (let at = 0; at < count; at++) {
          if (at === swapAt) {
            swapped = detector.serve(next).then((before) => {
              assert.equal(old.inFlight, 0);
              return before?.session.release();
            });
          }
          pending.push(detector.submit(reading(at)));
          if (at % 3 === 0) {
            await turn();
          }
        }
        await swapped;
        const verdicts = (await Promise.all(pending)).flat();
        assert.deepEqual(
          scores(verdicts),
          Array.from({ length: count }, (_, at) => at),
        );
        const served = verdicts.map(({ detection }) => detection.model?.digest);
        const firstNew = served.indexOf('new');
        assert.ok(firstNew < 0 || served.slice(firstNew).every((digest) => digest === 'new'));
        assert.equal(old.released, swapAt < count ? 1 : 0);
      },
    ),
    { numRuns: 60 },
  );
});

test('readings wait for a model that is still loading, and get its error if it fails', async () => {
  const detector = detectorWith();
  const early = detector.submit(reading(5));
  await serving(detector, echo());
  assert.deepEqual(scores(await early), [5]);

  const failing = detectorWith();
  const waiting = failing.submit(reading(5));
  failing.refuse(new EdgeError('MODEL_NOT_FOUND', 'no model'));
  await assert.rejects(waiting, coded('MODEL_NOT_FOUND'));
  await assert.rejects(failing.submit(reading(6)), coded('MODEL_NOT_FOUND'));
});

test('overload: reject refuses the newest, drop-oldest gives up the oldest', async () => {
  for (const overload of ['reject', 'drop-oldest'] as const) {
    const backend = echo();
    const detector = detectorWith({ queueLimit: 3, overload });
    await serving(detector, backend);
    const open = held(backend);
    const all = Array.from({ length: 6 }, (_, at) => detector.submit(reading(at)));
    const settled = Promise.allSettled(all);
    open();
    const kept = (await settled).map(({ status }) => status === 'fulfilled');
    // The first is at the model already, three fit into the queue.
    assert.deepEqual(
      kept,
      overload === 'reject' ? [true, true, true, true, false, false] : [true, false, false, true, true, true],
    );
    await assert.rejects(
      Promise.all(all),
      coded('OVERLOAD', 'queueLimit', overload === 'reject' ? 'refused' : 'dropped'),
    );
  }
});

test('a batch that never fits is refused without dropping others for it', async () => {
  const backend = echo();
  const detector = detectorWith({ queueLimit: 3, overload: 'drop-oldest' });
  const waiting = detector.submit(reading(1));
  await assert.rejects(detector.submit(batchOf([[1], [2], [3], [4]])), coded('OVERLOAD'));
  await serving(detector, backend);
  assert.deepEqual(scores(await waiting), [1]);
});

test('a batch larger than the tensor is judged in parts, as a whole', async () => {
  const backend = echo();
  const detector = detectorWith({
    batchSize: 2,
    missing: 'last',
    alarm: { votes: 2, voteWindow: 3, holdOffMs: 0 },
  });
  await detector.serve(await serve(backend, { threshold: 5 }));
  backend.runs.length = 0;
  const broken = detector.submit(batchOf([[9], [9], [9], [9, 9]]));
  await assert.rejects(broken, coded('SHAPE', 'Row 3'));
  // Had the broken batch voted, the first of these would be the third vote.
  const whole = detectorWith({ batchSize: 2, alarm: { votes: 2, voteWindow: 3, holdOffMs: 0 } });
  await whole.serve(await serve(echo(), { threshold: 5 }));
  const verdicts = await whole.submit(batchOf([[9], [1], [9], [9], [1]]));
  assert.deepEqual(
    verdicts.map(({ output }) => output),
    [1, 1, 0, 0, 1],
  );
  assert.equal((await detector.submit(reading(9)))[0].output, 1);
  await assert.rejects(detector.submit(reading([NaN], 'other')), coded('FEATURE_MISSING', 'earlier'));
});

test('what a refused batch said is not remembered by the policy "last"', async () => {
  const detector = detectorWith({ missing: 'last' });
  await serving(detector, echo());
  await detector.submit(reading([1]));
  await assert.rejects(detector.submit(batchOf([[8], [1, 2]])), coded('SHAPE'));
  assert.deepEqual(scores(await detector.submit(reading([NaN]))), [1]);
  assert.deepEqual(scores(await detector.submit(batchOf([[3], [NaN]]))), [3, 3]);
});

test('m of n votes, per source', async () => {
  const detector = detectorWith({ alarm: { votes: 2, voteWindow: 3, holdOffMs: 0 } });
  await detector.serve(await serve(echo(), { threshold: 5 }));
  const judge = async (value: number, source: string): Promise<string> =>
    (await detector.submit(reading(value, source)))[0].detection.status;
  assert.equal(await judge(9, 'a'), 'OPERATIONAL');
  assert.equal(await judge(9, 'b'), 'OPERATIONAL');
  assert.equal(await judge(1, 'a'), 'OPERATIONAL');
  assert.equal(await judge(9, 'a'), 'MAINTENANCE_REQUIRED');
});

test('a hold-off announces the start and the end of an episode only', async () => {
  const detector = detectorWith({ alarm: { votes: 1, voteWindow: 1, holdOffMs: 10 } });
  await detector.serve(await serve(echo(), { threshold: 5 }));
  const seen: unknown[] = [];
  for (const [value, ts] of [
    [9, 0],
    [9, 1],
    [1, 5],
    [1, 20],
  ]) {
    const [{ output, detection }] = await detector.submit(reading(value, 'a', ts));
    seen.push([output, detection.episode?.phase]);
  }
  assert.deepEqual(seen, [
    [0, 'start'],
    [1, 'ongoing'],
    [1, 'ongoing'],
    [0, 'end'],
  ]);
});

test('under maintenance a source is scored, and neither flagged nor counted', async () => {
  const detector = detectorWith({ alarm: { votes: 2, voteWindow: 2, holdOffMs: 0 } });
  await detector.serve(await serve(echo(), { threshold: 5 }));
  detector.maintenance.apply('a', { on: true }, 0);
  const [suppressed] = await detector.submit(reading(9, 'a'));
  assert.deepEqual(
    [suppressed.output, suppressed.detection.status, suppressed.detection.kind, suppressed.detection.score],
    [1, 'SUPPRESSED', undefined, 9],
  );
  detector.maintenance.apply('a', { on: false }, 0);
  assert.equal((await detector.submit(reading(9, 'a')))[0].detection.status, 'OPERATIONAL');
});

test('a detection has the contract’s fields', async () => {
  const clock = new ManualClock();
  const backend = echo(2);
  const detector = detectorWith({}, clock);
  await detector.serve(await serve(backend, { threshold: 5, features: ['load', 'speed'] }));
  backend.hold = () => {
    clock.advance(3);
    return Promise.resolve();
  };
  const [{ output, detection }] = await detector.submit(reading({ load: 9, speed: 1 }, 'press', 42));
  assert.equal(output, 0);
  assert.deepEqual(detection, {
    detector: 'onnx-detect',
    node: 'detector',
    status: 'MAINTENANCE_REQUIRED',
    kind: 'KNOWN_FAILURE',
    score: 9,
    threshold: 5,
    outputs: { y: [9] },
    model: { name: 'test', version: '', digest: 'd1' },
    source: 'press',
    ts: 42,
    latencyMs: 3,
  });
});

test('a model that answers with no number is an error, not a clear reading', async () => {
  const { info, compute } = rowModel(1, ([value]) => [Math.sqrt(value)]);
  const detector = detectorWith();
  await detector.serve(await serve(new FakeBackend(info, compute), { threshold: 5 }));
  await assert.rejects(detector.submit(reading(-1)), coded('INFERENCE', 'NaN'));
  assert.deepEqual(scores(await detector.submit(reading(4))), [2]);
});

test('a run that fails refuses its readings and no others', async () => {
  const backend = echo();
  const detector = detectorWith();
  await serving(detector, backend);
  backend.hold = () => Promise.reject(new EdgeError('WORKER', 'The thread "edge-onnx" ended.'));
  await assert.rejects(detector.submit(reading(1)), coded('INFERENCE'));
  backend.hold = () => Promise.resolve();
  assert.deepEqual(scores(await detector.submit(reading(2))), [2]);
});

test('a model with a fixed number of rows gets exactly that many, filled up with zeros', async () => {
  const { compute } = rowModel(2, (row) => [row[0]]);
  const backend = new FakeBackend(
    { inputs: [tensor('x', 'float32', 3, 2)], outputs: [tensor('y', 'float32', 3, 1)], provider: 'cpu' },
    compute,
  );
  const detector = detectorWith();
  await serving(detector, backend);
  const open = held(backend);
  const all = Array.from({ length: 6 }, (_, at) => detector.submit(reading([at, 1])));
  open();
  assert.deepEqual((await Promise.all(all)).flatMap(scores), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(
    backend.runs.map(({ dims }) => dims),
    [
      [3, 2],
      [3, 2],
      [3, 2],
    ],
  );
  assert.deepEqual([...(backend.runs[2].data as Float32Array)], [4, 1, 5, 1, 0, 0]);
});
