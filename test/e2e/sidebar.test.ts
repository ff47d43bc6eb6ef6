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
    connections: ['dead'],
    wires: [[], []],
  },
  // Port 1 refuses.
  { id: 'dead', type: 'edge-broker', name: 'dead end', url: 'mqtt://127.0.0.1:1' },
  { id: 'line-a', type: 'crdt-state', z: 'tab', name: 'A', gateway: 'gateway', wires: [[], ['line-b']] },
  { id: 'line-b', type: 'crdt-state', z: 'tab', name: 'B', gateway: 'other', wires: [[], ['line-a']] },
  { id: 'other', type: 'edge-gateway', name: 'Paint shop', gatewayId: 'gw-2' },
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
    const before = (await station.figures('forest'))['edge_detections_total{kind="NOVEL_ANOMALY"}'];
    await send(station, 5);
    assert.equal(
      (await station.figures('forest'))['edge_detections_total{kind="NOVEL_ANOMALY"}'],
      before,
      'shelved',
    );

    await page.locator('#edge-sidebar-price').fill('nonsense');
    await page.locator('#edge-sidebar-price').blur();
    await page.locator('#edge-sidebar-price.input-error').waitFor();
    await shows(page, '.edge-card[data-node="uplink"]', /✕\s*dead end: .*refused/i);
    await shows(page, '.edge-card[data-node="line-a"]', /●\s*gw-2: /);
    await page.locator('.edge-card[data-node="uplink"]').click();
    assert.deepEqual(errors, []);
  });
});

test('what a node receives is recorded and assessed; the report is one page; service levels are watched', async (t) => {
  await inEditor(t, { flow: FLOW }, async ({ page, errors }, station) => {
    await page.evaluate(() =>
      (globalThis as unknown as { RED: { sidebar: { show(id: string): void } } }).RED.sidebar.show(
        'millwright-edge',
      ),
    );
    await shows(page, '.edge-assessment', /Capture 5 minutes/);
    await page.locator('#edge-sidebar-assess-minutes').fill('0.1');
    await page.locator('#edge-sidebar-assess-minutes').blur();
    await page.locator('#edge-sidebar-assess-downtimePerHour').fill('2000');
    await page.locator('#edge-sidebar-assess-downtimePerHour').blur();
    await page.locator('.edge-assessment button', { hasText: 'Capture 0.1 minutes' }).click();
    await shows(page, '.edge-assessment', /0 messages, \d s to go/);
    await send(station, 60);
    await shows(page, '.edge-assessment', /60 messages, \d s to go/);
    const summary = await shows(page, '.edge-assessment', /Pays back\s*after [\d.]+ months/);
    assert.match(summary, /Readings, /, 'whose it is');
    assert.match(
      summary,
      /Reduction\s*(deadband|swinging door) at 1 % keeps [\d.]+ %, off by [\d.]+ % at most/,
    );
    assert.match(summary, /Personal data\?\s*none seen/);
    const [popup] = await Promise.all([
      page.waitForEvent('popup'),
      page.locator('.edge-assessment button', { hasText: 'Open the full report' }).click(),
    ]);
    await popup.locator('h1', { hasText: 'Assessment of Readings' }).waitFor();
    assert.equal(await popup.locator('section').count(), 7);
    assert.match(
      await popup.locator('#assumptions').innerText(),
      /hour of unplanned downtime\s*2,000\s*given/,
    );
    await popup.close();
    await page.evaluate(() => localStorage.setItem('editor-language', 'de'));
    const [german] = await Promise.all([
      page.waitForEvent('popup'),
      page.locator('.edge-assessment button', { hasText: 'Open the full report' }).click(),
    ]);
    await german.locator('html[lang="de"] h1', { hasText: 'Bewertung von Readings' }).waitFor();
    await german.close();

    await page.locator('#edge-sidebar-level-silence').fill('30');
    await page.locator('#edge-sidebar-level-silence').blur();
    await page.locator('.edge-level[data-level="silence"][data-met="true"]').waitFor();
    await page.locator('#edge-sidebar-level-latency').fill('nonsense');
    await page.locator('#edge-sidebar-level-latency').blur();
    await page.locator('#edge-sidebar-level-latency.input-error').waitFor();
    const metrics = await (await fetch(`${station.url}/edge/metrics`)).text();
    assert.match(metrics, /^edge_service_level_met\{level="silence"\} 1$/m);
    assert.doesNotMatch(metrics, /level="latency"/, 'not watched');
    assert.deepEqual(errors, []);
  });
});
