import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inEditor, shows } from '../support/in-editor';
import type { FlowNode } from '../support/runtime';
import type { Station } from '../support/station';

const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'line' },
  { id: 'gateway', type: 'edge-gateway', name: 'Press shop', site: 'plant1', gatewayId: 'gw-1' },
  { id: 'in', type: 'http in', z: 'tab', url: '/reading', method: 'post', wires: [['ingest', 'reply']] },
  { id: 'reply', type: 'http response', z: 'tab', statusCode: '200', wires: [] },
  {
    id: 'ingest',
    type: 'sensor-ingest',
    z: 'tab',
    name: 'Readings',
    sourceId: 'payload.machine',
    sourceIdType: 'msg',
    wires: [['forest'], [], []],
  },
  {
    ...{
      id: 'forest',
      type: 'iso-forest',
      z: 'tab',
      name: 'Unusual',
      persist: false,
      warmup: 10,
      history: 50,
    },
    ...{ thresholdMode: 'score', scoreThreshold: 0.01, channels: ['a', 'b'], wires: [[], []] },
  },
  {
    id: 'uplink',
    type: 'resilient-uplink',
    z: 'tab',
    name: 'Cloud',
    gateway: 'gateway',
    connections: [],
    wires: [[], []],
  },
];

async function send(station: Station, many: number): Promise<void> {
  for (let n = 0; n < many; n++) {
    const response = await fetch(`${station.url}/reading`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ machine: 'press-7', a: Math.sin(n), b: Math.cos(n * 1.7) }),
    });
    assert.equal(response.status, 200);
  }
}

test('the sidebar shows the station live; an alert is acknowledged, shelved, and leads to its node', async (t) => {
  await inEditor(t, { flow: FLOW }, async ({ page, errors }, station) => {
    await page.evaluate(() =>
      (globalThis as unknown as { RED: { sidebar: { show(id: string): void } } }).RED.sidebar.show(
        'millwright-edge',
      ),
    );
    await shows(page, '.edge-sidebar', /Press shop · plant1/);
    assert.match(await shows(page, '.edge-sidebar', /Nothing was flagged/), /Nodes/);
    await send(station, 40);
    await shows(page, '.edge-alerts', /press-7\s*unusual · /);
    await shows(page, '.edge-card[data-node="ingest"]', /rejected\s*0/);
    await shows(page, '.edge-card[data-node="forest"]', /sources\s*1/);
    const count = Number(/(\d+) readings/.exec(await page.locator('.edge-alerts').innerText())?.[1]);
    assert.ok(count > 1);

    await page.locator('.edge-alerts button', { hasText: 'Acknowledge' }).click();
    await page.locator('.edge-alerts li.edge-seen').waitFor();
    await send(station, 1);
    await page.locator('.edge-alerts button', { hasText: 'Shelve' }).click();
    await page.locator('.edge-alerts li.edge-seen').waitFor();
    const before = await figure(station, 'edge_detections_total{kind="NOVEL_ANOMALY"}');
    await send(station, 5);
    assert.equal(await figure(station, 'edge_detections_total{kind="NOVEL_ANOMALY"}'), before, 'shelved');

    await page.locator('#edge-sidebar-price').fill('nonsense');
    await page.locator('#edge-sidebar-price').blur();
    await page.locator('#edge-sidebar-price.input-error').waitFor();
    await page.locator('.edge-card[data-node="uplink"]').click();
    assert.deepEqual(errors, []);
  });
});

async function figure(station: Station, name: string): Promise<number> {
  const { nodes } = (await (await fetch(`${station.url}/edge/status`)).json()) as {
    nodes: { id: string; figures: Record<string, number> }[];
  };
  return nodes.find(({ id }) => id === 'forest')?.figures[name] ?? 0;
}
