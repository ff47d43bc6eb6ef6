import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TestRuntime } from '../support/runtime';

let runtime: TestRuntime;
before(async () => {
  runtime = await TestRuntime.start();
});
after(() => runtime.stop());

test('the config nodes of the contract are registered', async () => {
  const types = await runtime.nodeTypes();
  for (const type of ['edge-gateway', 'edge-broker', 'edge-http']) {
    assert.ok(types.includes(type), `${type} is missing from ${types.join(', ')}`);
  }
});

test('a gateway keeps the identity that it made for itself', async () => {
  const flow = [{ id: 'gateway', type: 'edge-gateway', name: 'press shop' }];
  await runtime.deploy(flow);
  const first = runtime.node('gateway') as unknown as { gateway: { gatewayId: string } };
  assert.match(first.gateway.gatewayId, /^[0-9a-f-]{36}$/);
  await runtime.deploy(flow);
  const second = runtime.node('gateway') as unknown as { gateway: { gatewayId: string } };
  assert.equal(second.gateway.gatewayId, first.gateway.gatewayId);
});

test('a node whose gateway does not run refuses to start, instead of using another identity and data folder', async () => {
  await runtime.deploy([
    { id: 'broken', type: 'edge-gateway', dataDir: '/dev/null/none' },
    { id: 'uplink', type: 'resilient-uplink', gateway: 'broken', connections: [], wires: [[], []] },
    { id: 'state', type: 'crdt-state', gateway: 'gone', wires: [[], []] },
  ]);
  for (const id of ['uplink', 'state']) {
    const problem = runtime.problems().find((entry) => entry.id === id);
    assert.match(String(problem?.msg), /Property "gateway"/);
  }
  assert.ok(!existsSync(join(runtime.userDir, 'edge', 'uplink', 'uplink')));
  assert.equal((await fetch(`${runtime.url}/edge/status`)).status, 200);
});

test('a broker address that cannot be read is reported with its property and what to write', async () => {
  await runtime.deploy([{ id: 'broker', type: 'edge-broker', url: 'http//nonsense' }]);
  const problem = runtime.problems().find(({ id }) => id === 'broker');
  assert.match(String(problem?.msg), /Property "url".*mqtt:\/\/host:1883/s);
});

test('/edge/status lists the nodes with gateway, status and figures, also one that could not start', async () => {
  await runtime.deploy([
    { id: 'gateway', type: 'edge-gateway', name: 'press shop', gatewayId: 'gw-7', site: 'plant1' },
    { id: 'uplink', type: 'resilient-uplink', name: 'cloud', gateway: 'gateway', wires: [[], []] },
    { id: 'broken', type: 'iso-forest', trees: 'many', wires: [[], []] },
  ]);
  const response = await fetch(`${runtime.url}/edge/status`);
  assert.equal(response.status, 200);
  const { gateway, nodes } = (await response.json()) as {
    gateway: object;
    nodes: { id: string; type: string; gateway: string; status: { fill: string } | null; figures: object }[];
  };
  assert.deepEqual(nodes.map(({ id }) => id).sort(), ['broken', 'uplink']);
  const uplink = nodes.find(({ id }) => id === 'uplink')!;
  assert.equal(uplink.gateway, 'gw-7');
  assert.ok('edge_uplink_queue_messages' in uplink.figures);
  assert.equal(nodes.find(({ id }) => id === 'broken')?.status?.fill, 'red');
  assert.ok(gateway);
});

test("/edge/status tells how an uplink's connections and a replica's peers are doing", async () => {
  await runtime.deploy([
    { id: 'gateway', type: 'edge-gateway', gatewayId: 'gw-8' },
    // Port 1 refuses.
    { id: 'dead', type: 'edge-broker', name: 'dead end', url: 'mqtt://127.0.0.1:1' },
    { id: 'uplink', type: 'resilient-uplink', gateway: 'gateway', connections: ['dead'], wires: [[], []] },
    { id: 'state', type: 'crdt-state', gateway: 'gateway', wires: [['replies'], []] },
    { id: 'replies', type: 'test-sink', wires: [] },
  ]);
  interface Details {
    connections?: { name: string; state: string; error?: string; nextTryMs?: number }[];
    peers?: object[];
  }
  const detailsOf = async (wanted: string): Promise<Details | undefined> => {
    const { nodes } = (await (await fetch(`${runtime.url}/edge/status`)).json()) as {
      nodes: { id: string; details?: Details }[];
    };
    return nodes.find(({ id }) => id === wanted)?.details;
  };
  await runtime.until(() => runtime.problems().some(({ msg }) => /dead end/.test(String(msg))), 'a try');
  const [connection] = (await detailsOf('uplink'))?.connections ?? [];
  assert.equal(connection.name, 'dead end');
  assert.equal(connection.state, 'open');
  assert.match(connection.error ?? '', /ECONNREFUSED|refused/i);
  // An answer means that the replica is loaded.
  runtime.inject('state', { operation: 'keys' });
  await runtime.collect('replies', 1);
  assert.deepEqual((await detailsOf('state'))?.peers, []);
});
