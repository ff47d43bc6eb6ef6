import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { LedgerReport } from '../../nodes/resilient-uplink/ledger-report';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { TestRuntime } from '../support/runtime';
import { Station } from '../support/station';
import { flow, type Uplinked } from '../support/uplink-flow';

interface Listed {
  store: string;
  messages: number;
  bytes: number;
  deadLetters: {
    id: string;
    topic: string;
    reason: string;
    connection: string;
    when: number;
    size: number;
    kind: string;
    body?: string;
    encoding?: string;
  }[];
  next?: number;
}

let runtime: TestRuntime;
let url: string;
/** What the HTTP destination refuses for good. */
let refuses = (body: string): boolean => body.startsWith('bad');
const requests: { key: string; topic: string; body: string }[] = [];
let count = 0;

const server = createServer((request: IncomingMessage, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    requests.push({
      key: String(request.headers['idempotency-key']),
      topic: decodeURIComponent(String(request.headers['edge-topic'])),
      body,
    });
    response.statusCode = refuses(body) ? 422 : 204;
    response.end();
  });
});

before(async () => {
  server.listen(0, '127.0.0.1');
  server.unref();
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  runtime = await TestRuntime.start();
});
after(async () => {
  await runtime.stop();
  server.closeAllConnections();
  server.close();
});

function collect(sink: string, many: number): Promise<EdgeMessage[]> {
  return runtime.collect(`${sink}-uplink${count}`, many);
}

async function deploy(config: object = {}): Promise<string> {
  const id = `uplink${++count}`;
  requests.length = 0;
  refuses = (body) => body.startsWith('bad');
  await runtime.deploy(flow(id, [{ id: 'web', type: 'edge-http', name: 'web', url }], config));
  return id;
}

/** Asks with `msg.operation` and gives the payload that is answered. */
async function ask<T>(id: string, operation: string, payload?: unknown): Promise<T> {
  const sink = `delivered-${id}`;
  const asked = `${operation} ${Math.random()}`;
  runtime.inject(id, { operation, payload, asked });
  const answers = (): EdgeMessage[] =>
    runtime.messages(sink).filter((msg) => (msg as unknown as { asked?: string }).asked === asked);
  await runtime.until(() => answers().length > 0, `an answer to ${operation}`);
  return answers()[0].payload as T;
}

const list = async (id: string, query = ''): Promise<Listed> =>
  (await (await fetch(`${runtime.url}/edge/resilient-uplink/${id}/dead-letters${query}`)).json()) as Listed;

test('the ledger tells what became of every message, and a redeploy keeps it', async () => {
  const id = await deploy();
  for (const payload of ['one', 'two', 'bad', 'three']) {
    runtime.inject(id, { topic: 'a', payload });
  }
  await collect('delivered', 3);
  await collect('undeliverable', 1);
  const report = await ask<LedgerReport>(id, 'ledger');
  assert.equal(report.store, (await ask<{ store: string }>(id, 'stats')).store);
  assert.deepEqual([report.from, report.to, report.last], [1, 4, 4]);
  assert.deepEqual(report.ranges, [
    { from: 1, to: 2, fate: 'delivered', connection: 'web', count: 2 },
    { from: 3, to: 3, fate: 'rejected', count: 1 },
    { from: 4, to: 4, fate: 'delivered', connection: 'web', count: 1 },
  ]);
  assert.deepEqual(report.counts, {
    delivered: { web: 3 },
    expired: 0,
    evicted: 0,
    rejected: 1,
    corrupt: 0,
    unrecorded: 0,
    pending: 0,
  });
  await runtime.deploy(flow(id, []));
  runtime.inject(id, { topic: 'a', payload: 'waits' });
  await collect('done', 1);
  const later = await ask<LedgerReport>(id, 'ledger', { from: 4 });
  assert.deepEqual(
    later.ranges.map(({ from, to, fate }) => [from, to, fate]),
    [
      [4, 4, 'delivered'],
      [5, 5, 'pending'],
    ],
  );
});

test('what expired and what had to make room is told as such', async () => {
  const id = `uplink${++count}`;
  await runtime.deploy(flow(id, [], { limitMB: 0.02 }));
  runtime.inject(id, { topic: 'a', payload: 'late', ttl: 0.2 });
  const [expired] = (await collect('undeliverable', 1)) as Uplinked[];
  assert.equal(expired.error?.code, 'EXPIRED');
  for (let index = 0; index < 15; index++) {
    runtime.inject(id, { topic: 'a', payload: 'x'.repeat(2000) });
  }
  await collect('done', 16);
  await collect('undeliverable', 5);
  const { ranges, counts } = await ask<LedgerReport>(id, 'ledger');
  assert.deepEqual(ranges[0], { from: 1, to: 1, fate: 'expired', count: 1 });
  assert.deepEqual(
    [ranges[1].from, ranges[1].fate, ranges[2].fate, ranges[2].to],
    [2, 'evicted', 'pending', 16],
  );
  assert.ok(counts.evicted >= 4);
  assert.equal(counts.expired + counts.evicted + counts.pending, 16);
});

test('what was refused for good is listed, requeued with its id and in order, and then delivered', async () => {
  const id = await deploy();
  for (const [topic, payload] of [
    ['a', 'bad 1'],
    ['b', 'bad 2'],
    ['a', 'fine'],
    ['a', 'bad 3'],
  ]) {
    runtime.inject(id, { topic, payload });
  }
  const refused = (await collect('undeliverable', 3)) as Uplinked[];
  assert.ok(refused.every(({ error }) => error?.code === 'REJECTED'));
  const stats = await ask<{ deadLetterMessages: number; deadLetterBytes: number; queueMessages: number }>(
    id,
    'stats',
  );
  assert.deepEqual([stats.deadLetterMessages, stats.deadLetterBytes, stats.queueMessages], [3, 18, 0]);
  const { store, deadLetters, messages, bytes, next } = await list(id);
  assert.deepEqual([messages, bytes, next], [3, 18, undefined]);
  assert.deepEqual(
    deadLetters.map(({ id: letter, topic, size, connection }) => [letter, topic, size, connection]),
    [1, 2, 4].map((sequence, index) => [`${store}:${sequence}`, ['a', 'b', 'a'][index], 6, 'web']),
  );
  assert.match(deadLetters[0].reason, /422/);
  assert.ok(Math.abs(deadLetters[0].when - Date.now()) < 60_000);
  assert.equal(deadLetters[0].body, undefined);
  const exported = await list(id, '?after=1&bodies=true');
  assert.deepEqual(
    exported.deadLetters.map(({ body, encoding, kind }) => [body, encoding, kind]),
    [
      ['bad 2', 'utf8', 'text'],
      ['bad 3', 'utf8', 'text'],
    ],
  );
  requests.length = 0;
  refuses = () => false;
  assert.deepEqual(await ask(id, 'requeue', { topic: 'a' }), { requeued: 2, left: 1 });
  await runtime.until(() => requests.length === 2, 'the requeued messages');
  assert.deepEqual(requests, [
    { key: `${store}:1`, topic: 'a', body: 'bad 1' },
    { key: `${store}:4`, topic: 'a', body: 'bad 3' },
  ]);
  assert.deepEqual(await ask(id, 'requeue', { ids: [refused[1].error?.details?.id, `${store}:1`] }), {
    requeued: 1,
    left: 0,
  });
  await runtime.until(() => requests.length === 3, 'the last one');
  await runtime.until(
    () =>
      (runtime.messages(`delivered-${id}`) as Partial<Uplinked>[]).some(
        ({ uplink, payload }) => uplink?.duplicatePossible && payload === 'bad 2',
      ),
    'its delivery',
  );
  const report = await ask<LedgerReport>(id, 'ledger');
  assert.deepEqual(report.ranges, [{ from: 1, to: 4, fate: 'delivered', connection: 'web', count: 4 }]);
  assert.deepEqual((await list(id)).deadLetters, []);
});

test('requeues everything, also after a restart; binary messages are listed as base64', async () => {
  const id = await deploy();
  refuses = () => true;
  runtime.inject(id, { topic: 'a', payload: Buffer.from([0, 255]) });
  for (let index = 0; index < 600; index++) {
    runtime.inject(id, { topic: `t${index % 5}`, payload: index });
  }
  await collect('undeliverable', 601);
  await runtime.deploy(flow(id, [{ id: 'web', type: 'edge-http', name: 'web', url }]));
  const page = await list(id, '?bodies=true');
  assert.deepEqual([page.messages, page.deadLetters.length], [601, 100]);
  assert.deepEqual([page.deadLetters[0].body, page.deadLetters[0].encoding], ['AP8=', 'base64']);
  assert.equal(page.next, 100);
  assert.equal((await list(id, '?after=600')).deadLetters.length, 1);
  refuses = () => false;
  assert.deepEqual(await ask(id, 'requeue'), { requeued: 601, left: 0 });
  await runtime.until(
    () => runtime.messages(`delivered-${id}`).filter((msg) => 'uplink' in msg).length === 601,
    'all of them',
  );
  assert.equal((await ask<LedgerReport>(id, 'ledger')).counts.delivered.web, 601);
});

test('publishes the ledger through the outbox when the hour is over, once', async () => {
  const id = await deploy({ topic: 'north/{topic}' });
  runtime.inject(id, { topic: 'a', payload: 'one' });
  await collect('delivered', 1);
  await runtime.deploy([]);
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(join(runtime.userDir, 'edge', 'uplink', id, 'outbox.db'));
  database.exec('UPDATE store SET age_ms = 3600001');
  database.close();
  requests.length = 0;
  const nodes = flow(id, [{ id: 'web', type: 'edge-http', name: 'web', url }], { topic: 'north/{topic}' });
  await runtime.deploy(nodes);
  const [published] = (await collect('delivered', 1)) as Uplinked[];
  const report = published.payload as LedgerReport;
  assert.equal(published.topic, `edge/ledger/${report.store}`);
  assert.equal(published.uplink.id, `${report.store}:2`);
  assert.deepEqual(report.counts.delivered, { web: 1 });
  assert.deepEqual(JSON.parse(requests[0].body), report);
  assert.equal(requests[0].topic, `north/edge/ledger/${report.store}`);
  await runtime.deploy(nodes);
  runtime.inject(id, { topic: 'a', payload: 'two' });
  await collect('delivered', 1);
  assert.equal(requests.length, 2, 'the ledger, and the message after it');
});

test('says what it cannot do', async () => {
  const id = await deploy();
  for (const msg of [
    { operation: 'requeue', payload: { ids: ['x:1'] } },
    { operation: 'requeue', payload: { nonsense: true } },
    { operation: 'ledger', payload: { from: -1 } },
  ]) {
    runtime.inject(id, msg);
  }
  const caught = (await collect('caught', 3)) as Uplinked[];
  assert.ok(caught.every(({ error }) => (error as unknown as { code?: string }).code === 'OPERATION'));
  assert.equal((await fetch(`${runtime.url}/edge/resilient-uplink/nobody/dead-letters`)).status, 404);
  const requeue = await fetch(`${runtime.url}/edge/resilient-uplink/nobody/requeue`, { method: 'POST' });
  assert.equal(requeue.status, 404);
  assert.equal(((await requeue.json()) as { code: string }).code, 'NOT_FOUND');
  assert.equal((await fetch(`${runtime.url}/edge/resilient-uplink/${id}/dead-letters?after=x`)).status, 400);
});

test('who may only read flows does not see dead letters, requeues none and tries no connection', async () => {
  const station = await Station.start({
    flow: [{ id: 'tab', type: 'tab', label: 'x' }],
    settings: { adminAuth: { type: 'credentials', users: [], default: { permissions: 'read' } } },
  });
  try {
    assert.equal((await fetch(`${station.url}/flows`)).status, 200);
    assert.equal((await fetch(`${station.url}/edge/resilient-uplink/x/dead-letters`)).status, 401);
    for (const path of ['resilient-uplink/x/requeue', 'edge-broker/test', 'edge-http/test']) {
      assert.equal((await fetch(`${station.url}/edge/${path}`, { method: 'POST' })).status, 401, path);
    }
    const activity = await fetch(`${station.url}/edge/resilient-uplink/x/activity`);
    assert.equal(activity.status, 404, 'figures may be read');
  } finally {
    await station.stop();
  }
});
