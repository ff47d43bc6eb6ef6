import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bring, tryOn } from './inspect-support';
import { fixtures } from './support';

bring(
  ...['torch-lstm', 'sklearn-columns', 'torch-autoencoder', 'sklearn-linear-regression'].map(
    (name) => `conformance/${name}`,
  ),
  ...['classify', 'regress'],
);

const CNC = { model: 'builtin:cnc-failure' };
const HEALTHY = {
  ...{ type: 0, air_temperature: 300, process_temperature: 310 },
  ...{ rotational_speed: 1500, torque: 40, tool_wear: 100 },
};
const OVERSTRAINED = { ...HEALTHY, rotational_speed: 1400, torque: 70, tool_wear: 210 };

interface Case {
  rows: unknown[][];
  score: number[];
}
const { models } = JSON.parse(readFileSync(join(fixtures, 'conformance', 'conformance.json'), 'utf8')) as {
  models: Record<string, Case>;
};

test('without a sample the card’s is taken, and given back', async () => {
  const { detection, sample, failure } = await tryOn(CNC);
  assert.equal(failure, undefined);
  assert.deepEqual(JSON.parse(sample ?? ''), HEALTHY);
  assert.deepEqual(
    [detection?.status, detection?.label, detection?.kind],
    ['OPERATIONAL', 'none', undefined],
  );
  assert.ok(Math.abs((detection?.score ?? 1) - 0.000354) < 1e-6, 'what the card expects');
});

test('a failing reading is detected as the node would send it', async () => {
  const { detection, sample } = await tryOn({ ...CNC, votes: 2, voteWindow: 3, holdOff: 60 }, OVERSTRAINED);
  assert.equal(sample, undefined);
  assert.equal(detection?.kind, 'KNOWN_FAILURE', 'votes say nothing about one reading');
  assert.deepEqual([detection.node, detection.threshold, detection.label], ['press', 0.5, 'OSF']);
  assert.deepEqual(
    Object.keys(detection.probabilities ?? {}).slice(0, 2),
    ['OSF', 'PWF'],
    'most probable first',
  );
  assert.deepEqual(Object.keys(detection.outputs ?? {}), ['failure_probability', 'mode_probabilities']);
  assert.equal(detection.model?.name, 'cnc-failure');
  assert.equal(detection.episode, undefined);
});

test('a list by position does as well as an object', async () => {
  const byName = await tryOn(CNC, OVERSTRAINED);
  const byPosition = await tryOn(CNC, Object.values(OVERSTRAINED));
  assert.equal(byPosition.detection?.score, byName.detection?.score);
});

test('one reading stands for a whole window; a list of readings makes one', async () => {
  const lstm = { model: 'models/torch-lstm.onnx' };
  const one = await tryOn(lstm, { x: 1, y: 2, z: 3 });
  assert.deepEqual(one.window, { size: 16, given: 1 });
  const sixteen = new Array<object>(16).fill({ x: 1, y: 2, z: 3 });
  const same = await tryOn(lstm, sixteen);
  assert.deepEqual(same.window, { size: 16, given: 16 });
  assert.equal(same.detection?.score, one.detection?.score);
  const { rows, score } = models['torch-lstm'];
  const [first] = rows;
  const recorded = await tryOn(lstm, first);
  assert.ok(
    Math.abs((recorded.detection?.score ?? 9) - score[0]) < 1e-5,
    'what the training library answers',
  );
  const longer = await tryOn(lstm, [...sixteen, ...first]);
  assert.deepEqual(longer.window, { size: 16, given: 32 });
  assert.equal(longer.detection?.score, recorded.detection?.score, 'the last ones count');
});

test('a window that is not complete gives no verdict, as in the node', async () => {
  const { detection, window } = await tryOn({ model: 'models/torch-lstm.onnx' }, [[1, 2, 3]]);
  assert.deepEqual([detection?.status, detection?.score, detection?.threshold], ['LEARNING', null, null]);
  assert.deepEqual(window, { size: 16, given: 1 });
});

test('texts, contributions and negated scores come as in the node', async () => {
  const columns = await tryOn({ model: 'models/sklearn-columns.onnx' });
  assert.equal(columns.detection?.label, 'ok');
  const reading = { temperature: 70, vibration: 9, current: 12, speed: 1460 };
  const odd = await tryOn({ model: 'models/torch-autoencoder.onnx', threshold: 0.5 }, reading);
  assert.equal(odd.detection?.contributions?.[0].channel, 'vibration');
  const { rows, score } = models['sklearn-linear-regression'];
  const life = await tryOn({ model: 'models/sklearn-linear-regression.onnx' }, rows[0]);
  assert.ok(Math.abs((life.detection?.score ?? 0) - score[0]) < 1e-2);
  assert.ok((life.detection?.score ?? 0) < 0);
});

test('what the node would refuse is refused with its own error', async () => {
  for (const [properties, sample, code, reason] of [
    [CNC, { ...HEALTHY, torque: null }, 'FEATURE_MISSING', /"torque" is missing/],
    [CNC, [1, 2, 3], 'SHAPE', /the model takes 6/],
    [CNC, 'text', 'SHAPE', /a string/],
    [CNC, null, 'SHAPE', /empty/],
    [CNC, { ...HEALTHY, torque: 1e300 }, 'DTYPE', /cannot hold/],
    [CNC, [[1, 2, 3, 4, 5, 6]], 'SAMPLE', /list of readings/],
    [{ ...CNC, digest: '0'.repeat(64) }, HEALTHY, 'MODEL_DIGEST', /expects/],
    [{ model: 'models/regress.onnx' }, [1, 2, 3], 'CONFIG', /threshold/],
    [{ model: 'models/classify.onnx' }, { a: 1 }, 'FEATURE_MISSING', /which channel goes where/],
  ] as const) {
    const { detection, failure } = await tryOn(properties, sample);
    assert.equal(detection, undefined);
    assert.equal(failure?.code, code, failure?.message);
    assert.match(failure.message, reason);
  }
});

test('what becomes of a missing value is as set', async () => {
  const without = { ...HEALTHY, torque: undefined };
  assert.equal((await tryOn({ ...CNC, missing: 'nan' }, without)).failure, undefined);
  const zero = await tryOn({ ...CNC, missing: 'zero' }, without);
  assert.equal(zero.detection?.score, (await tryOn(CNC, { ...HEALTHY, torque: 0 })).detection?.score);
});
