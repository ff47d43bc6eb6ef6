import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Aedes } from 'aedes';
import { get } from 'sparkplug-payload';
import { connectAsync, type MqttClient } from 'mqtt';
import { errorOf, ingestFlow, untilStatus } from '../support/ingest-node';
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
    ...ingestFlow({ source: 'mqtt', broker: 'broker', topic: 'plant1/+/telemetry', ...properties }),
  ];
}

async function subscribed(): Promise<void> {
  await once(broker, 'subscribe', { signal: AbortSignal.timeout(10_000) });
}

test('the direct source takes readings from every filter, and rejects what is broken', async () => {
  const ready = subscribed();
  await runtime.deploy(mqttIngest({ topic: 'plant1/+/telemetry\nplant2/#' }));
  await ready;
  await untilStatus(runtime, 'sensor-ingest.status.listening');
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

test('an edge node whose birth was missed is asked for it once, and its data is read from then on', async () => {
  const ready = subscribed();
  await runtime.deploy(mqttIngest({ topic: 'spBv1.0/plant/#' }));
  await ready;
  await untilStatus(runtime, 'sensor-ingest.status.listening');
  const tahu = get('spBv1.0')!;
  const encode = (metrics: object[], seq: number): Buffer =>
    Buffer.from(
      tahu.encodePayload({ timestamp: Date.now(), metrics, seq } as Parameters<typeof tahu.encodePayload>[0]),
    );
  const commands: string[] = [];
  publisher.on('message', (topic, payload) => {
    const [{ name, value }] = tahu.decodePayload(payload).metrics!;
    commands.push(`${topic} ${name!} ${JSON.stringify(value)}`);
    publisher.publish('spBv1.0/plant/NBIRTH/edge', encode([{ name: 'bdSeq', type: 'UInt64', value: 1 }], 0));
    publisher.publish(
      'spBv1.0/plant/DBIRTH/edge/press',
      encode([{ name: 'Force', alias: 4, type: 'Double', value: 1.5 }], 1),
    );
    publisher.publish(
      'spBv1.0/plant/DDATA/edge/press',
      encode([{ alias: 4, type: 'Double', value: 3.5, timestamp: Date.now() }], 2),
    );
  });
  await publisher.subscribeAsync('spBv1.0/plant/NCMD/#');
  for (let seq = 7; seq < 9; seq++) {
    publisher.publish(
      'spBv1.0/plant/DDATA/edge/press',
      encode([{ alias: 4, type: 'Double', value: seq, timestamp: Date.now() }], seq),
    );
  }
  const readings = await runtime.collect('readings', 2);
  assert.deepEqual(
    readings.map(({ topic, payload }) => [topic, payload]),
    [1.5, 3.5].map((Force) => ['plant/edge/press', { Force }]),
  );
  assert.deepEqual(commands, ['spBv1.0/plant/NCMD/edge Node Control/Rebirth true']);
  publisher.removeAllListeners('message');
  await publisher.unsubscribeAsync('spBv1.0/plant/NCMD/#');
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
  await untilStatus(runtime, 'sensor-ingest.status.disconnected');
  await runtime.until(() => logged().length > before, 'a line in the log');
  const again = subscribed();
  server.listen(port, '127.0.0.1');
  await again;
  await untilStatus(runtime, 'sensor-ingest.status.listening');
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
    await untilStatus(runtime, 'sensor-ingest.status.denied');
  } finally {
    broker.authenticate = accept;
  }
  await untilStatus(runtime, 'sensor-ingest.status.listening');
  await publisher.publishAsync('plant1/a/telemetry', '{"v":1}', { qos: 1 });
  await runtime.collect('readings', 1);
});

test('a certificate that cannot be read is reported, shown, and does not end the node', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingest-tls-'));
  const file = join(folder, 'client.pem');
  await writeFile(file, 'no certificate');
  runtime.logs.length = 0;
  await runtime.deploy([
    { id: 'tls', type: 'tls-config', cert: file, key: file, ca: '', certType: 'files' },
    { id: 'broker', type: 'edge-broker', url: 'mqtts://127.0.0.1:1', tls: 'tls' },
    ...ingestFlow({ source: 'mqtt', broker: 'broker', topic: 'plant1/+/telemetry' }),
  ]);
  await untilStatus(runtime, 'sensor-ingest.status.config');
  assert.match(JSON.stringify(runtime.logs.map(({ msg }) => String(msg))), /PEM.*Check the certificate/);
  runtime.inject('ingest', { topic: 'by wire', payload: { v: 1 } });
  await runtime.collect('readings', 1);
  await rm(folder, { recursive: true });
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
      ...ingestFlow({ source: 'mqtt', broker: 'broker', ...properties }),
    ];
    await sender.publishAsync('plain/retained', '{"v":0}', { qos: 1, retain: true });
    await runtime.deploy(flow({ topic: 'plain/#' }));
    await runtime.collect('readings', 1);
    await runtime.deploy(flow({ topic: 'plain/#' }));
    await untilStatus(runtime, 'sensor-ingest.status.listening');
    await sender.publishAsync('plain/new', '{"v":1}', { qos: 1 });
    const [first] = await runtime.collect('readings', 1);
    assert.equal(first.topic, 'plain/new');

    await runtime.deploy(flow({ topic: 'shared/+', group: 'line' }));
    await untilStatus(runtime, 'sensor-ingest.status.listening');
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
