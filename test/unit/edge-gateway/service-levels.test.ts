import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  LATENCY_WINDOW_MS,
  LevelJudge,
  type JudgedNode,
} from '../../../nodes/edge-gateway/service-levels/judge';
import { keepLimits, parseLimits, readLimits } from '../../../nodes/edge-gateway/service-levels/limits';
import { Figures } from '../../../nodes/shared/figures';
import { NO_LIMITS, type LevelState, type ServiceLevel } from '../../../nodes/shared/service-levels';
import { FakeClock } from '../../support/fake-clock';

const LIMITS = { latency: 10, delivery: 60, silence: 30 };

function node(id: string, type: string, figures: Figures): JudgedNode {
  return { id, type, figures: figures.snapshot() };
}

function stateOf(states: readonly LevelState[], level: ServiceLevel): LevelState {
  const found = states.find((state) => state.level === level);
  assert.ok(found);
  return found;
}

test('the latency is the 95th percentile of the last minute of inferences', async () => {
  const clock = new FakeClock();
  const judge = new LevelJudge(clock);
  const figures = new Figures();
  const latency = (): LevelState =>
    stateOf(judge.look(LIMITS, [node('model', 'onnx-detect', figures)]), 'latency');
  assert.equal(latency().met, null, 'no inference yet');
  for (let n = 0; n < 100; n++) {
    figures.observe('edge_inference_seconds', n < 90 ? 0.0015 : 0.15);
  }
  const slow = latency();
  assert.equal(slow.met, false);
  assert.ok(slow.value !== null && slow.value > 100 && slow.value <= 200, String(slow.value));
  await clock.advance(LATENCY_WINDOW_MS);
  latency();
  await clock.advance(LATENCY_WINDOW_MS);
  for (let n = 0; n < 100; n++) {
    figures.observe('edge_inference_seconds', 0.0015);
  }
  const fast = latency();
  assert.equal(fast.met, true, 'the slow ones are over');
  assert.ok(fast.value !== null && fast.value > 1 && fast.value <= 2, String(fast.value));
});

test('a latency above every bucket is missed, and a node that counts anew is no trouble', () => {
  const judge = new LevelJudge(new FakeClock());
  const slow = new Figures();
  slow.observe('edge_inference_seconds', 60);
  judge.look(LIMITS, [node('model', 'onnx-detect', new Figures())]);
  assert.equal(stateOf(judge.look(LIMITS, [node('model', 'onnx-detect', slow)]), 'latency').met, false);
  assert.equal(
    stateOf(judge.look(LIMITS, [node('model', 'onnx-detect', new Figures())]), 'latency').met,
    null,
  );
});

test('the delivery is as old as the oldest message of any uplink', () => {
  const judge = new LevelJudge(new FakeClock());
  const uplink = (age: number): JudgedNode => {
    const figures = new Figures();
    figures.gauge('edge_uplink_oldest_seconds', () => age);
    return node(`uplink ${age}`, 'resilient-uplink', figures);
  };
  const delivery = (...nodes: JudgedNode[]): LevelState => stateOf(judge.look(LIMITS, nodes), 'delivery');
  assert.equal(delivery().met, null, 'no uplink');
  assert.deepEqual([delivery(uplink(0), uplink(59)).met, delivery(uplink(0), uplink(61)).met], [true, false]);
});

test('a detector is silent when readings come in and it judges none', async () => {
  const clock = new FakeClock();
  const judge = new LevelJudge(clock);
  const ingest = new Figures();
  const forest = new Figures();
  const silence = (): LevelState =>
    stateOf(
      judge.look(LIMITS, [node('in', 'sensor-ingest', ingest), node('forest', 'iso-forest', forest)]),
      'silence',
    );
  const pass = async (seconds: number, judged: boolean): Promise<LevelState> => {
    let state = silence();
    for (let second = 0; second < seconds; second += 5) {
      await clock.advance(5000);
      ingest.add('edge_readings_total');
      if (judged) {
        forest.add('edge_readings_total');
      }
      state = silence();
    }
    return state;
  };
  await clock.advance(120_000);
  assert.equal(silence().met, true, 'nothing comes in, so nothing is missed');
  assert.equal((await pass(60, true)).met, true);
  assert.equal((await pass(30, false)).met, true, 'not yet');
  const silent = await pass(15, false);
  assert.equal(silent.met, false);
  assert.ok(silent.value !== null && silent.value > 30, String(silent.value));
  assert.equal((await pass(5, true)).met, true, 'it judges again');
});

test('a level without a limit is not judged', () => {
  const figures = new Figures();
  figures.observe('edge_inference_seconds', 60);
  const states = new LevelJudge(new FakeClock()).look(NO_LIMITS, [node('model', 'onnx-detect', figures)]);
  assert.deepEqual(
    states.map(({ met }) => met),
    [null, null, null],
  );
});

test('limits are kept in the data folder; nonsense is refused, and a damaged file is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-levels-'));
  try {
    assert.deepEqual(readLimits(folder), NO_LIMITS);
    await keepLimits(join(folder, 'edge'), LIMITS);
    assert.deepEqual(readLimits(join(folder, 'edge')), LIMITS);
    writeFileSync(join(folder, 'edge', 'service-levels.json'), '{"latency":');
    assert.deepEqual(readLimits(join(folder, 'edge')), NO_LIMITS);
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.deepEqual(parseLimits({ latency: 5 }), { latency: 5, delivery: 0, silence: 0 });
  for (const wrong of [-1, NaN, '5']) {
    assert.throws(() => parseLimits({ delivery: wrong }), { code: 'REQUEST' });
  }
});
