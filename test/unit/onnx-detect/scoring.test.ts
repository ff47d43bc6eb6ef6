import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Detection } from '../../../nodes/shared/messages';
import type { ServingOptions } from '../../../nodes/onnx-detect/model/served-model';
import type { TensorData } from '../../../nodes/onnx-detect/runtime/backend';
import { batchOf, card, coded, detectorWith, FakeBackend, reading, rowModel, serve, tensor } from './support';

type PerRow = (row: number[]) => number[];

async function detect(
  perRow: PerRow,
  payload: number[],
  options: Partial<ServingOptions> = {},
  fields?: object,
  output = 'y',
): Promise<Detection> {
  const { info, compute } = rowModel(payload.length, perRow, output);
  const detector = detectorWith();
  await detector.serve(await serve(new FakeBackend(info, compute), options, fields && card(fields)));
  return (await detector.submit(reading(payload)))[0].detection;
}

/** As a classifier does, whatever it is given. */
const bounded = (p: number): number => Math.min(1, Math.max(0, p));
const binary: PerRow = ([p]) => [1 - bounded(p), bounded(p)];

test('classify: of two columns the second is the failure, 0.85 the threshold, unless somebody says otherwise', async () => {
  const found = await detect(binary, [0.9], {}, undefined, 'probabilities');
  assert.equal(found.status, 'MAINTENANCE_REQUIRED');
  assert.equal(found.threshold, 0.85);
  assert.ok(Math.abs((found.score ?? 0) - 0.9) < 1e-6);
  assert.equal((await detect(binary, [0.8])).status, 'OPERATIONAL');
  assert.equal((await detect(binary, [0.8], {}, { threshold: 0.7 })).status, 'MAINTENANCE_REQUIRED');
  assert.equal((await detect(binary, [0.8], { threshold: 0.95 }, { threshold: 0.7 })).threshold, 0.95);
  const first = await detect(binary, [0.1], { positive: '0' });
  assert.ok(Math.abs((first.score ?? 0) - 0.9) < 1e-6);
});

test('classify: the card’s labels name the probabilities, and the label agrees with the verdict', async () => {
  const labels = { labels: ['healthy', 'broken'] };
  const failed = await detect(binary, [0.875], {}, labels);
  assert.equal(failed.label, 'broken');
  assert.deepEqual(failed.probabilities, { healthy: 0.125, broken: 0.875 });
  assert.equal((await detect(binary, [0.75], {}, labels)).label, 'healthy');
  const single = await detect(
    ([p]) => [bounded(p)],
    [0.75],
    { task: 'classify' },
    { ...labels, threshold: 0.5 },
  );
  assert.equal(single.label, 'broken');
  assert.deepEqual(single.probabilities, { healthy: 0.25, broken: 0.75 });
});

test('classify: several classes need "positive", and may count together', async () => {
  const three: PerRow = ([, wear, heat]) => {
    const failing = [bounded(wear), bounded(heat) * (1 - bounded(wear))];
    return [1 - failing[0] - failing[1], ...failing];
  };
  const options = { task: 'classify' } as const;
  await assert.rejects(detect(three, [0.5, 0.25, 0.25], options), coded('CONFIG', '"positive"', '0, 1, 2'));
  const labels = { labels: ['ok', 'wear', 'heat'], positive: 'wear, heat', threshold: 0.5 };
  const found = await detect(three, [0, 0.125, 0.5], options, labels);
  assert.deepEqual([found.score, found.label, found.kind], [0.5625, 'heat', 'KNOWN_FAILURE']);
  await assert.rejects(
    detect(three, [1, 0, 0], { ...options, positive: 'rust' }, labels),
    coded('CONFIG', '"rust"', 'ok, wear, heat'),
  );
  await assert.rejects(
    detect(three, [1, 0, 0], options, { labels: ['a', 'b'] }),
    coded('MODEL_INVALID', '"labels"'),
  );
});

test('classify: a second output names the failure mode', async () => {
  const modes = {
    task: 'classify',
    threshold: 0.5,
    outputs: { score: 'p', modes: { output: 'm', labels: ['none', 'wear', 'heat'], none: 'none' } },
  };
  const backend = (): FakeBackend =>
    new FakeBackend(
      {
        inputs: [tensor('x', 'float32', 'N', 1)],
        outputs: [tensor('m', 'float32', 'N', 3), tensor('p', 'float32', 'N')],
        provider: 'cpu',
      },
      ({ x }): Record<string, TensorData> => {
        const ps = [...(x.data as Float32Array)].map(bounded);
        const m = Float32Array.from(ps.flatMap((p) => [1 - p, p / 4, (p * 3) / 4]));
        return {
          m: { type: 'float32', dims: [ps.length, 3], data: m },
          p: { type: 'float32', dims: [ps.length], data: Float32Array.from(ps) },
        };
      },
    );
  const detector = detectorWith();
  await detector.serve(await serve(backend(), {}, card(modes)));
  const judge = async (p: number): Promise<Detection> => (await detector.submit(reading(p)))[0].detection;
  const failed = await judge(0.5);
  assert.deepEqual([failed.score, failed.label], [0.5, 'heat']);
  assert.deepEqual(failed.probabilities, { none: 0.5, wear: 0.125, heat: 0.375 });
  assert.deepEqual(failed.outputs, { m: [0.5, 0.125, 0.375], p: 0.5 });
  assert.equal((await judge(0.25)).label, 'none');
  const failuresOnly = { output: 'm', labels: ['cold', 'wear', 'heat'] };
  await detector.serve(
    await serve(backend(), {}, card({ ...modes, outputs: { score: 'p', modes: failuresOnly } })),
  );
  assert.equal((await judge(0.25)).label, undefined);
  const wrong = { ...modes, outputs: { ...modes.outputs, score: 'q' } };
  await assert.rejects(serve(backend(), {}, card(wrong)), coded('MODEL_INVALID', '"q"', 'm, p'));
});

test('classify: logits become probabilities, by sigmoid or softmax, as the trial or the card says', async () => {
  const two = await detect(([p]) => [p - 3, p + 3], [0], { task: 'classify' });
  assert.ok(Math.abs((two.score ?? 0) - 1 / (1 + Math.exp(-6))) < 1e-6);
  const one = await detect(([p]) => [p], [0], { task: 'classify' });
  assert.equal(one.score, 0.5);
  assert.deepEqual(one.outputs, { y: [0] }, 'outputs stay as the model gave them');
  const card = { outputs: { score: 'y', activation: 'none' } };
  assert.equal((await detect(([p]) => [p], [0.25], { task: 'classify' }, card)).score, 0.25);
});

test('classify: labels that may hold together are judged by the largest failing one', async () => {
  const several: PerRow = ([a, b, c]) => [bounded(a), bounded(b), bounded(c)];
  const labels = { labels: ['wear', 'heat', 'leak'], threshold: 0.6 };
  const found = await detect(several, [0.75, 0.5, 0.25], { task: 'classify' }, labels);
  assert.deepEqual([found.score, found.label, found.kind], [0.75, 'wear', 'KNOWN_FAILURE']);
  assert.deepEqual(found.probabilities, { wear: 0.75, heat: 0.5, leak: 0.25 });
  const leak = await detect(several, [0.75, 0.5, 0.25], { task: 'classify', positive: 'leak' }, labels);
  assert.deepEqual([leak.score, leak.kind], [0.25, undefined]);
});

test('a model of windows learns first, and judges by the last readings of each source', async () => {
  const { info, compute } = rowModel(4, (row) => [row[0] + row[2] - row[1] - row[3]]);
  const windowed = { ...info, inputs: [tensor('x', 'float32', 'N', 2, 2)] };
  const backend = new FakeBackend(windowed, compute);
  const detector = detectorWith();
  await detector.serve(await serve(backend, { threshold: 10, task: 'regress', features: ['a', 'b'] }));
  const judge = async (a: number, source: string): Promise<Detection> =>
    (await detector.submit(reading({ a, b: 0 }, source)))[0].detection;
  const first = await judge(5, 's');
  assert.deepEqual([first.status, first.score, first.threshold], ['LEARNING', null, null]);
  assert.equal((await judge(100, 'other')).status, 'LEARNING');
  assert.deepEqual([(await judge(6, 's')).score, (await judge(1, 's')).score], [11, 7]);
});

test('regress: a high value is bad, or a low one where the card says so', async () => {
  const value: PerRow = ([v]) => [v];
  assert.equal((await detect(value, [31], { threshold: 30 })).status, 'MAINTENANCE_REQUIRED');
  const life = { task: 'regress', direction: 'below', threshold: 30 };
  const short = await detect(value, [20], {}, life);
  assert.deepEqual([short.status, short.score, short.threshold], ['MAINTENANCE_REQUIRED', -20, -30]);
  assert.deepEqual(short.outputs, { y: [20] });
  assert.equal((await detect(value, [31], {}, life)).status, 'OPERATIONAL');
  assert.equal((await detect(value, [31], { threshold: 40 }, life)).status, 'MAINTENANCE_REQUIRED');
});

test('regress and reconstruct need a threshold from somebody', async () => {
  await assert.rejects(
    detect(([v]) => [v], [1]),
    coded('CONFIG', '"threshold"'),
  );
  await assert.rejects(
    detect((row) => row, [1, 2, 3], { task: 'reconstruct' }),
    coded('CONFIG', '"threshold"'),
  );
});

test('reconstruct: mean squared error on the model’s scale, shared out over the channels', async () => {
  const fields = {
    features: [
      { name: 'a', mean: 10, scale: 2 },
      { name: 'b', mean: 0, scale: 1 },
      { name: 'c', mean: 0, scale: 1 },
    ],
    threshold: 1,
  };
  // The model makes zeros of everything: (14 - 10) / 2 = 2 away, 1 away, 0 away.
  const found = await detect(() => [0, 0, 0], [14, 1, 0], {}, fields);
  assert.equal(found.score, 5 / 3);
  assert.deepEqual(found.contributions, [
    { channel: 'a', value: 14, expected: 10, share: 0.8 },
    { channel: 'b', value: 1, expected: 0, share: 0.2 },
    { channel: 'c', value: 0, expected: 0, share: 0 },
  ]);
  assert.equal((await detect(() => [0, 0, 0], [11, 0, 0], {}, fields)).contributions, undefined);
});

test('outputs that the properties name must exist and fit', async () => {
  await assert.rejects(detect(binary, [0.5], { output: 'z' }), coded('CONFIG', '"output"', 'has y'));
  await assert.rejects(
    detect(binary, [0.5], { task: 'regress', threshold: 1, output: 'y' }),
    coded('MODEL_UNSUPPORTED', 'regress'),
  );
  await assert.rejects(
    detect(binary, [0.5], { task: 'reconstruct', threshold: 1 }),
    coded('MODEL_UNSUPPORTED', 'reconstruct'),
  );
});

/** `p` holds the row's value, and `v` one of it for each count up to the first row's. */
function varying(): FakeBackend {
  return new FakeBackend(
    {
      inputs: [tensor('x', 'float32', 'N', 1)],
      outputs: [tensor('v', 'float32', 'N', 'V'), tensor('p', 'float32', 'N', 1)],
      provider: 'cpu',
    },
    ({ x }): Record<string, TensorData> => {
      const values = [...(x.data as Float32Array)];
      const count = Math.max(0, Math.floor(values[0]));
      const v = values.flatMap((value) => new Array<number>(count).fill(value));
      return {
        v: { type: 'float32', dims: [values.length, count], data: Float32Array.from(v) },
        p: { type: 'float32', dims: [values.length, 1], data: Float32Array.from(values) },
      };
    },
  );
}

test('an output whose shape depends on the values is passed on as it is, and never scored', async () => {
  for (const task of ['classify', 'regress', 'reconstruct'] as const) {
    await assert.rejects(
      serve(varying(), { task, output: 'v', threshold: 1 }),
      coded('MODEL_UNSUPPORTED', '"v"', 'depends on the values'),
    );
  }
  const detector = detectorWith();
  await detector.serve(await serve(varying(), { threshold: 100 }));
  const verdicts = await detector.submit(batchOf([[3], [7]]));
  assert.deepEqual(
    verdicts.map(({ detection }) => [detection.score, detection.outputs]),
    [
      [3, { v: [3, 3, 3], p: [3] }],
      [7, { v: [7, 7, 7], p: [7] }],
    ],
  );
});

test('an output that changes its shape after the trial refuses the reading, and nothing is made of it', async () => {
  const { info, compute } = rowModel(1, ([v]) => [v]);
  const backend = new FakeBackend(info, (feeds) => {
    const answer = compute(feeds);
    return feeds.x.data[0] === 5
      ? { y: { type: 'float32', dims: [2, 1], data: new Float32Array(2) } }
      : answer;
  });
  const detector = detectorWith();
  await detector.serve(await serve(backend, { threshold: 100 }));
  await assert.rejects(detector.submit(reading(5)), coded('INFERENCE', '"y"', '[2, 1] for 1 row of 1'));
  assert.equal((await detector.submit(reading(6)))[0].detection.score, 6);
});

test('an output of an element type that cannot be read is refused before the model is run', async () => {
  const { info, compute } = rowModel(1, ([v]) => [v]);
  for (const type of ['int4', 'uint4', 'bfloat16']) {
    const backend = new FakeBackend({ ...info, outputs: [tensor('y', type, 'N', 1)] }, compute);
    await assert.rejects(serve(backend, { threshold: 1 }), coded('DTYPE', '"y"', type));
    assert.deepEqual([backend.runs.length, backend.released], [0, 1]);
  }
});

test('a sequence of maps says how to export without it', async () => {
  const backend = new FakeBackend(
    { inputs: [tensor('x', 'float32', 'N', 1)], outputs: [tensor('p', '')], provider: 'cpu' },
    () => ({}),
  );
  await assert.rejects(serve(backend), coded('MODEL_UNSUPPORTED', 'zipmap=False'));
  assert.equal(backend.released, 1);
});

test('a card is refused with the property that is wrong', () => {
  for (const [fields, property] of [
    [{ task: 'guess' }, 'task'],
    [{ features: ['a'] }, 'features'],
    [{ features: [{ mean: 1 }] }, 'features[0].name'],
    [{ features: [{ name: 'a', scale: 0 }] }, 'features[0].scale'],
    [{ features: [{ name: 'a' }, { name: 'a' }] }, 'features'],
    [{ threshold: '0.5' }, 'threshold'],
    [{ direction: 'down' }, 'direction'],
    [{ labels: [] }, 'labels'],
    [{ outputs: { modes: {} } }, 'outputs.modes.output'],
    [{ digest: 5.5, name: {} }, 'name'],
  ] as const) {
    assert.throws(() => card(fields), coded('MODEL_INVALID', `"${property}"`, 'test.json'));
  }
  assert.throws(() => card([]), coded('MODEL_INVALID', 'object'));
});

test('the card’s sample is what a new model is tried on', async () => {
  const { info, compute } = rowModel(2, ([a, b]) => [a / b]);
  const backend = new FakeBackend(info, compute);
  const fields = { features: [{ name: 'a' }, { name: 'b' }], threshold: 1, sample: { a: 1, b: 4 } };
  await serve(backend, {}, card(fields));
  assert.deepEqual([...(backend.runs[0].data as Float32Array)], [1, 4, 1, 4]);
  // Whatever the flow calls them.
  const renamed = new FakeBackend(info, compute);
  await serve(renamed, { features: ['left', 'right'] }, card(fields));
  assert.deepEqual([...(renamed.runs[0].data as Float32Array)], [1, 4, 1, 4]);
  assert.deepEqual(
    [...(backend.runs.at(-1)?.data as Float32Array)].length,
    4,
    'whatever the flow calls them',
  );
  await assert.rejects(
    serve(backend, {}, card({ ...fields, sample: { a: 1 } })),
    coded('MODEL_INVALID', '"sample"', '"b"'),
  );
});
