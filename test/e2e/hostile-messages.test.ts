import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { errorOf, MessageBench, type Fate } from '../support/bad-messages';
import { hostileMessages } from '../support/hostile';
import { packageRoot, TestRuntime, type FlowNode } from '../support/runtime';

const SEED = Number(process.env['EDGE_TEST_SEED'] ?? 20_260_301);
const COUNT = 200;
/** Messages between two good ones. */
const BETWEEN = 10;

let runtime: TestRuntime;
let bench: MessageBench;
const server = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200).end());
});
before(async () => {
  server.listen(0, '127.0.0.1');
  runtime = await TestRuntime.start();
  bench = new MessageBench(runtime, 1);
  const models = join(runtime.userDir, 'models');
  mkdirSync(models, { recursive: true });
  copyFileSync(join(packageRoot, 'test', 'fixtures', 'onnx', 'risk.onnx'), join(models, 'risk.onnx'));
});
after(async () => {
  await runtime.stop();
  server.closeAllConnections();
  server.close();
});

const UNCOPYABLE = /^(deep|throwing|revoked|getter)/;

interface Subject {
  node: FlowNode;
  others?: FlowNode[];
  /** The output for refused messages, for a node that has one. */
  rejects?: number;
  /** Operations after which nothing need come out. */
  silent: string[];
  /** Checks that a good message is served. */
  good: (fate: Fate) => void;
}

const only = (output: number) => (fate: Fate) => assert.equal(fate.outputs[output].length, 1);
const anywhere = (fate: Fate): void => assert.equal(fate.outputs.flat().length, 1);

function subjects(): Subject[] {
  const { port } = server.address() as AddressInfo;
  return [
    { node: { id: 'ingest', type: 'sensor-ingest' }, rejects: 2, silent: [], good: only(0) },
    {
      node: { id: 'strict', type: 'sensor-ingest', schema: '{"type":"object"}', reduce: 'deadband' },
      rejects: 2,
      silent: [],
      good: only(0),
    },
    {
      node: {
        id: 'detect',
        type: 'onnx-detect',
        model: 'models/risk.onnx',
        task: 'classify',
        threshold: 0.5,
        features: ['v'],
      },
      silent: ['maintenance', 'model'],
      good: anywhere,
    },
    {
      node: { id: 'forest', type: 'iso-forest', warmup: 5, history: 20, retrain: 5, trees: 5, sample: 8 },
      silent: ['maintenance', 'commission', 'import'],
      good: anywhere,
    },
    { node: { id: 'state', type: 'crdt-state', persist: false }, silent: ['resolve'], good: only(0) },
    {
      node: {
        id: 'up',
        type: 'resilient-uplink',
        connections: ['cloud'],
        content: 'message',
        drop: ['payload.w'],
      },
      others: [{ id: 'cloud', type: 'edge-http', url: `http://127.0.0.1:${port}/` }],
      rejects: 1,
      // What is accepted is delivered later.
      silent: ['*'],
      good: (fate) => assert.deepEqual(fate.done, [{ error: undefined }]),
    },
  ];
}

for (const [index, name] of ['ingest', 'strict', 'detect', 'forest', 'state', 'up'].entries()) {
  test(`${name}: lives through ${COUNT} hostile messages and answers each exactly once`, async () => {
    const { node, others, rejects, silent, good } = subjects()[index];
    await bench.deploy([node], others);
    const checkGood = async (after: string): Promise<void> => {
      const fate = await bench.send(node.id, { topic: 'line', payload: { v: 1, x: 2 } });
      assert.deepEqual(fate.done, [{ error: undefined }], `${after}: ${errorOf(fate.caught[0])?.message}`);
      good(fate);
    };
    await checkGood('at the start');
    const failures: string[] = [];
    for (const [at, { what, msg, frozen }] of hostileMessages(SEED, COUNT).entries()) {
      const operation = msg['operation'];
      const fate = await bench.send(node.id, msg, frozen);
      const ways = waysOf(fate, rejects);
      const maySilent =
        silent.includes('*') || silent.includes(String(typeof operation === 'string' && operation));
      if (fate.done.length !== 1 || !(ways.length === 1 || (ways.length === 0 && maySilent))) {
        const codes = [...fate.caught, ...fate.outputs.flat()].map((out) => errorOf(out)?.code);
        failures.push(`${what}: done ${fate.done.length}, ways ${ways.join('+')} ${codes.join()}`);
      }
      if (at % BETWEEN === 0) {
        await checkGood(what);
      }
    }
    await checkGood('at the end');
    const frozen = await bench.send(node.id, { topic: 'line', payload: { v: 1, x: 2 } }, true);
    assert.deepEqual(frozen.done, [{ error: undefined }], 'a frozen message is as good');
    good(frozen);
    assert.deepEqual(failures, [], `seed ${SEED}`);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
}

test('a message that Node-RED cannot copy for two wires, Catch or Complete stops no node', async () => {
  const copying = new MessageBench(runtime, 2);
  for (const { node, others } of subjects()) {
    await copying.deploy([node], others);
    for (const { what, msg, frozen } of hostileMessages(SEED, COUNT).filter(({ what }) =>
      UNCOPYABLE.test(what),
    )) {
      const { done } = await copying.send(node.id, msg, frozen);
      assert.equal(done.length, 1, `${node.id}: ${what}`);
    }
    const { done, caught } = await copying.send(node.id, { topic: 'line', payload: { v: 1, x: 2 } });
    assert.deepEqual(done, [{ error: undefined }], errorOf(caught[0])?.message);
  }
});

/** The ways by which a message left its node. */
function waysOf({ outputs, caught }: Fate, rejects: number | undefined): string[] {
  return [
    ...(outputs.some((messages, output) => output !== rejects && messages.length > 0) ? ['output'] : []),
    ...(rejects !== undefined && outputs[rejects].length > 0 ? ['reject'] : []),
    ...(caught.length > 0 ? ['catch'] : []),
  ];
}
