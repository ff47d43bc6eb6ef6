import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { after, before, test } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import type { RemoteReport } from '../../nodes/edge-gateway/remote/remote-configuration';
import type { Maintenance, MaintenanceReport } from '../../nodes/shared/detection/maintenance';
import type { Telemetry } from '../../nodes/edge-gateway/telemetry';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { MqttServer } from '../support/mqtt-server';
import { TestRuntime, type FlowNode } from '../support/runtime';

const keys = generateKeyPairSync('ed25519');
const PUBLIC_KEY = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const TOPIC = 'edge/gateway/gw-9/config';

let runtime: TestRuntime;
let server: MqttServer;
let cloud: MqttClient;
const reports: RemoteReport[] = [];

before(async () => {
  runtime = await TestRuntime.start();
  server = await MqttServer.start();
  cloud = await connectAsync(server.url);
  await cloud.subscribeAsync(`${TOPIC}/reported`, { qos: 1 });
  cloud.on('message', (_topic, payload) => reports.push(JSON.parse(payload.toString()) as RemoteReport));
});
after(async () => {
  await runtime.stop();
  await cloud.endAsync(true);
  await server.die();
});

function flow(remote: object = {}): FlowNode[] {
  return [
    { id: 'broker', type: 'edge-broker', url: server.url, protocolVersion: '4' },
    {
      ...{ id: 'gateway', type: 'edge-gateway', name: 'press shop', gatewayId: 'gw-9', site: 'plant1' },
      ...{ telemetryBroker: 'broker', telemetryInterval: 1, ...remote },
    },
    {
      ...{ id: 'model', type: 'onnx-detect', name: 'Known failures', model: 'builtin:cnc-failure' },
      wires: [['flagged'], ['clear']],
    },
    {
      ...{ id: 'forest', type: 'iso-forest', name: 'Unusual', persist: false, warmup: 10, history: 50 },
      ...{ thresholdMode: 'score', scoreThreshold: 1, wires: [['flagged'], ['clear']] },
    },
    { id: 'uplink', type: 'resilient-uplink', gateway: 'gateway', connections: [], wires: [[], []] },
    { id: 'flagged', type: 'test-sink' },
    { id: 'clear', type: 'test-sink' },
  ];
}

const REMOTE = { remote: true, remoteKey: PUBLIC_KEY };

interface Desired {
  version: number;
  gateway: string;
  settings: object;
}

/** Publishes a document and resolves with what the gateway says of it, not of one that it had before. */
async function publish(document: Desired, key = keys.privateKey): Promise<RemoteReport> {
  const known = reports.length;
  const text = JSON.stringify(document);
  const signature = sign(null, Buffer.from(text), key).toString('base64');
  await cloud.publishAsync(`${TOPIC}/desired`, JSON.stringify({ document: text, signature }), {
    qos: 1,
    retain: true,
  });
  const isOfIt = ({ status, version }: RemoteReport): boolean =>
    status === 'refused' || version === document.version;
  let report: RemoteReport | undefined;
  await runtime.until(() => (report = reports.slice(known).find(isOfIt)) !== undefined, 'a report');
  return report as unknown as RemoteReport;
}

function telemetry(): Telemetry[] {
  return server.arrived
    .filter(({ topic }) => topic === 'edge/gateway/gw-9/telemetry')
    .map(({ text }) => JSON.parse(text) as Telemetry);
}

async function learn(): Promise<void> {
  for (let row = 0; row < 40; row++) {
    runtime.inject('forest', { topic: 'press', payload: { a: Math.sin(row), b: Math.cos(row * 1.7) } });
  }
  const judged = (): number => runtime.messages('clear').length + runtime.messages('flagged').length;
  await runtime.until(() => judged() === 40, 'forty verdicts');
}

/** What the forest says of a reading like any other. */
async function judge(): Promise<EdgeMessage> {
  const before = { flagged: runtime.messages('flagged').length, clear: runtime.messages('clear').length };
  runtime.inject('forest', { topic: 'press', payload: { a: 0.1, b: 0.1 } });
  await runtime.until(
    () =>
      runtime.messages('flagged').length > before.flagged || runtime.messages('clear').length > before.clear,
    'a verdict',
  );
  return runtime.messages('flagged')[before.flagged] ?? runtime.messages('clear')[before.clear];
}

function thresholdOf(msg: EdgeMessage): number | null | undefined {
  return (msg as { detection?: { threshold: number | null } }).detection?.threshold;
}

test('telemetry says how the gateway fares, and the broker says when it is gone', async () => {
  await runtime.deploy(flow());
  await runtime.until(() => telemetry().length >= 2, 'telemetry twice');
  const [first] = telemetry();
  assert.equal(first.gateway, 'gw-9');
  assert.equal(first.site, 'plant1');
  assert.equal(first.online, true);
  assert.ok(first.host && first.host.rss > 0 && first.host.memoryTotal > 0);
  assert.match(first.versions?.node ?? '', /^v\d+/);
  assert.deepEqual(first.nodes?.map(({ id }) => id).sort(), ['forest', 'model', 'uplink']);
  await runtime.deploy([]);
  await runtime.until(() => telemetry().at(-1)?.online === false, 'a farewell');
});

test('telemetry tells what is under maintenance, and neither by whom nor why', async () => {
  await runtime.deploy(flow());
  const payload = { on: true, until: Date.now() + 3_600_000, by: 'anna', reason: 'Bert is on leave' };
  runtime.inject('forest', { operation: 'maintenance', topic: 'press', payload });
  const maintained = (): object[] =>
    telemetry().flatMap(({ nodes = [] }) =>
      nodes.flatMap(({ details }) => (details as MaintenanceReport | undefined)?.maintenance ?? []),
    );
  await runtime.until(() => maintained().length > 0, 'the maintenance');
  const [{ since, ...told }] = maintained() as Maintenance[];
  assert.deepEqual(told, { source: 'press', until: payload.until });
  assert.ok(since <= Date.now());
  await runtime.deploy([]);
});

test('/edge/metrics gives the figures of every node in the form that Prometheus reads', async () => {
  await runtime.deploy(flow());
  await learn();
  const response = await fetch(`${runtime.url}/edge/metrics`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain;.*version=0\.0\.4/);
  const text = await response.text();
  assert.match(text, /^edge_readings_total\{node="forest"\} 40$/m);
  assert.match(text, /^edge_uplink_queue_messages\{node="uplink"\} 0$/m);
  for (const line of text.trimEnd().split('\n')) {
    assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="(\\.|[^"\\])*",?)+\})? [-+.e\d]+)$/);
  }
});

test('without "remote" a gateway listens to nobody', async () => {
  await runtime.deploy(flow());
  await learn();
  const delivered = reports.length;
  const text = JSON.stringify({ version: 1, gateway: 'gw-9', settings: { forest: { scoreThreshold: 0 } } });
  const signature = sign(null, Buffer.from(text), keys.privateKey).toString('base64');
  await cloud.publishAsync(`${TOPIC}/desired`, JSON.stringify({ document: text, signature }), { qos: 1 });
  const heard = telemetry().length;
  await runtime.until(() => telemetry().length > heard, 'telemetry after that');
  assert.equal(thresholdOf(await judge()), 1);
  assert.equal(reports.length, delivered);
});

test('a signed document sets thresholds while the nodes run, and is reported', async () => {
  await runtime.deploy(flow(REMOTE));
  await learn();
  assert.equal(thresholdOf(await judge()), 1);
  const report = await publish({
    ...{ version: 5, gateway: 'gw-9' },
    settings: { Unusual: { scoreThreshold: 0.01 }, uplink: { replayRate: 50 } },
  });
  assert.equal(report.status, 'applied', report.message);
  assert.equal(report.version, 5);
  const flagged = await judge();
  assert.equal(thresholdOf(flagged), 0.01);
  assert.ok(runtime.messages('flagged').includes(flagged), 'flagged by the new threshold');
});

test('what is in force holds over a deployment and without the broker', async () => {
  await server.die();
  await runtime.deploy(flow(REMOTE));
  await learn();
  assert.equal(thresholdOf(await judge()), 0.01);
  await server.listen();
  await runtime.until(() => cloud.connected, 'the cloud to be back');
});

test('a model is exchanged by its digest; a forged, older or wrong document changes nothing', async () => {
  await runtime.deploy(flow(REMOTE));
  await learn();
  const good = { version: 6, gateway: 'gw-9', settings: { Unusual: { scoreThreshold: 0.02 } } };
  assert.equal((await publish(good)).status, 'applied');
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const digest = 'a'.repeat(64);
  for (const [document, code, key] of [
    [{ ...good, version: 9 }, 'REMOTE_SIGNATURE', stranger],
    [{ ...good, version: 5 }, 'REMOTE_VERSION', undefined],
    [{ ...good, version: 6, settings: {} }, 'REMOTE_VERSION', undefined],
    [{ ...good, version: 7, settings: { forest: { persist: true } } }, 'REMOTE_SETTING', undefined],
    [{ ...good, version: 7, settings: { forest: { scoreThreshold: 7 } } }, 'CONFIG', undefined],
    [
      {
        ...good,
        version: 7,
        settings: { forest: { votes: 1 }, model: { model: 'builtin:cnc-failure', digest } },
      },
      'MODEL_DIGEST',
      undefined,
    ],
  ] as const) {
    const report = await publish(document, key);
    assert.equal(report.status, 'refused');
    assert.equal(report.code, code, report.message);
    assert.equal(report.version, 6, 'what is in force stays');
  }
  assert.equal(thresholdOf(await judge()), 0.02);
  const threshold = { version: 8, gateway: '*', settings: { model: { threshold: 0.4 } } };
  assert.equal((await publish(threshold)).status, 'applied');
  assert.equal(thresholdOf(await judge()), 1, 'what is not mentioned any more is as the flow says');
});
