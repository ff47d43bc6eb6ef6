import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { StateInfo } from '../../nodes/crdt-state/message';
import { startBroker } from '../../scripts/demo/broker';
import { MqttServer } from '../support/mqtt-server';
import { TestRuntime, type FlowNode } from '../support/runtime';

let runtime: TestRuntime;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

/** Loses a third of the frames at random, repeats some, and loses all while cut. */
const LOSSY = `
if (msg.topic === 'cut') { context.set('cut', msg.payload); return null; }
const seed = ((context.get('seed') || 7) * 48271) % 2147483647;
context.set('seed', seed);
if (context.get('cut') || seed % 3 === 0) { return null; }
return seed % 5 === 0 ? [[msg, RED.util.cloneMessage(msg)]] : msg;`;

function station(letter: string, other: string, properties: object = {}): FlowNode[] {
  return [
    { id: `gateway-${letter}`, type: 'edge-gateway', gatewayId: `gateway ${letter}/1` },
    {
      id: letter,
      type: 'crdt-state',
      gateway: `gateway-${letter}`,
      space: 'line',
      flushMs: 20,
      rules: [
        { pattern: 'load/#', strategy: 'mean' },
        { pattern: 'count/#', strategy: 'counter' },
      ],
      ...properties,
      wires: [[`${letter}-out`], [`${letter}-net`, `${letter}-frames`]],
    },
    { id: `${letter}-net`, type: 'function', func: LOSSY, outputs: 1, wires: [[other]] },
    { id: `${letter}-out`, type: 'test-sink' },
    { id: `${letter}-frames`, type: 'test-sink' },
  ];
}

const CATCH: FlowNode[] = [
  { id: 'catch', type: 'catch', scope: null, wires: [['caught']] },
  { id: 'caught', type: 'test-sink' },
];

interface StateMessage {
  topic?: string;
  payload?: unknown;
  state: StateInfo;
  error?: { message: string; code?: string };
}

function messages(sink: string): StateMessage[] {
  return runtime.messages(sink) as unknown as StateMessage[];
}

function write(node: string, topic: string, payload: unknown, operation?: string): void {
  runtime.inject(node, { topic, payload, ...(operation && { operation }) });
}

/** The latest value that a node has told for a key. */
function latest(letter: string, key: string): unknown {
  return messages(`${letter}-out`).findLast(({ topic }) => topic === key)?.payload;
}

async function ask(node: string, topic: string, operation = 'get'): Promise<StateMessage> {
  const answers = (): StateMessage[] =>
    messages(`${node}-out`).filter(({ state }) => state.origin === 'reply');
  const count = answers().length;
  runtime.inject(node, { topic, operation });
  await runtime.until(() => answers().length > count, `an answer of ${node}`);
  return answers()[count];
}

test('two gateways over a network that loses and repeats become equal, also after a partition', async () => {
  await runtime.deploy([...station('a', 'b'), ...station('b', 'a')]);
  write('a', 'setpoint', { rpm: 1200 });
  await runtime.until(() => latest('b', 'setpoint') !== undefined, 'the setpoint at b');
  assert.deepEqual(latest('b', 'setpoint'), { rpm: 1200 });
  const [told] = messages('b-out');
  assert.equal(told.state.origin, 'remote');

  for (const net of ['a-net', 'b-net']) {
    runtime.inject(net, { topic: 'cut', payload: true });
  }
  write('a', 'load/press', 10);
  write('b', 'load/press', 50);
  for (let i = 0; i < 20; i++) {
    write('a', 'count/parts', undefined, 'increment');
    write('b', 'count/parts', 2, 'increment');
  }
  write('b', 'setpoint', undefined, 'delete');
  await runtime.until(() => latest('a', 'count/parts') === 20 && latest('b', 'count/parts') === 40, 'counts');
  assert.ok((messages('a-out').at(-1)?.state.pending ?? 0) >= 2);

  for (const net of ['a-net', 'b-net']) {
    runtime.inject(net, { topic: 'cut', payload: false });
  }
  const level = (letter: string): boolean =>
    latest(letter, 'load/press') === 30 && latest(letter, 'count/parts') === 60;
  await runtime.until(
    () => level('a') && level('b') && latest('a', 'setpoint') === null,
    'both level',
    30_000,
  );
  const answer = await ask('a', 'load/press');
  assert.deepEqual(
    answer.state.siblings?.map(({ value, gateway }) => [gateway, value]),
    [
      ['gateway a/1', 10],
      ['gateway b/1', 50],
    ],
  );
  write('a', 'load/press', undefined, 'resolve');
  await runtime.until(
    () =>
      messages('b-out').at(-1)?.topic === 'load/press' &&
      messages('b-out').at(-1)?.state.siblings === undefined,
    'the conflict to be settled at b',
    30_000,
  );
  const acknowledged = async (): Promise<boolean> => (await ask('a', 'load/press')).state.pending === 0;
  for (let i = 0; i < 100 && !(await acknowledged()); i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(await acknowledged(), 'everything is acknowledged');
});

test('a gateway that was retired by mistake goes on under another identity and loses nothing', async () => {
  await runtime.deploy([...station('p', 'q'), ...station('q', 'p')]);
  write('q', 'key', 1);
  await runtime.until(() => latest('p', 'key') === 1, 'the value at p');
  const identity = (): string | undefined => messages('q-frames').at(-1)?.topic?.split('.').at(-1);
  const before = identity();
  write('p', '', 'gateway q/1', 'retire');
  const [answer] = await runtime.collect('p-out', 2).then((all) => all.slice(1) as unknown as StateMessage[]);
  assert.deepEqual([answer.payload, answer.state.operation], ['gateway q/1', 'retire']);
  await runtime.until(() => identity() !== before, 'another identity of q', 30_000);
  write('q', 'key', 2);
  await runtime.until(() => latest('p', 'key') === 2, 'the next value at p', 30_000);
  assert.deepEqual((await ask('p', '', 'snapshot')).payload, { key: 2 });
});

test('a restart keeps the state and the identity', async () => {
  const flow = [...station('c', 'c')];
  await runtime.deploy(flow);
  for (const key of ['one', 'two', '__proto__']) {
    write('c', key, `value of ${key}`);
  }
  write('c', 'two', undefined, 'delete');
  write('c', 'count/parts', 7, 'increment');
  await runtime.until(() => latest('c', 'count/parts') === 7, 'the writes');
  const [{ topic }] = await runtime.collect('c-frames', 1);
  await runtime.deploy(flow);
  const { payload } = await ask('c', '', 'snapshot');
  assert.deepEqual(
    payload,
    Object.fromEntries([
      ['one', 'value of one'],
      ['__proto__', 'value of __proto__'],
      ['count/parts', 7],
    ]),
  );
  assert.deepEqual((await ask('c', '', 'keys')).payload, ['__proto__', 'count/parts', 'one']);
  const frames = await runtime.collect('c-frames', 1);
  assert.equal(frames[0].topic?.split('/').at(-1), topic?.split('/').at(-1));
  assert.match(topic ?? '', /^edge\/state\/line\/vv\/gateway%20c%2F1\.[0-9a-f]{12}$/);
});

test('without persist the state is gone after a restart, under a new identity', async () => {
  const flow = station('d', 'd', { persist: false });
  await runtime.deploy(flow);
  write('d', 'key', 1);
  await runtime.until(() => latest('d', 'key') === 1, 'the write');
  const before = (await runtime.collect('d-frames', 1))[0].topic;
  await runtime.deploy(flow);
  const answer = await ask('d', 'key');
  assert.equal(answer.payload, null);
  assert.equal(answer.state.exists, false);
  assert.notEqual((await runtime.collect('d-frames', 1))[0].topic, before);
});

test('every bad message is refused with its code and changes nothing', async () => {
  await runtime.deploy([...station('e', 'e'), ...CATCH]);
  write('e', 'kept', 'as it was');
  await runtime.until(() => latest('e', 'kept') === 'as it was', 'the write');
  const refused: [object, string][] = [
    [{ topic: 'kept', operation: 'explode' }, 'OPERATION'],
    [{ payload: 'gateway nobody', operation: 'retire' }, 'VALUE'],
    [{ topic: '$retired/gateway b', payload: [] }, 'VALUE'],
    [{ topic: 'kept', operation: 'increment' }, 'STRATEGY'],
    [{ topic: 'load/press', payload: 'heavy' }, 'VALUE'],
    [{ topic: 'kept' }, 'VALUE'],
    [{ payload: 1 }, 'VALUE'],
    [{ operation: 'get' }, 'VALUE'],
    [{ topic: 'kept', payload: Buffer.from('x') }, 'VALUE'],
    [{ topic: 'edge/state/line/d/x', payload: Buffer.from('nonsense') }, 'SYNC_VERSION'],
    [{ topic: 'edge/state/line/d/x', payload: Buffer.from([1, 0, 0x90]) }, 'SYNC_INVALID'],
    [{ topic: 'edge/state/other/d/x', payload: Buffer.from([1, 0, 0x90]) }, 'SYNC_INVALID'],
    [{ topic: 'edge/state/line/d/x', payload: Buffer.from([1, 0x80, 0x90]) }, 'SYNC_AUTH'],
  ];
  for (const [index, [msg, code]] of refused.entries()) {
    runtime.inject('e', msg);
    const caught = await runtime.collect('caught', index + 1);
    const { error } = caught[index] as unknown as StateMessage;
    assert.equal(error?.code, code, `${JSON.stringify(msg)}: ${error?.message ?? ''}`);
  }
  assert.deepEqual((await ask('e', '', 'snapshot')).payload, { kept: 'as it was' });
});

test('nodes with the same gateway and space are one replica', async () => {
  const second = station('f', 'f').filter(({ type }) => type === 'crdt-state');
  const other = { ...second[0], id: 'f2', wires: [['f2-out'], []] };
  await runtime.deploy([...station('f', 'f'), other, { id: 'f2-out', type: 'test-sink' }]);
  write('f', 'key', 42);
  const [told] = await runtime.collect('f2-out', 1);
  assert.equal(told.payload, 42);
  assert.equal((await ask('f2', 'key')).payload, 42);

  await runtime.deploy([...station('f', 'f'), { ...other, strategy: 'max' }]);
  const problem = runtime.problems().find(({ id }) => id === 'f2');
  assert.match(String(problem?.msg), /"strategy" differs/);
});

test('frames without the space key are refused, and another strategy is reported once', async () => {
  await runtime.deploy([...station('g', 'h'), ...station('h', 'g'), ...CATCH], {
    g: { spaceKey: 'one secret' },
    h: { spaceKey: 'another' },
  });
  write('g', 'key', 1);
  await runtime.until(() => messages('caught').some(({ error }) => error?.code === 'SYNC_AUTH'), 'a refusal');
  assert.equal((await ask('h', 'key')).state.exists, false);

  await runtime.deploy([...station('i', 'j'), ...station('j', 'i', { strategy: 'max' }), ...CATCH]);
  write('i', 'key', 1);
  await runtime.until(() => latest('j', 'key') === 1, 'the value at j');
  await runtime.until(
    () => messages('caught').filter(({ error }) => error?.code === 'STRATEGY').length >= 2,
    'both to report',
    30_000,
  );
  write('i', 'key', 2);
  await runtime.until(() => latest('j', 'key') === 2, 'the second value at j');
  assert.equal(messages('caught').filter(({ error }) => error?.code === 'STRATEGY').length, 2);
});

test('a broker that stalls does not hold up a deployment, and new settings are taken', async () => {
  const server = await MqttServer.start();
  server.frozen = true;
  const flow = (strategy: string): FlowNode[] => [
    { id: 'broker', type: 'edge-broker', url: server.url, protocolVersion: '4' },
    ...station('n', 'n', { transport: 'mqtt', broker: 'broker', strategy }),
  ];
  await runtime.deploy(flow('mean'));
  await runtime.until(() => server.publishing > 0, 'a frame that is not acknowledged');
  const before = Date.now();
  await runtime.deploy(flow('max'));
  assert.ok(Date.now() - before < 8000, `it took ${Date.now() - before} ms`);
  write('n', 'key', 1);
  await runtime.until(() => latest('n', 'key') === 1, 'a write with the new settings');
  await runtime.deploy([]);
  await server.die();
});

test('gateways on one broker become equal, also those that come late', async () => {
  const broker = await startBroker();
  const { url } = broker;
  const mqtt = { transport: 'mqtt', broker: 'broker' };
  const flow = [
    { id: 'broker', type: 'edge-broker', url, protocolVersion: '4' },
    ...station('k', 'k', mqtt),
    ...station('l', 'l', mqtt),
  ];
  try {
    await runtime.deploy(flow);
    write('k', 'setpoint', 5);
    write('l', 'count/parts', 5, 'increment');
    await runtime.until(
      () => latest('l', 'setpoint') === 5 && latest('k', 'count/parts') === 5,
      'both level',
      20_000,
    );
    await runtime.deploy([...flow, ...station('m', 'm', mqtt)]);
    await runtime.until(
      () => latest('m', 'setpoint') === 5 && latest('m', 'count/parts') === 5,
      'm level',
      20_000,
    );
  } finally {
    await runtime.deploy([]);
    await broker.close();
  }
});
