import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeError } from '../../../nodes/shared/errors';
import type { Detector } from '../../../nodes/onnx-detect/detector';
import { ModelKeeper } from '../../../nodes/onnx-detect/model-keeper';
import type { ModelOperation } from '../../../nodes/onnx-detect/config';
import type { ModelRequest } from '../../../nodes/onnx-detect/model/model-file';
import { Shadow } from '../../../nodes/onnx-detect/shadow';
import { coded, detectorWith, FakeBackend, ManualClock, reading, rowModel, serve } from './support';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(): {
  clock: ManualClock;
  detector: Detector;
  keeper: ModelKeeper;
  backends: Map<string, FakeBackend>;
  requests: ModelRequest[];
  seen: string[];
  /** Awaited by each load. */
  loading: { until: Promise<void> };
} {
  const clock = new ManualClock();
  const detector = detectorWith({}, clock);
  const { info, compute } = rowModel(1, (row) => row);
  const backends = new Map(['a', 'b'].map((name) => [name, new FakeBackend(info, compute)]));
  const requests: ModelRequest[] = [];
  const seen: string[] = [];
  const loading = { until: Promise.resolve() };
  const load = async (request: ModelRequest): ReturnType<typeof serve> => {
    requests.push(request);
    await loading.until;
    const backend = backends.get(request.model);
    if (!backend) {
      throw new EdgeError('MODEL_NOT_FOUND', `no ${request.model}`);
    }
    return serve(backend, { threshold: 1 }, undefined, `digest-${request.model}`);
  };
  const keeper = new ModelKeeper(
    detector,
    load,
    clock,
    {
      loading: (model) => void seen.push(`loading ${model}`),
      ready: ({ identity }) => void seen.push(`ready ${identity.digest}`),
      failed: ({ code }) => void seen.push(`failed ${code}`),
      shadowed: (model) => void seen.push(`shadow ${model?.identity.digest ?? 'none'}`),
      shadowFailed: ({ code }) => void seen.push(`shadow failed ${code}`),
    },
    (model) => new Shadow(model, 'reject', clock),
  );
  return { clock, detector, keeper, backends, requests, seen, loading };
}

const request = (model: string): ModelRequest => ({ model, digest: '', trusted: true });
const live = (model: string): ModelOperation => ({ model: request(model), shadow: undefined });
const digestOf = async (detector: Detector): Promise<string | undefined> =>
  (await detector.submit(reading(1)))[0].detection.model?.digest;

test('a model is exchanged, the old one released, and a failing candidate changes nothing', async () => {
  const { detector, keeper, backends, seen } = setUp();
  keeper.start(request('a'));
  assert.equal(await digestOf(detector), 'digest-a');
  await keeper.swap(live('b'));
  assert.equal(await digestOf(detector), 'digest-b');
  assert.equal(backends.get('a')?.released, 1);
  await assert.rejects(keeper.swap(live('nowhere')), coded('MODEL_NOT_FOUND'));
  assert.equal(await digestOf(detector), 'digest-b');
  assert.deepEqual(seen, ['loading a', 'ready digest-a', 'ready digest-b']);
  await keeper.close();
  assert.equal(backends.get('b')?.released, 1);
});

test('a first model that fails is reported, and an exchange puts it right', async () => {
  const { detector, keeper, seen } = setUp();
  keeper.start(request('nowhere'));
  await assert.rejects(detector.submit(reading(1)), coded('MODEL_NOT_FOUND'));
  await keeper.swap(live('a'));
  assert.equal(await digestOf(detector), 'digest-a');
  assert.deepEqual(seen, ['loading nowhere', 'failed MODEL_NOT_FOUND', 'ready digest-a']);
});

test('more exchanges at once than anybody needs are refused', async () => {
  const { keeper } = setUp();
  keeper.start(request('a'));
  const all = await Promise.allSettled(Array.from({ length: 10 }, () => keeper.swap(live('b'))));
  assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 4);
});

test('a runtime that dies is started once more, with the very same model, and readings wait for it', async () => {
  const { clock, detector, keeper, backends, requests, seen } = setUp();
  keeper.start(request('a'));
  await digestOf(detector);
  backends.get('a')?.die();
  const waiting = digestOf(detector);
  clock.advance(1000);
  assert.equal(await waiting, 'digest-a');
  assert.equal(requests[1].digest, 'digest-a');
  backends.get('a')?.die();
  await assert.rejects(detector.submit(reading(1)), coded('INFERENCE', 'twice'));
  assert.deepEqual(seen, ['loading a', 'ready digest-a', 'loading a', 'ready digest-a', 'failed INFERENCE']);
});

test('a runtime that dies again much later is started once more again', async () => {
  const { clock, detector, keeper, backends } = setUp();
  keeper.start(request('a'));
  for (let death = 0; death < 3; death++) {
    await digestOf(detector);
    backends.get('a')?.die();
    const waiting = digestOf(detector);
    clock.advance(1000);
    assert.equal(await waiting, 'digest-a');
    clock.advance(60_000);
  }
});

test('closing judges what waits, refuses what comes later and gives the model back', async () => {
  const { detector, keeper, backends } = setUp();
  keeper.start(request('a'));
  await digestOf(detector);
  const backend = backends.get('a');
  assert.ok(backend);
  backend.hold = turn;
  const pending = [1, 2, 3].map((value) => detector.submit(reading(value)));
  await keeper.close();
  assert.equal((await Promise.all(pending)).length, 3);
  await assert.rejects(detector.submit(reading(1)), coded('INFERENCE', 'stopped'));
  assert.equal(backend.released, 1);
});

test('closing waits for a model that is being loaded, and gives it back', async () => {
  const { clock, keeper, backends, loading } = setUp();
  let loaded = (): void => undefined;
  loading.until = new Promise((resolve) => (loaded = resolve));
  keeper.start(request('a'));
  await turn();
  let closed = false;
  const closing = keeper.close().then(() => (closed = true));
  clock.advance(2000);
  await turn();
  assert.equal(closed, false);
  loaded();
  await closing;
  assert.equal(backends.get('a')?.released, 1);
});

test('a candidate looks on, changes nothing, becomes the live model, and is then no candidate any more', async () => {
  const { detector, keeper, backends, seen } = setUp();
  keeper.start(request('a'), request('b'));
  assert.equal(await digestOf(detector), 'digest-a');
  await turn();
  await turn();
  const [{ detection, output }] = await detector.submit(reading(5));
  assert.deepEqual([detection.model?.digest, output], ['digest-a', 0]);
  assert.deepEqual([detection.shadow?.score, detection.shadow?.agrees], [5, true]);
  assert.equal(detection.shadow?.model.digest, 'digest-b');
  await keeper.swap(live('b'));
  const [{ detection: after }] = await detector.submit(reading(5));
  assert.deepEqual([after.model?.digest, after.shadow], ['digest-b', undefined]);
  assert.deepEqual(seen.slice(-2), ['ready digest-b', 'shadow none']);
  await keeper.swap({ model: undefined, shadow: request('a') });
  await assert.rejects(
    keeper.swap({ model: undefined, shadow: request('nowhere') }),
    coded('MODEL_NOT_FOUND'),
  );
  assert.equal((await detector.submit(reading(5)))[0].detection.shadow?.model.digest, 'digest-a');
  await keeper.swap({ model: undefined, shadow: null });
  assert.equal((await detector.submit(reading(5)))[0].detection.shadow, undefined);
  await keeper.close();
  assert.deepEqual([backends.get('a')?.released, backends.get('b')?.released], [2, 2]);
});

test('a candidate that cannot be loaded is reported and concerns nobody', async () => {
  const { detector, keeper, seen } = setUp();
  keeper.start(request('a'), request('nowhere'));
  assert.equal(await digestOf(detector), 'digest-a');
  await turn();
  assert.deepEqual(seen, ['loading a', 'ready digest-a', 'shadow failed MODEL_NOT_FOUND']);
  await keeper.close();
});
