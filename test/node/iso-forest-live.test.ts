import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { LiveAnswer, LiveSource } from '../../nodes/iso-forest/live/result';
import type { Detection } from '../../nodes/shared/messages';
import { SeededRandom } from '../../nodes/shared/random';
import { TestRuntime, type FlowNode } from '../support/runtime';
import { Station } from '../support/station';

let runtime: TestRuntime;

before(async () => {
  process.env.EDGE_TEST_SCORE = '0.01';
  runtime = await TestRuntime.start();
});

after(async () => {
  await runtime.stop();
});

const SMALL = {
  ...{ trees: 20, sample: 64, history: 200, retrain: 50, warmup: 40, reference: 200 },
  persist: false,
};

function flow(properties: object = {}): FlowNode[] {
  return [
    { id: 'forest', type: 'iso-forest', wires: [['alarm'], ['clear']], ...SMALL, ...properties },
    { id: 'alarm', type: 'test-sink', wires: [] },
    { id: 'clear', type: 'test-sink', wires: [] },
  ];
}

/** Sends readings of a healthy press, and strange ones where they are asked for. */
function feed(topic: string, count: number, strange: readonly number[] = []): void {
  const random = new SeededRandom(11);
  for (let i = 0; i < count; i++) {
    const current = 12 + 0.3 * random.normal();
    const payload = { torque: 40 + random.normal(), current: strange.includes(i) ? 30 : current };
    const reading = { source: topic, ts: 1_700_000_000_000 + 1000 * i, channels: {}, id: String(i) };
    runtime.inject('forest', { topic, payload, reading });
  }
}

async function json<T>(response: Response, status = 200): Promise<T> {
  const body = (await response.json()) as T;
  assert.equal(response.status, status, JSON.stringify(body));
  return body;
}

const scores = (query: Record<string, string> = {}, id = 'forest'): Promise<Response> =>
  fetch(`${runtime.url}/edge/iso-forest/${id}/scores?${new URLSearchParams(query).toString()}`);

const replay = (properties: object, body: object = {}, id = 'forest'): Promise<Response> =>
  fetch(`${runtime.url}/edge/iso-forest/${id}/replay`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ properties, ...body }),
  });

async function liveOf(query: Record<string, string> = {}): Promise<LiveSource> {
  const { live } = await json<LiveAnswer>(await scores(query));
  assert.ok(live);
  return live;
}

test('the latest scores are those of the messages, with what was flagged and why', async () => {
  await runtime.deploy(flow());
  feed('press-1', 300, [250, 280]);
  await runtime.collect('alarm', 2);
  const sent = [...(await runtime.collect('clear', 298)), ...runtime.messages('alarm')]
    .map(({ detection }) => detection as Detection)
    .filter(({ score }) => score !== null)
    .sort((a, b) => a.ts - b.ts);
  const { source, points, flagged, threshold, channels, explained, histogram, progress } = await liveOf();
  assert.equal(source, 'press-1');
  assert.deepEqual(
    points.map(([ts, score, , outcome]) => [ts, score, outcome]),
    sent.map(({ ts, score, kind }) => [
      ts,
      Math.round(score! * 1e6) / 1e6,
      kind === undefined ? 'clear' : 'flagged',
    ]),
  );
  points.forEach(([, , limit], i) => assert.ok(Math.abs(limit! - sent[i].threshold!) < 1e-6));
  assert.equal(threshold, sent.at(-1)!.threshold);
  assert.deepEqual(flagged, { readings: 2, episodes: 2 });
  assert.deepEqual(
    [channels[0].channel, channels[0].value, explained],
    ['current', 30, 2],
    JSON.stringify(channels),
  );
  assert.ok(Math.abs(channels[0].expected! - 12) < 0.3 && channels[0].share > 0.5);
  assert.equal(
    histogram?.flagged.reduce((sum, count) => sum + count, 0),
    2,
  );
  assert.ok(histogram.normal.reduce((sum, count) => sum + count, 0) > 100);
  assert.deepEqual(progress.learning, false);
  assert.deepEqual(progress.reference?.length, 200);
});

test('a replay tries what is not deployed and changes nothing', async () => {
  await runtime.deploy(flow());
  feed('press-3', 300, [250, 251, 280]);
  await runtime.collect('alarm', 3);
  const before = await liveOf();
  const tried = async (properties: object): Promise<LiveAnswer['replay']> =>
    (await json<LiveAnswer>(await replay(properties))).replay;

  const fixed = await tried({ thresholdMode: 'score', scoreThreshold: 0.5 });
  const reaching = before.points.flatMap(([, score], index) => (score >= 0.5 ? [index] : []));
  assert.deepEqual([fixed?.limit, fixed?.marks], [0.5, reaching]);
  assert.ok(reaching.length > 3);
  assert.equal((await tried({ thresholdMode: 'score', scoreThreshold: 1 }))?.flagged.readings, 0);

  const voted = await tried({ votes: 2, voteWindow: 2 });
  assert.deepEqual(voted?.flagged, { readings: 1, episodes: 1 }, 'only the second of two in a row');
  const joined = await tried({ holdOff: 60 });
  assert.deepEqual(joined?.flagged, { readings: 3, episodes: 1 });

  const shared = await tried({ thresholdMode: 'contamination', contamination: 0.2 });
  assert.ok(Math.abs(shared!.flagged.readings / before.points.length - 0.2) < 0.01);
  const variable = await tried({ thresholdMode: 'score', scoreThreshold: '${EDGE_TEST_SCORE}' });
  assert.equal(variable?.flagged.readings, before.points.length);

  assert.deepEqual(await liveOf(), before);
});

test('a deployment of another threshold keeps the scores; one of another forest does not', async () => {
  await runtime.deploy(flow());
  feed('press-4', 300, [280]);
  await runtime.collect('alarm', 1);
  const { points } = await liveOf();
  await runtime.deploy(flow({ thresholdMode: 'score', scoreThreshold: 0.5 }));
  feed('press-4', 1);
  await runtime.collect('clear', 1);
  assert.deepEqual((await liveOf()).points, points);
  await runtime.deploy(flow({ variant: 'standard' }));
  feed('press-4', 1);
  await runtime.collect('clear', 1);
  assert.deepEqual((await liveOf()).points, []);
});

test('settings that cannot be tried are named; the scores are shown all the same', async () => {
  await runtime.deploy(flow());
  feed('press-1', 100);
  await runtime.collect('clear', 90);
  const { live, replay: none, failure } = await json<LiveAnswer>(await replay({ votes: 3, voteWindow: 2 }));
  assert.ok(live && live.points.length > 0);
  assert.equal(none, undefined);
  assert.deepEqual([failure?.code, failure?.property], ['CONFIG', 'votes']);
  assert.equal((await json<{ code: string }>(await replay([]), 400)).code, 'REQUEST');
});

test('sources are chosen, found by a part of their name, and those flagged lately come first', async () => {
  await runtime.deploy(flow());
  const { sources, live } = await json<LiveAnswer>(await scores());
  assert.deepEqual([sources, live], [[], undefined], 'nothing received yet');
  for (let i = 0; i < 250; i++) {
    runtime.inject('forest', { topic: `m${i}`, payload: { torque: 40, current: 12 } });
  }
  feed('press-1', 100);
  feed('press-2', 100, [90]);
  await runtime.collect('alarm', 1);
  const all = await json<LiveAnswer>(await scores());
  assert.deepEqual([all.sources.length, all.sources[0], all.more], [200, 'press-2', true]);
  assert.equal(all.live?.source, 'press-2');
  assert.equal((await liveOf({ source: 'press-1' })).source, 'press-1');
  assert.equal((await liveOf({ source: 'unheard' })).source, 'press-2');
  const found = await json<LiveAnswer>(await scores({ find: 'PRESS' }));
  assert.deepEqual([found.sources, found.more], [['press-2', 'press-1'], false]);
  const learning = await liveOf({ source: 'm7' });
  assert.deepEqual([learning.points, learning.threshold], [[], null]);
  assert.deepEqual(
    [learning.progress.learning, learning.progress.learned, learning.progress.warmup],
    [true, 1, 40],
  );
  runtime.inject('forest', { topic: 'press-2', operation: 'reset' });
  runtime.inject('forest', { topic: 'press-1', payload: { torque: 40, current: 12 } });
  await runtime.collect('clear', 450);
  assert.deepEqual((await json<LiveAnswer>(await scores({ find: 'press' }))).sources, ['press-1']);
});

test('a node that does not run is to be deployed first', async () => {
  await runtime.deploy(flow({ variant: 'extended' }));
  for (const id of ['unknown', 'forest', 'alarm']) {
    for (const response of [await scores({}, id), await replay({}, {}, id)]) {
      const { code, message } = await json<{ code: string; message: string }>(response, 404);
      assert.equal(code, 'NOT_FOUND');
      assert.match(message, /Deploy it first/);
    }
  }
});

test('in a subflow the dialog’s node stands for one of its instances', async () => {
  await runtime.deploy([
    {
      id: 'sub',
      type: 'subflow',
      name: 'machine',
      in: [{ wires: [{ id: 'inner' }] }],
      out: [{ wires: [{ id: 'inner', port: 1 }] }],
    },
    { id: 'inner', type: 'iso-forest', z: 'sub', ...SMALL, wires: [[], []] },
    { id: 'instance', type: 'subflow:sub', wires: [['clear']] },
    { id: 'clear', type: 'test-sink', wires: [] },
  ]);
  runtime.inject('instance', { topic: 'm1', payload: { v: 1 } });
  await runtime.collect('clear', 1);
  assert.deepEqual((await json<LiveAnswer>(await scores({}, 'inner'))).sources, ['m1']);
  assert.equal((await json<LiveAnswer>(await replay({}, {}, 'inner'))).live?.source, 'm1');
});

test('who may only read flows sees neither', async () => {
  const station = await Station.start({
    flow: [{ id: 'tab', type: 'tab', label: 'x' }],
    settings: { adminAuth: { type: 'credentials', users: [], default: { permissions: 'read' } } },
  });
  try {
    assert.equal((await fetch(`${station.url}/flows`)).status, 200);
    assert.equal((await fetch(`${station.url}/edge/iso-forest/x/scores`)).status, 401);
    const { status } = await fetch(`${station.url}/edge/iso-forest/x/replay`, { method: 'POST' });
    assert.equal(status, 401);
  } finally {
    await station.stop();
  }
});
