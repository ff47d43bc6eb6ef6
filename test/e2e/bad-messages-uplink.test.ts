import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { errorOf, MessageBench } from '../support/bad-messages';
import { TestRuntime, type FlowNode } from '../support/runtime';

let runtime: TestRuntime;
let bench: MessageBench;
const received: string[] = [];
/** Refuses for good what says so; the address of nobody is one that refuses to connect. */
const server = createServer((request, response) => {
  request.setEncoding('utf8');
  let body = '';
  request.on('data', (text: string) => (body += text));
  request.on('end', () => {
    received.push(body);
    response.writeHead(body.includes('refuse') ? 422 : 200).end();
  });
});
before(async () => {
  server.listen(0, '127.0.0.1');
  runtime = await TestRuntime.start();
  bench = new MessageBench(runtime);
});
after(async () => {
  await runtime.stop();
  server.closeAllConnections();
  server.close();
});

const UPLINK = { type: 'resilient-uplink', retryMinMs: 20, retryMaxMs: 50, limitMB: 0.01 };

function connections(): FlowNode[] {
  const { port } = server.address() as AddressInfo;
  return [
    { id: 'cloud', type: 'edge-http', name: 'cloud', url: `http://127.0.0.1:${port}/in` },
    { id: 'nobody', type: 'edge-http', name: 'nobody', url: 'http://127.0.0.1:9/in' },
  ];
}

async function deliver(id: string, payload: unknown): Promise<void> {
  const count = runtime.messages(`${id}-out0`).length;
  assert.deepEqual((await bench.send(id, { topic: 't', payload })).done, [{ error: undefined }]);
  const delivered = await runtime.collect(`${id}-out0`, count + 1);
  assert.deepEqual(delivered[count].payload, payload);
}

test('resilient-uplink: what cannot be sent comes out of output 2 as it came, and the next one is delivered', async () => {
  await bench.deploy(
    [
      { id: 'up', name: 'to the cloud', ...UPLINK, connections: ['cloud'] },
      { id: 'hash', ...UPLINK, connections: ['cloud'], hash: ['payload.who'] },
      { id: 'fixed', ...UPLINK, connections: ['cloud'], topic: 'plant/{topic}', content: 'message' },
    ],
    connections(),
    { hash: { hashKey: 'secret' } },
  );
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  const cases: [id: string, msg: object, code: string, names: RegExp][] = [
    ['up', { payload: 1 }, 'TOPIC', /msg\.topic/],
    ['up', { topic: 5, payload: 1 }, 'TOPIC', /msg\.topic/],
    ['up', { topic: 'plant/#', payload: 1 }, 'TOPIC', /msg\.topic/],
    ['up', { topic: 'a\u0000b', payload: 1 }, 'TOPIC', /msg\.topic/],
    ['up', { topic: 'x'.repeat(70_000), payload: 1 }, 'TOPIC', /msg\.topic/],
    ['fixed', { topic: '', payload: 1 }, 'TOPIC', /msg\.topic/],
    ['up', { topic: 't', payload: Buffer.alloc(6000) }, 'TOO_LARGE', /msg\.payload/],
    ['up', { topic: 't', payload: cyclic }, 'UNSERIALISABLE', /msg\.payload/],
    ['up', { topic: 't', payload: 7n }, 'UNSERIALISABLE', /msg\.payload/],
    ['up', { topic: 't', payload: { deep: [7n] } }, 'UNSERIALISABLE', /msg\.payload/],
    ['up', { topic: 't', payload: Symbol('s') }, 'UNSERIALISABLE', /msg\.payload/],
    ['fixed', { topic: 't', payload: 1, state: cyclic }, 'UNSERIALISABLE', /msg/],
    ['hash', { topic: 't', payload: { who: cyclic } }, 'UNSERIALISABLE', /"hash"/],
  ];
  for (const [id, msg, code, names] of cases) {
    const error = await bench.reject(id, msg, 1, code);
    assert.match(error.message, names);
    await deliver(id, { good: code });
  }
  assert.ok(
    received.every((body) => body.includes('good')),
    'no bad message was sent',
  );
  const { caught } = await bench.send('up', { operation: 'requeue', payload: { ids: 5 } });
  assert.equal(errorOf(caught[0])?.code, 'OPERATION');
  await deliver('up', { good: 'after OPERATION' });
});

test('resilient-uplink: a permanent refusal comes out of output 2 and holds nothing up', async () => {
  await bench.deploy([{ id: 'refused', ...UPLINK, connections: ['cloud'] }], connections());
  const payload = { text: 'refuse me' };
  assert.deepEqual((await bench.send('refused', { topic: 't', payload })).done, [{ error: undefined }]);
  const [rejected] = await runtime.collect('refused-out1', 1);
  assert.deepEqual([errorOf(rejected)?.code, rejected.payload], ['REJECTED', payload]);
  assert.match(errorOf(rejected)?.message ?? '', /422/);
  await deliver('refused', { good: 1 });
  assert.equal(runtime.messages('refused-out1').length, 1);
});

test('resilient-uplink: without room or time, messages end where the contract says', async () => {
  const dead = { ...UPLINK, connections: ['nobody'] };
  await bench.deploy(
    [
      { id: 'expires', ...dead },
      { id: 'evicts', ...dead, overflow: 'drop-oldest' },
      { id: 'full', ...dead, overflow: 'reject' },
    ],
    connections(),
  );
  const large = (letter: string): object => ({ topic: 't', payload: letter.repeat(4500) });
  await bench.send('expires', { topic: 't', payload: 'short-lived', ttl: 0.05 });
  for (const letter of ['a', 'b', 'c']) {
    assert.deepEqual((await bench.send('evicts', large(letter))).done, [{ error: undefined }], letter);
  }
  for (const letter of ['a', 'b']) {
    assert.deepEqual((await bench.send('full', large(letter))).done, [{ error: undefined }], letter);
  }
  const refused = await bench.refuse('full', large('c'), 'OUTBOX_FULL');
  assert.match(refused.message, /"limitMB"/);
  assert.deepEqual((await bench.send('full', { topic: 't', payload: 'fits' })).done, [{ error: undefined }]);
  const statistics = await bench.accept('full', { operation: 'stats' }, 0);
  assert.equal((statistics.payload as { queueMessages?: number }).queueMessages ?? 3, 3);
  const ends: [string, string, unknown, RegExp][] = [
    ['expires', 'EXPIRED', 'short-lived', /"ttl"/],
    ['evicts', 'EVICTED', 'a'.repeat(4500), /"limitMB"/],
  ];
  for (const [id, code, payload, names] of ends) {
    const [ended] = await runtime.collect(`${id}-out1`, 1);
    assert.deepEqual([errorOf(ended)?.code, ended.payload], [code, payload]);
    assert.equal(errorOf(ended)?.source.id, id);
    assert.match(errorOf(ended)?.message ?? '', names);
    assert.deepEqual((await bench.send(id, { topic: 't', payload: 'next' })).done, [{ error: undefined }]);
  }
});

test('a wrong property turns its node red and leaves the rest of the flow at work', async () => {
  const wrong: [string, Record<string, unknown>, string][] = [
    ['sensor-ingest', { window: 'weekly' }, 'window'],
    ['onnx-detect', { model: 'builtin:cnc-failure', votes: 5, voteWindow: 2 }, 'votes'],
    ['iso-forest', { trees: -1, persist: false }, 'trees'],
    ['crdt-state', { strategy: 'newest', persist: false }, 'strategy'],
    ['resilient-uplink', { limitMB: 'plenty' }, 'limitMB'],
    ['edge-gateway', { site: ['a', 'b'] }, 'site'],
  ];
  const nodes = wrong.flatMap(([type, config]) => [{ id: `bad-${type}`, type, ...config }]);
  await bench.deploy(
    [
      ...nodes.filter(({ type }) => type !== 'edge-gateway'),
      { id: 'ingest', type: 'sensor-ingest' },
      { id: 'forest', type: 'iso-forest', persist: false },
      { id: 'state', type: 'crdt-state', persist: false },
      { id: 'up', ...UPLINK, connections: ['cloud'] },
    ],
    [...connections(), ...nodes.filter(({ type }) => type === 'edge-gateway')],
  );
  for (const [type, , property] of wrong.slice(0, 5)) {
    const id = `bad-${type}`;
    assert.equal(runtime.status(id)?.fill, 'red', type);
    const msg = { topic: 't', payload: { v: 1 } };
    const error =
      type === 'sensor-ingest'
        ? await bench.reject(id, msg, 2, 'CONFIG')
        : await bench.refuse(id, msg, 'CONFIG');
    assert.match(error.message, new RegExp(`"${property}"`));
  }
  for (const [type, , property] of wrong) {
    const logged = runtime.problems().find(({ id }) => id === `bad-${type}`);
    assert.match(String(logged?.msg), new RegExp(`"${property}"`), type);
  }
  await bench.accept('ingest', { topic: 't', payload: { v: 1 } }, 0);
  await bench.accept('forest', { topic: 't', payload: { v: 1 } }, 1);
  await bench.accept('state', { topic: 't', payload: { v: 1 } }, 0);
  await deliver('up', { good: 1 });
});
