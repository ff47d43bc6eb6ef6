import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test, type TestContext } from 'node:test';
import { compileFunction } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { connectAsync } from 'mqtt';
import type { LedgerReport } from '../../nodes/resilient-uplink/ledger-report';
import type { EdgeMessage } from '../../nodes/shared/messages';
import { Mosquitto } from '../support/mosquitto';
import { TestRuntime, type FlowNode } from '../support/runtime';
import { Station } from '../support/station';
import { TcpProxy } from '../support/tcp-proxy';
import { readFlow } from '../support/template';
import { needProgram } from '../support/tools';
import { flow, type Uplinked } from '../support/uplink-flow';

interface Edge {
  id: string;
  store: string;
  sequence: number;
  stored?: number;
  replay: boolean;
}
type Passed = EdgeMessage & { edge?: Edge };
interface Completeness {
  store: string;
  to: number;
  delivered: number;
  missing: number;
  missingRanges: { from: number; to: number }[];
  before: number;
}

let runtime: TestRuntime;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

/** The flow as it ships, with sinks for its debug nodes and a test's own broker, on whatever page the rest is. */
function receiver(port: number): FlowNode[] {
  return readFlow('dedupe')
    .filter(({ type }) => type !== 'tab' && type !== 'comment')
    .map((node): FlowNode => {
      const { z, ...kept } = node;
      assert.ok(z === 'edge-dd' || node.type === 'mqtt-broker');
      if (node.type === 'debug') {
        return { id: node.id, type: 'test-sink', wires: [] };
      }
      return node.type === 'mqtt-broker'
        ? { ...kept, id: node.id, type: node.type, port: String(port) }
        : { ...kept, id: node.id, type: node.type };
    });
}

/** The function of a node, run by itself. */
function runner(id: string, change: (code: string) => string = (code) => code) {
  const { func } = readFlow('dedupe').find((node) => node.id === id) as { func?: string };
  const run = compileFunction(change(func ?? ''), ['msg', 'context', 'node']) as (
    msg: object,
    context: object,
    node: object,
  ) => (Passed | null)[];
  const memory = new Map<string, string>();
  const context = {
    get: (key: string): unknown => (memory.has(key) ? JSON.parse(memory.get(key) ?? '') : undefined),
    // As a store on disk would.
    set: (key: string, value: unknown) => memory.set(key, JSON.stringify(value)),
  };
  return (msg: object) => run(msg, context, { status: () => undefined });
}

/** Messages over a link that loses acknowledgements: what arrived at the broker, and what the deduper passed. */
async function throughBadLink(t: TestContext, id: string, config: object): Promise<void> {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  const mosquitto = await Mosquitto.start(program);
  const proxy = await TcpProxy.start(mosquitto.port);
  const wire: string[] = [];
  const observer = await connectAsync(mosquitto.url, { protocolVersion: 5 });
  try {
    observer.on('message', (_topic, payload, { properties }) => {
      const isPacked = properties?.userProperties?.['content-encoding'] === 'gzip';
      const text = (isPacked ? gunzipSync(payload) : payload).toString();
      const { messages } = JSON.parse(text) as { messages?: { id: string }[] };
      const alone = String(properties?.userProperties?.['edge-id']);
      wire.push(...(messages ? messages.map((entry) => entry.id) : [alone]));
    });
    await observer.subscribeAsync('#', { qos: 1 });
    const cloud = { id: 'cloud', type: 'edge-broker', name: 'cloud', url: proxy.url };
    await runtime.deploy([...receiver(mosquitto.port), ...flow(id, [cloud], config)]);
    await runtime.until(() => runtime.status('edge-dd-mqtt')?.fill === 'green', 'the receiver to subscribe');
    const total = 600;
    const rounds = 6;
    const send = (from: number, to: number): void => {
      for (let number = from; number < to; number++) {
        runtime.inject(id, { topic: `press/${number % 3}`, payload: { number } });
      }
    };
    for (let round = 0; round < rounds; round++) {
      const first = (round * total) / rounds;
      send(first, first + 10);
      await runtime.collect(`delivered-${id}`, first + 10, 30_000);
      await runtime.until(() => new Set(wire).size >= first + 10, 'the first of them at the broker');
      const arrived = wire.length;
      proxy.freeze('down');
      send(first + 10, first + total / rounds);
      await runtime.until(() => wire.length > arrived, 'messages whose acknowledgement is lost');
      proxy.cut();
      proxy.heal();
    }
    const delivered = (await runtime.collect(`delivered-${id}`, total, 30_000)) as Uplinked[];
    const ids = new Set(delivered.map(({ uplink }) => uplink.id));
    assert.equal(ids.size, total);
    await runtime.until(() => new Set(wire).size >= total, 'everything at the broker');
    const duplicates = wire.length - total;
    assert.ok(duplicates > 0, 'no acknowledgement was lost');
    t.diagnostic(`${duplicates} duplicates on the wire`);
    const passed = (await runtime.collect('edge-dd-out', total)) as Passed[];
    // The ledger, as the uplink publishes it every hour.
    runtime.inject(id, { operation: 'ledger' });
    const reply = (await runtime.collect(`delivered-${id}`, total + 1)).at(-1);
    const report = reply?.payload as LedgerReport;
    runtime.inject(id, { topic: `plant/edge/ledger/${report.store}`, payload: report });
    const [{ payload }] = await runtime.collect('edge-dd-complete', 1);
    const { missing, delivered: told, before: early } = payload as Completeness;
    assert.deepEqual({ missing, told, early }, { missing: 0, told: total, early: 0 });
    // The broker has sent everything to the receiver by now.
    assert.equal(passed.length, total + 1, 'each once, and the ledger');
    assert.deepEqual(new Set(passed.slice(0, total).map(({ edge }) => edge?.id)), ids);
    assert.deepEqual(
      passed
        .slice(0, total)
        .map((msg) => (msg.payload as { number: number }).number)
        .sort((a, b) => a - b),
      Array.from({ length: total }, (_, number) => number),
    );
    assert.ok(passed.every(({ edge }) => Math.abs(Date.now() - (edge?.stored ?? 0)) < 120_000));
    assert.match(runtime.status('edge-dd-once')?.text ?? '', /^601 passed, \d+ dropped, complete to \d+$/);
  } finally {
    await observer.endAsync(true);
    await proxy.close();
    await mosquitto.stop();
  }
}

test('where acknowledgements are lost each message passes the flow dedupe once, and it is complete', (t) =>
  throughBadLink(t, 'single', {}));

test('in compressed batches too', (t) =>
  throughBadLink(t, 'batched', { batchSize: 20, batchDelayMs: 10, compression: 'gzip' }));

test('over HTTP a message passes once and is answered each time, also after a restart with a memory on disk', async () => {
  const nodes = [{ id: 'tab', type: 'tab', label: 't' }, ...receiver(1)]
    .filter(({ type }) => !type.startsWith('mqtt'))
    .map((node): FlowNode => {
      const { func } = node as { func?: string };
      return {
        ...node,
        ...(node.type !== 'tab' && { z: 'tab' }),
        ...(func !== undefined && { func: func.replace("STORE = 'default'", "STORE = 'disk'") }),
      };
    });
  const settings = { contextStorage: { default: { module: 'memory' }, disk: { module: 'localfilesystem' } } };
  const station = await Station.start({ flow: nodes, settings });
  const passed: Passed[] = [];
  station.on('sink', (id: string, msg: Passed) => {
    if (id === 'edge-dd-out') {
      passed.push(msg);
    }
  });
  const store = randomUUID();
  const post = async (sequence: number, topic: string): Promise<number> =>
    (
      await fetch(`${station.url}/edge/in`, {
        method: 'POST',
        body: JSON.stringify({ sequence }),
        headers: {
          'content-type': 'application/json',
          'idempotency-key': `${store}:${sequence}`,
          'edge-topic': encodeURI(topic),
          'edge-stored': '1767225600000',
          'edge-replay': '1',
        },
      })
    ).status;
  try {
    assert.deepEqual(
      [await post(7, 'Prüfstand/1'), await post(7, 'Prüfstand/1'), await post(9, 'b')],
      [204, 204, 204],
    );
    await station.shutDown();
    await station.launch();
    assert.deepEqual([await post(7, 'Prüfstand/1'), await post(9, 'b'), await post(8, 'c')], [204, 204, 204]);
    assert.deepEqual(
      passed.map(({ topic, payload, edge }) => [topic, payload, edge]),
      (
        [
          [7, 'Prüfstand/1'],
          [9, 'b'],
          [8, 'c'],
        ] as const
      ).map(([sequence, topic]) => [
        topic,
        { sequence },
        { id: `${store}:${sequence}`, store, sequence, stored: 1_767_225_600_000, replay: true },
      ]),
    );
  } finally {
    await station.stop();
  }
});

test('whatever the order and however small the memory, nothing is dropped that was not seen', () => {
  const store = randomUUID();
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 200 }),
      fc.constantFrom(2, 1000),
      (sequences, most) => {
        const once = runner('edge-dd-once', (code) =>
          code.replace('MOST_RANGES = 1000', `MOST_RANGES = ${most}`),
        );
        const seen = new Set<number>();
        for (const sequence of sequences) {
          const [passed] = once({
            topic: 't',
            payload: 1,
            edge: { id: `${store}:${sequence}`, store, sequence },
          });
          assert.ok(passed || seen.has(sequence), `${sequence} was dropped unseen`);
          assert.ok(!passed || !seen.has(sequence) || most < 1000, `${sequence} passed twice`);
          seen.add(sequence);
        }
      },
    ),
  );
});

test('what is missing is told by number, apart from what came before this flow listened', () => {
  const store = randomUUID();
  const once = runner('edge-dd-once');
  const send = (sequence: number, topic = 't', payload: unknown = 1) =>
    once({ topic, payload, edge: { id: `${store}:${sequence}`, store, sequence } });
  [5, 6, 9, 12].forEach((sequence) => send(sequence));
  const counts = {
    delivered: { cloud: 11 },
    expired: 0,
    evicted: 0,
    rejected: 1,
    corrupt: 0,
    unrecorded: 0,
    pending: 1,
  };
  const ranges = [
    { from: 1, to: 6, fate: 'delivered', connection: 'cloud', count: 6 },
    { from: 7, to: 7, fate: 'rejected', count: 1 },
    { from: 8, to: 12, fate: 'delivered', connection: 'cloud', count: 5 },
    { from: 13, to: 13, fate: 'pending', count: 1 },
  ];
  const ledger = { store, at: 1, from: 1, to: 13, last: 13, ranges, counts };
  const [, told] = send(13, `site/edge/ledger/${store}`, ledger);
  const { missing, missingRanges, before: early, delivered } = told?.payload as Completeness;
  assert.deepEqual(
    { missing, missingRanges, early, delivered },
    {
      missing: 3,
      missingRanges: [
        { from: 8, to: 8 },
        { from: 10, to: 11 },
      ],
      early: 4,
      delivered: 11,
    },
  );
  const [, foreign] = send(14, `edge/ledger/${store}`, { ...ledger, store: randomUUID() });
  assert.equal(foreign, null, 'a ledger that another store sends in its name');
});

test('what comes from no uplink passes as it is', () => {
  const msg = { topic: 'other', payload: '{"y":2}', _msgid: '1' };
  const opened = runner('edge-dd-open')(msg);
  assert.deepEqual(opened, msg);
  assert.deepEqual(runner('edge-dd-once')(msg), [msg, null, null]);
});
