import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectAsync } from 'mqtt';
import type { PreviewAnswer, Recording } from '../../nodes/sensor-ingest/preview/result';
import { Mosquitto } from '../support/mosquitto';
import { TestRuntime, type FlowNode } from '../support/runtime';
import { Station } from '../support/station';
import { needProgram } from '../support/tools';

let runtime: TestRuntime;

before(async () => {
  process.env.EDGE_TEST_TOLERANCE = '2.5';
  runtime = await TestRuntime.start();
});

after(async () => {
  await runtime.stop();
});

function ingest(properties: object = {}): FlowNode[] {
  return [
    { id: 'ingest', type: 'sensor-ingest', wires: [['readings'], [], ['rejects']], ...properties },
    ...['readings', 'rejects'].map((id) => ({ id, type: 'test-sink', wires: [] })),
  ];
}

async function json<T>(response: Response, status = 200): Promise<T> {
  const body = (await response.json()) as T;
  assert.equal(response.status, status, JSON.stringify(body));
  return body;
}

const recorded = (id: string, topic?: string): Promise<Response> =>
  fetch(
    `${runtime.url}/edge/sensor-ingest/${id}/recorded${topic === undefined ? '' : `?topic=${encodeURIComponent(topic)}`}`,
  );

const preview = (body: object): Promise<Response> =>
  fetch(`${runtime.url}/edge/sensor-ingest/preview`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

test('what a node received over the wire is captured as it came, rejects too', async () => {
  await runtime.deploy(ingest());
  const before = Date.now();
  runtime.inject('ingest', { topic: 'm1', payload: { v: 1 } });
  runtime.inject('ingest', { topic: 'm2', payload: { v: 9 } });
  runtime.inject('ingest', { topic: 'm1', payload: Buffer.from([0xff, 0]) });
  runtime.inject('ingest', { topic: 'm1', payload: { v: NaN } });
  runtime.inject('ingest', { topic: 'm1', payload: { v: 10n } });
  await runtime.collect('rejects', 3);
  const { topic, topics, samples, leftOut } = await json<Recording>(await recorded('ingest'));
  assert.equal(topic, 'm1');
  assert.deepEqual(topics.sort(), ['m1', 'm2']);
  assert.deepEqual(
    samples.map(({ encoding, payload }) => [encoding, payload]),
    [
      ['json', '{"v":1}'],
      ['base64', '/wA='],
      ['json', '{"v":NaN}'],
    ],
  );
  assert.ok(samples.every(({ at }) => at >= before && at <= Date.now()));
  assert.equal(leftOut.count, 1);
  assert.match(leftOut.reason, /BigInt/);

  const answer = await json<PreviewAnswer>(await preview({ properties: {}, samples }));
  assert.deepEqual(
    answer.rejections.map(({ code }) => code),
    ['DECODE', 'NOT_FINITE'],
    'the same refusals as of the node itself',
  );
  const codes = runtime.messages('rejects').map((msg) => (msg.error as { message: string }).message);
  assert.deepEqual(
    answer.rejections.map(({ message }) => message),
    codes.slice(0, 2),
  );
});

test('another topic is recorded when it is asked for', async () => {
  await runtime.deploy(ingest());
  runtime.inject('ingest', { topic: 'm1', payload: 1 });
  runtime.inject('ingest', { topic: 'm 2/ü', payload: 2 });
  await runtime.collect('readings', 2);
  const switched = await json<Recording>(await recorded('ingest', 'm 2/ü'));
  assert.deepEqual([switched.topic, switched.samples], ['m 2/ü', []]);
  runtime.inject('ingest', { topic: 'm 2/ü', payload: 3 });
  runtime.inject('ingest', { topic: 'm1', payload: 4 });
  await runtime.collect('readings', 4);
  const { samples } = await json<Recording>(await recorded('ingest'));
  assert.deepEqual(
    samples.map(({ payload }) => payload),
    ['3'],
  );
});

test('a preview of the node’s own recording under other settings, without the messages on the way', async () => {
  await runtime.deploy(ingest());
  for (let v = 0; v < 20; v++) {
    runtime.inject('ingest', { topic: 'm1', payload: { ts: Date.now() + v, v: v % 10 } });
  }
  await runtime.collect('readings', 20);
  const { recording, plot, last } = await json<PreviewAnswer>(
    await preview({ node: 'ingest', properties: { reduce: 'deadband', tolerance: 4 } }),
  );
  assert.deepEqual(recording?.topics, ['m1']);
  assert.equal(recording.count, 20);
  assert.match(recording.newest?.payload ?? '', /"v":9/);
  assert.equal(last?.reading?.source, 'm1');
  assert.deepEqual(
    plot?.points.filter(([, , kept]) => kept).map(([, value]) => value),
    [0, 5, 0, 5],
  );
  assert.deepEqual([plot.reduction?.pointsIn, plot.reduction?.pointsOut], [20, 4]);
});

test('a preview needs no deployed node; a capture does, and says so', async () => {
  await runtime.deploy(ingest({ format: 'csv', features: 'nonsense', window: 'count' }));
  const samples = [{ topic: 'm1', encoding: 'text', payload: '{"v":1}' }];
  const { last } = await json<PreviewAnswer>(await preview({ properties: {}, samples }));
  assert.deepEqual(last?.reading?.values, [{ channel: 'v', value: 1, unit: '' }]);
  for (const id of ['unknown', 'ingest', 'readings']) {
    for (const response of [await recorded(id), await preview({ node: id, properties: {} })]) {
      const { code, message } = await json<{ code: string; message: string }>(response, 404);
      assert.equal(code, 'NOT_FOUND');
      assert.match(message, /Deploy it/);
    }
  }
});

test('what cannot be read, and what is too much, is refused with the reason', async () => {
  const refused = async (body: object, status: number): Promise<string> =>
    (await json<{ code: string }>(await preview(body), status)).code;
  assert.equal(await refused({}, 400), 'REQUEST');
  assert.equal(await refused({ properties: {}, samples: [{}] }, 400), 'REQUEST');
  const payload = 'x'.repeat(2_200_000);
  assert.equal(await refused({ properties: {}, samples: [{ encoding: 'text', payload }] }, 413), 'TOO_LARGE');
});

test('variables of the flow are filled in as at the node’s start', async () => {
  await runtime.deploy(ingest({ tolerance: '${EDGE_TEST_TOLERANCE}' }));
  const rows = JSON.stringify([{ v: 0 }, { v: 2 }, { v: 3 }]);
  const { plot } = await json<PreviewAnswer>(
    await preview({
      node: 'ingest',
      properties: { reduce: 'deadband', tolerance: '${EDGE_TEST_TOLERANCE}', timestamp: '' },
      samples: [{ topic: 'm', encoding: 'text', payload: rows }],
    }),
  );
  assert.equal(plot?.reduction?.tolerance, 2.5);
});

test('in a subflow the dialog’s node stands for one of its instances', async () => {
  await runtime.deploy([
    { id: 'sub', type: 'subflow', name: 'machine', in: [{ wires: [{ id: 'inner' }] }], out: [] },
    { id: 'inner', type: 'sensor-ingest', z: 'sub', wires: [[], [], []] },
    { id: 'instance', type: 'subflow:sub', wires: [] },
  ]);
  runtime.inject('instance', { topic: 'm1', payload: { v: 1 } });
  let recording: Recording;
  do {
    recording = await json<Recording>(await recorded('inner'));
  } while (recording.samples.length === 0);
  assert.deepEqual(recording.samples[0].payload, '{"v":1}');
});

test('what arrives by MQTT is captured too', async (t) => {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  const mosquitto = await Mosquitto.start(program);
  const sender = await connectAsync(mosquitto.url, { protocolVersion: 5 });
  try {
    await sender.publishAsync('plant/m1', '{"v":1}', { qos: 1, retain: true });
    await runtime.deploy([
      { id: 'broker', type: 'edge-broker', url: mosquitto.url, protocolVersion: '5' },
      ...ingest({ source: 'mqtt', broker: 'broker', topic: 'plant/+' }),
    ]);
    await runtime.collect('readings', 1);
    await sender.publishAsync('plant/m1', '{"v":', { qos: 1 });
    await runtime.collect('rejects', 1);
    const { samples } = await json<Recording>(await recorded('ingest'));
    assert.deepEqual(
      samples.map(({ topic, encoding, payload }) => [
        topic,
        encoding,
        Buffer.from(payload, 'base64').toString(),
      ]),
      [
        ['plant/m1', 'base64', '{"v":1}'],
        ['plant/m1', 'base64', '{"v":'],
      ],
    );
  } finally {
    await runtime.deploy([]);
    await sender.endAsync(true);
    await mosquitto.stop();
  }
});

test('who may only read flows sees neither', async () => {
  const station = await Station.start({
    flow: [{ id: 'tab', type: 'tab', label: 'x' }],
    settings: { adminAuth: { type: 'credentials', users: [], default: { permissions: 'read' } } },
  });
  try {
    assert.equal((await fetch(`${station.url}/flows`)).status, 200);
    assert.equal((await fetch(`${station.url}/edge/sensor-ingest/x/recorded`)).status, 401);
    const { status } = await fetch(`${station.url}/edge/sensor-ingest/preview`, { method: 'POST' });
    assert.equal(status, 401);
  } finally {
    await station.stop();
  }
});
