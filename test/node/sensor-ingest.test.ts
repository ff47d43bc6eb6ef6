import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { Aedes } from 'aedes';
import { connectAsync, type MqttClient } from 'mqtt';
import type { EdgeMessage, Reading } from '../../nodes/shared/messages';
import { Mosquitto } from '../support/mosquitto';
import { TestRuntime, type FlowNode } from '../support/runtime';
import { needProgram } from '../support/tools';

let runtime: TestRuntime;
let broker: Aedes;
let server: Server;
let publisher: MqttClient;
const sockets = new Set<Socket>();
const url = (): string => `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;

before(async () => {
  broker = await Aedes.createBroker();
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    broker.handle(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  publisher = await connectAsync(url(), { reconnectPeriod: 100 });
  runtime = await TestRuntime.start();
});

after(async () => {
  await runtime.stop();
  await publisher.endAsync(true);
  await new Promise<void>((resolve) => broker.close(resolve));
  server.close();
});

function ingest(properties: object = {}): FlowNode[] {
  return [
    {
      id: 'ingest',
      type: 'sensor-ingest',
      name: 'press',
      wires: [['readings'], ['reduced'], ['rejects']],
      ...properties,
    },
    ...['readings', 'reduced', 'rejects'].map((id) => ({ id, type: 'test-sink', wires: [] })),
    { id: 'catch', type: 'catch', scope: null, wires: [['caught']] },
    { id: 'caught', type: 'test-sink', wires: [] },
  ];
}

function mqttIngest(properties: object = {}): FlowNode[] {
  return [
    {
      id: 'broker',
      type: 'edge-broker',
      name: 'line',
      url: url(),
      protocolVersion: '4',
      clientId: 'gateway',
    },
    ...ingest({ source: 'mqtt', broker: 'broker', topic: 'plant1/+/telemetry', ...properties }),
  ];
}

const readingOf = (msg: EdgeMessage): Reading => msg.reading as Reading;
const errorOf = (msg: EdgeMessage): { code: string; message: string; source: object } =>
  msg.error as { code: string; message: string; source: object };

interface StationNode {
  id: string;
  status?: { text: string };
  figures: Record<string, number>;
}

async function stationNode(): Promise<StationNode | undefined> {
  const response = await fetch(`${runtime.url}/edge/status`);
  const { nodes } = (await response.json()) as { nodes: StationNode[] };
  return nodes.find(({ id }) => id === 'ingest');
}

async function untilStatus(text: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const shown = (await stationNode())?.status?.text;
    if (shown === text) {
      return;
    }
    assert.ok(Date.now() < deadline, `the status is "${shown}", not "${text}"`);
  }
}

async function subscribed(): Promise<void> {
  await once(broker, 'subscribe', { signal: AbortSignal.timeout(10_000) });
}

test('a message passes through with its reading, other properties and done', async () => {
  await runtime.deploy(ingest());
  runtime.inject('ingest', { topic: 'm1', payload: { ts: '2026-01-31T12:00:00Z', temp: 5 }, batchNumber: 7 });
  const [msg] = await runtime.collect('readings', 1);
  assert.deepEqual(msg.payload, { temp: 5 });
  assert.equal(msg.topic, 'm1');
  assert.equal(msg.batchNumber, 7);
  assert.equal(readingOf(msg).ts, Date.UTC(2026, 0, 31, 12));
  assert.deepEqual(runtime.messages('reduced'), []);
});

test('every kind of bad message comes out of output 3 untouched, with its code, and the next reading gets through', async () => {
  const channels = [{ name: 'temp', path: 'temp', min: 0, max: 100 }];
  await runtime.deploy(
    ingest({ channels, maxBytes: 200, maxSources: 1, schema: '{"properties":{"mode":{"type":"string"}}}' }),
  );
  const good = { ts: Date.now(), temp: 5 };
  runtime.inject('ingest', { topic: 'm1', payload: good });
  const bad: [string, unknown, string?][] = [
    ['DECODE', Buffer.from([0xff, 0, 1, 2])],
    ['SCHEMA', { temp: 1, mode: 7 }],
    ['NO_CHANNELS', { pressure: 1 }],
    ['NOT_FINITE', { temp: NaN }],
    ['RANGE', { temp: 101 }],
    ['TIMESTAMP', { ts: 'yesterday', temp: 5 }],
    ['TOO_LARGE', `{"temp":5,"pad":"${'x'.repeat(200)}"}`],
    ['SOURCE_LIMIT', { temp: 5 }, 'm2'],
    ['DUPLICATE', { ...good }],
  ];
  for (const [, payload, topic] of bad) {
    runtime.inject('ingest', { topic: topic ?? 'm1', payload, mark: 1 });
  }
  runtime.inject('ingest', { topic: 'm1', payload: { temp: 6 } });
  const rejects = await runtime.collect('rejects', bad.length);
  assert.deepEqual(
    rejects.map((msg) => errorOf(msg).code),
    bad.map(([code]) => code),
  );
  rejects.forEach((msg, index) => {
    assert.deepEqual(msg.payload, bad[index][1]);
    assert.equal(msg.mark, 1);
    assert.ok(!('reading' in msg));
    assert.deepEqual(errorOf(msg).source, { id: 'ingest', type: 'sensor-ingest', name: 'press' });
  });
  const readings = await runtime.collect('readings', 2);
  assert.deepEqual(readings[1].payload, { temp: 6 });
  assert.equal(readingOf(readings[1]).seq, 1);
  assert.deepEqual(runtime.messages('caught'), []);
  const counted = (await stationNode())?.figures ?? {};
  assert.equal(counted.edge_readings_total, 2);
  for (const [code] of bad) {
    assert.equal(counted[`edge_rejected_total{code="${code}"}`], 1, code);
  }
  await untilStatus('8 rejected, last SOURCE_LIMIT');
});

test('a batch gives one message a row; repeated rows come out as one reject', async () => {
  await runtime.deploy(ingest());
  const ts = Date.now();
  runtime.inject('ingest', {
    topic: 'm',
    payload: [
      { ts, v: 1 },
      { ts: ts + 1, v: 2 },
    ],
  });
  runtime.inject('ingest', {
    topic: 'm',
    payload: [
      { ts, v: 1 },
      { ts: ts + 2, v: 3 },
    ],
  });
  const readings = await runtime.collect('readings', 3);
  assert.deepEqual(
    readings.map((msg) => [msg.payload, readingOf(msg).seq]),
    [1, 2, 3].map((v, seq) => [{ v }, seq]),
  );
  const [reject] = await runtime.collect('rejects', 1);
  assert.equal(errorOf(reject).code, 'DUPLICATE');
  assert.deepEqual(reject.payload, [
    { ts, v: 1 },
    { ts: ts + 2, v: 3 },
  ]);
});

test('windows and the reduced stream leave by their outputs, and cannot change each other', async () => {
  await runtime.deploy(
    ingest({
      window: 'count',
      windowSize: 2,
      features: ['mean'],
      reduce: 'deadband',
      tolerance: 1,
      timestamp: '',
    }),
  );
  for (const v of [1, 3, 2, 2.5, 9, 9]) {
    runtime.inject('ingest', { topic: 'm', payload: { v } });
  }
  const readings = await runtime.collect('readings', 3);
  const reduced = await runtime.collect('reduced', 2);
  assert.deepEqual(
    readings.map(({ payload }) => payload),
    [2, 2.25, 9].map((mean) => ({ 'v.mean': mean })),
  );
  assert.deepEqual(
    reduced.map(({ payload }) => payload),
    [2, 9].map((mean) => ({ 'v.mean': mean })),
  );
  assert.deepEqual(reduced[1].reduction, {
    pointsIn: 3,
    pointsOut: 2,
    bytesIn: 39,
    bytesOut: 24,
    maxError: 0.25,
  });
  assert.notEqual(readings[0].payload, reduced[0].payload);
  assert.deepEqual(reduced[0].reading, readings[0].reading);
});

test('a source that falls silent and returns is reported on output 3', async () => {
  await runtime.deploy(ingest({ silence: 0.2 }));
  runtime.inject('ingest', { topic: 'm', payload: 1 });
  await runtime.collect('rejects', 1);
  await untilStatus('silent sources: 1');
  runtime.inject('ingest', { topic: 'm', payload: 2 });
  const [silent, returned] = await runtime.collect('rejects', 2);
  assert.equal((silent.event as { type: string }).type, 'SILENT');
  assert.equal(silent.topic, 'm');
  assert.deepEqual(silent.payload, silent.event);
  assert.equal((returned.event as { type: string }).type, 'RETURNED');
});

test('a configuration that cannot work is reported, shown, and rejects instead of throwing', async () => {
  await runtime.deploy(ingest({ format: 'sparkplug' }));
  const problem = runtime.problems().find(({ id }) => id === 'ingest');
  assert.match(
    String(problem?.msg),
    /Property "format" is "sparkplug", which this version does not read yet/,
  );
  runtime.inject('ingest', { payload: 1 });
  assert.equal(errorOf((await runtime.collect('rejects', 1))[0]).code, 'CONFIG');
});

test('the direct source takes readings from every filter, and rejects what is broken', async () => {
  const ready = subscribed();
  await runtime.deploy(mqttIngest({ topic: 'plant1/+/telemetry\nplant2/#' }));
  await ready;
  await untilStatus('sensor-ingest.status.listening');
  await publisher.publishAsync('plant1/a/telemetry', '{"v":1}', { qos: 1 });
  await publisher.publishAsync('plant1/a/other', '{"v":2}', { qos: 1 });
  await publisher.publishAsync('plant2/x/y', '{"v":3}', { qos: 0 });
  await publisher.publishAsync('plant2/x/y', '{"v":', { qos: 1 });
  const readings = await runtime.collect('readings', 2);
  assert.deepEqual(
    readings.map((msg) => [msg.topic, msg.payload]),
    [
      ['plant1/a/telemetry', { v: 1 }],
      ['plant2/x/y', { v: 3 }],
    ],
  );
  const [reject] = await runtime.collect('rejects', 1);
  assert.equal(errorOf(reject).code, 'DECODE');
  assert.equal(String(reject.payload), '{"v":');
});

test('readings published while the node is away arrive when it is back, each once and in order', async () => {
  const first = subscribed();
  await runtime.deploy(mqttIngest());
  await first;
  await runtime.deploy([]);
  for (let v = 0; v < 300; v++) {
    await publisher.publishAsync('plant1/a/telemetry', `{"v":${v}}`, { qos: 1 });
  }
  await runtime.deploy(mqttIngest());
  const readings = await runtime.collect('readings', 300);
  assert.deepEqual(
    readings.map(({ payload }) => (payload as { v: number }).v),
    Array.from({ length: 300 }, (_, v) => v),
  );
});

test('a burst leaves turns of the event loop to others, and nothing of it is lost', async () => {
  const ready = subscribed();
  await runtime.deploy(
    mqttIngest({ format: 'float32', sampleRate: 1000, features: ['rms', 'dominantFrequency'] }),
  );
  await ready;
  const wave = Buffer.from(Float32Array.from({ length: 1024 }, (_, i) => Math.sin(i / 3)).buffer);
  const count = 1500;
  let beats = 0;
  let beating = true;
  const beat = (): void => {
    beats++;
    if (beating) {
      setImmediate(beat);
    }
  };
  beat();
  const published = Array.from({ length: count }, () =>
    publisher.publishAsync('plant1/w/telemetry', wave, { qos: 1 }),
  );
  await runtime.collect('readings', count, 30_000);
  beating = false;
  await Promise.all(published);
  assert.equal(runtime.messages('readings').length, count);
  assert.ok(beats > count / 64, `${beats} turns`);
});

test('a broker that is away is shown, named in the log, and taken up again when it is back', async () => {
  const port = (server.address() as AddressInfo).port;
  const ready = subscribed();
  await runtime.deploy(mqttIngest());
  await ready;
  const logged = (): unknown[] => runtime.problems().flatMap(({ id, msg }) => (id === 'ingest' ? [msg] : []));
  const before = logged().length;
  server.close();
  sockets.forEach((socket) => socket.destroy());
  await untilStatus('sensor-ingest.status.disconnected');
  await runtime.until(() => logged().length > before, 'a line in the log');
  const again = subscribed();
  server.listen(port, '127.0.0.1');
  await again;
  await untilStatus('sensor-ingest.status.listening');
  const lines = logged().slice(before);
  assert.equal(new Set(lines).size, lines.length, 'each reason is logged once');
  await runtime.until(() => publisher.connected, 'the publisher');
  await publisher.publishAsync('plant1/a/telemetry', '{"v":1}', { qos: 1 });
  await runtime.collect('readings', 1);
});

test('a broker that refuses the connection is shown as such, and taken up as soon as it accepts', async () => {
  const accept = broker.authenticate;
  broker.authenticate = (_client, _username, _password, done) =>
    done(Object.assign(new Error('not yet'), { returnCode: 3 }), false);
  try {
    await runtime.deploy(mqttIngest());
    await untilStatus('sensor-ingest.status.denied');
  } finally {
    broker.authenticate = accept;
  }
  await untilStatus('sensor-ingest.status.listening');
  await publisher.publishAsync('plant1/a/telemetry', '{"v":1}', { qos: 1 });
  await runtime.collect('readings', 1);
});

test('over MQTT 5, with a group: what comes while the node is away is kept, retained messages are not repeated', async (t) => {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  const mosquitto = await Mosquitto.start(program);
  const sender = await connectAsync(mosquitto.url, { protocolVersion: 5 });
  try {
    const flow = (properties: object): FlowNode[] => [
      { id: 'broker', type: 'edge-broker', url: mosquitto.url, protocolVersion: '5', sessionExpiry: 3600 },
      ...ingest({ source: 'mqtt', broker: 'broker', ...properties }),
    ];
    await sender.publishAsync('plain/retained', '{"v":0}', { qos: 1, retain: true });
    await runtime.deploy(flow({ topic: 'plain/#' }));
    await runtime.collect('readings', 1);
    await runtime.deploy(flow({ topic: 'plain/#' }));
    await untilStatus('sensor-ingest.status.listening');
    await sender.publishAsync('plain/new', '{"v":1}', { qos: 1 });
    const [first] = await runtime.collect('readings', 1);
    assert.equal(first.topic, 'plain/new');

    await runtime.deploy(flow({ topic: 'shared/+', group: 'line' }));
    await untilStatus('sensor-ingest.status.listening');
    await runtime.deploy([]);
    for (let v = 0; v < 100; v++) {
      await sender.publishAsync('shared/a', `{"v":${v}}`, { qos: 1 });
    }
    await runtime.deploy(flow({ topic: 'shared/+', group: 'line' }));
    const readings = await runtime.collect('readings', 100);
    assert.deepEqual(
      readings.map(({ payload }) => (payload as { v: number }).v),
      Array.from({ length: 100 }, (_, v) => v),
    );
  } finally {
    await runtime.deploy([]);
    await sender.endAsync(true);
    await mosquitto.stop();
  }
});
