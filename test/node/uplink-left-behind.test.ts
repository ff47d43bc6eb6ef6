import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { LedgerReport } from '../../nodes/resilient-uplink/ledger-report';
import type { LeftBehind } from '../../nodes/shared/left-behind';
import { LOG, TestRuntime, type FlowNode } from '../support/runtime';
import { flow, type Uplinked } from '../support/uplink-flow';

let runtime: TestRuntime;
let url: string;
let accepts = true;
const requests: { key: string; topic: string; body: string }[] = [];
let count = 0;

const server = createServer((request: IncomingMessage, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    const key = String(request.headers['idempotency-key']);
    if (accepts) {
      requests.push({ key, topic: decodeURIComponent(String(request.headers['edge-topic'])), body });
    }
    response.statusCode = accepts ? (body.startsWith('bad') ? 422 : 204) : 503;
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

const nextId = (): string => `left${++count}`;
const web = (): FlowNode => ({ id: 'web', type: 'edge-http', name: 'web', url });

async function get<T>(path: string): Promise<T> {
  return (await (await fetch(`${runtime.url}${path}`)).json()) as T;
}

async function leftBehind(): Promise<LeftBehind[]> {
  return (await get<{ leftBehind: LeftBehind[] }>('/edge/status')).leftBehind;
}

function adopt(id: string, body: object): Promise<Response> {
  return fetch(`${runtime.url}/edge/resilient-uplink/${id}/adopt`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Leaves messages behind in the store of a node that is deployed, fed and deleted. */
async function orphan(payloads: unknown[], config: object = {}, more: FlowNode[] = []): Promise<LeftBehind> {
  const id = nextId();
  await runtime.deploy([...more, ...flow(id, [], config)]);
  payloads.forEach((payload, n) => runtime.inject(id, { topic: `t/${n % 2}`, payload }));
  await runtime.collect(`done-${id}`, payloads.length);
  await runtime.deploy(more);
  const store = (await leftBehind()).find(({ node }) => node === id);
  assert.ok(store, 'what is left is listed');
  return store;
}

/** Waits until nothing is adopted any more. */
function adoptionsEnd(): Promise<void> {
  const folder = join(runtime.userDir, 'edge', 'uplink');
  return runtime.until(
    () => readdirSync(folder).every((name) => !name.includes('-by-')),
    'what was adopted is set aside',
  );
}

/** Deploys an uplink that delivers to the test's server. */
async function heir(config: object = {}, more: FlowNode[] = []): Promise<string> {
  const id = nextId();
  requests.length = 0;
  accepts = true;
  await runtime.deploy([...more, ...flow(id, [web()], config)]);
  return id;
}

test('what a deleted node leaves is listed and told, and another delivers it under its old ids, with a ledger without a gap', async () => {
  const startedAt = Date.now();
  const store = await orphan(['a', 'b', { c: 1 }, 'd', 'e']);
  assert.equal(store.messages, 5);
  assert.equal(store.deadLetters, 0);
  assert.ok(store.bytes > 5);
  assert.ok(store.oldestMs !== null && store.oldestMs >= startedAt - 1000 && store.oldestMs <= Date.now());
  const told = runtime.logs.filter(
    ({ level, msg }) => level === LOG.warn && String(msg).includes(store.store),
  );
  assert.match(String(told[0].msg), /5 messages .*msg\.operation = "adopt"/);

  const id = await heir();
  const answer = await adopt(id, { store: store.store });
  assert.equal(answer.status, 200);
  const delivered = (await runtime.collect(`delivered-${id}`, 6)) as Uplinked[];
  const own = requests.filter(({ topic }) => !topic.startsWith('edge/ledger/'));
  assert.deepEqual(
    own.map(({ key }) => key).sort(),
    [1, 2, 3, 4, 5].map((sequence) => `${store.store}:${sequence}`),
  );
  assert.deepEqual(own.map(({ body }) => body).sort(), ['a', 'b', 'd', 'e', '{"c":1}']);
  assert.ok(delivered.some(({ uplink }) => uplink.id === `${store.store}:3`));

  await adoptionsEnd();
  assert.deepEqual(await leftBehind(), []);
  const published = requests.filter(({ topic }) => topic === `edge/ledger/${store.store}`);
  const ledger = JSON.parse(published.at(-1)?.body ?? '{}') as LedgerReport;
  assert.equal(ledger.counts.pending, 0);
  assert.equal(ledger.ranges[0].from, 1);
  assert.equal(
    Object.values(ledger.counts.delivered).reduce((sum, each) => sum + each, 0),
    ledger.to,
    'all that the old store had numbered is delivered',
  );
});

test('an export gives every message and dead letter and takes nothing away', async () => {
  const refused = nextId();
  await runtime.deploy(flow(refused, [web()]));
  accepts = true;
  runtime.inject(refused, { topic: 't', payload: 'bad luck' });
  await runtime.collect(`undeliverable-${refused}`, 1);
  await runtime.deploy(flow(refused, []));
  const payloads = [{ n: 1 }, 'text', Buffer.from([0, 255]), NaN];
  payloads.forEach((payload) => runtime.inject(refused, { topic: 'plant/a', payload, priority: 'alert' }));
  await runtime.collect(`done-${refused}`, payloads.length);
  await runtime.deploy([]);
  const store = (await leftBehind()).find(({ node }) => node === refused);
  assert.equal(store?.messages, 4);
  assert.equal(store.deadLetters, 1);

  const response = await fetch(`${runtime.url}/edge/uplink-stores/export?store=${store.store}`);
  assert.match(response.headers.get('content-type') ?? '', /ndjson/);
  const lines = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const { store: uuid } = store;
  assert.deepEqual(
    lines.map(({ id, topic, priority, kind, payload, encoding }) => [
      id,
      topic,
      priority,
      kind,
      payload,
      encoding,
    ]),
    [
      [`${uuid}:2`, 'plant/a', 'alert', 'json', { n: 1 }, undefined],
      [`${uuid}:3`, 'plant/a', 'alert', 'text', 'text', undefined],
      [`${uuid}:4`, 'plant/a', 'alert', 'binary', 'AP8=', 'base64'],
      [`${uuid}:5`, 'plant/a', 'alert', 'json', 'NaN', undefined],
      [`${uuid}:1`, 't', 'normal', 'text', 'bad luck', undefined],
    ],
  );
  assert.match((lines[4].deadLetter as { reason: string }).reason, /422/);
  assert.ok(lines.every(({ storedMs }) => typeof storedMs === 'number'));
  assert.deepEqual(await leftBehind(), [store]);
  assert.equal((await fetch(`${runtime.url}/edge/uplink-stores/export?store=${store.store}x`)).status, 404);
  assert.equal((await fetch(`${runtime.url}/edge/uplink-stores/export`)).status, 400);

  // Dead letters go along when it is asked for; refused again, they are kept.
  const id = await heir();
  assert.equal((await adopt(id, { store: store.file, deadLetters: true })).status, 200);
  const [again] = (await runtime.collect(`undeliverable-${id}`, 1)) as Uplinked[];
  assert.equal((again.error?.details as { id: string }).id, `${store.store}:1`);
  await adoptionsEnd();
  const [left] = await leftBehind();
  assert.deepEqual([left.store, left.messages, left.deadLetters], [store.store, 0, 1]);
  assert.equal((await adopt(id, { store: store.store })).status, 400, 'nothing but dead letters');
  rmSync(dirname(left.file), { recursive: true });
});

test('msg.operation adopts too, an adoption goes on after a restart of the node, and the old node begins anew', async () => {
  const store = await orphan(['one', 'two']);
  const id = await heir();
  accepts = false;
  runtime.inject(id, { operation: 'adopt', payload: store.store });
  const [answer] = await runtime.collect(`delivered-${id}`, 1);
  assert.equal((answer.payload as { adopted: LeftBehind }).adopted.messages, 2);
  assert.deepEqual(await leftBehind(), [], 'it has an owner');
  runtime.inject(id, { operation: 'stats' });
  await runtime.until(
    () =>
      runtime
        .messages(`delivered-${id}`)
        .some(
          ({ payload }) => (payload as { adopted?: { messages: number }[] }).adopted?.[0]?.messages === 2,
        ) || (runtime.inject(id, { operation: 'stats' }), false),
    'the adopted store in the statistics',
  );
  // The node that was deleted comes back while its old store is another's.
  const old = flow(store.node, [web()]).filter((node) => node.id !== 'web');
  const both = [
    ...flow(id, [web()], { name: 'changed' }),
    ...old.map((node) =>
      node.id === 'catch' || node.id === 'complete' ? { ...node, id: `${node.id}-2` } : node,
    ),
  ];
  requests.length = 0;
  accepts = true;
  await runtime.deploy(both);
  runtime.inject(store.node, { topic: 't', payload: 'fresh' });
  await runtime.until(() => requests.filter(({ topic }) => topic.startsWith('t')).length >= 3, 'all three');
  const keys = new Map(requests.map(({ key, body }) => [body, key]));
  assert.equal(keys.get('one'), `${store.store}:1`);
  assert.equal(keys.get('two'), `${store.store}:2`);
  assert.notEqual(keys.get('fresh')?.split(':')[0], store.store);
  await adoptionsEnd();
});

test('the store of a gateway whose data folder was changed is found, and a running one is nobody else’s', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-left-'));
  const gateway = (dataDir: string): FlowNode => ({
    id: 'gw',
    type: 'edge-gateway',
    gatewayId: 'gw',
    dataDir,
  });
  const id = nextId();
  try {
    const first = join(folder, 'first');
    await runtime.deploy([gateway(first), ...flow(id, [], { gateway: 'gw' })]);
    runtime.inject(id, { topic: 't', payload: 'moved' });
    await runtime.collect(`done-${id}`, 1);
    const running = join(first, 'uplink', id, 'outbox.db');
    assert.deepEqual(await leftBehind(), []);
    assert.equal((await adopt(id, { store: running })).status, 404);
    requests.length = 0;
    await runtime.deploy([gateway(join(folder, 'second')), ...flow(id, [web()], { gateway: 'gw' })]);
    const [left] = await leftBehind();
    assert.equal(left.file, running);
    assert.equal((await adopt(id, { store: left.store })).status, 200);
    await runtime.collect(`delivered-${id}`, 1);
    assert.deepEqual(requests[0], { key: `${left.store}:1`, topic: 't', body: 'moved' });
    await runtime.until(
      () => existsSync(join(first, 'uplink', `${id}.adopted-1`, 'outbox.db')),
      'what was adopted is set aside',
    );
    await runtime.deploy([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a request that names nothing is refused with what to do', async () => {
  const id = await heir();
  assert.equal((await adopt(id, {})).status, 400);
  assert.equal((await adopt(id, { store: '../../etc/passwd' })).status, 404);
  runtime.inject(id, { operation: 'adopt', payload: 7 });
  const [caught] = (await runtime.collect(`caught-${id}`, 1)) as Uplinked[];
  assert.match(caught.error?.message ?? '', /uplink-stores/);
});
