import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { Editor } from '../support/editor';
import { inEditor, shows } from '../support/in-editor';
import type { Maintenance, MaintenanceReport } from '../../nodes/shared/detection/maintenance';
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

async function send(station: Station, many: number, machine = 'press-7'): Promise<void> {
  for (let n = 0; n < many; n++) {
    const response = await fetch(`${station.url}/reading`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ machine, a: Math.sin(n), b: Math.cos(n * 1.7) }),
    });
    assert.equal(response.status, 200);
  }
}

function openSidebar(page: Page): Promise<void> {
  return page.evaluate(() =>
    (globalThis as unknown as { RED: { sidebar: { show(id: string): void } } }).RED.sidebar.show(
      'millwright-edge',
    ),
  );
}

async function flagged(station: Station): Promise<number> {
  return (await station.figures('forest'))['edge_detections_total{kind="NOVEL_ANOMALY"}'] ?? 0;
}

test('the sidebar shows the station live; an alert is acknowledged, shelved, and leads to its node', async (t) => {
  await inEditor(t, { flow: FLOW }, async ({ page, errors }, station) => {
    await openSidebar(page);
    await shows(page, '.edge-sidebar', /Press shop · plant1/);
    assert.match(await shows(page, '.edge-sidebar', /Nothing was flagged/), /Nodes/);
    await send(station, 40);
    await shows(page, '.edge-alerts', /press-7\s*unusual · /);
    await shows(page, '.edge-card[data-node="ingest"]', /rejected\s*0/);
    await shows(page, '.edge-card[data-node="forest"]', /sources\s*1/);
    const count = Number(/(\d+) readings/.exec(await page.locator('.edge-alerts').innerText())?.[1]);
    assert.ok(count > 1);

    const acknowledge = page.locator('.edge-alerts button', { hasText: 'Acknowledge' });
    const drawn = await acknowledge.elementHandle();
    await send(station, 5);
    await shows(page, '.edge-alerts', /35 readings/);
    assert.equal(
      await drawn.isVisible(),
      true,
      'whoever aims at a button finds it while the source is flagged on',
    );
    await acknowledge.click();
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
    await openSidebar(page);
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

const CARD = '.edge-card-frame[data-node="forest"]';

test('a source is put under maintenance until a stated end, which the card tells, and which is ended early', async (t) => {
  await inEditor(t, { flow: FLOW }, async ({ page, errors }, station) => {
    await openSidebar(page);
    await send(station, 40);
    await send(station, 40, 'press-8');
    await shows(page, CARD, /sources\s*2/);
    assert.equal(await page.locator('.edge-maintenance-open:visible').count(), 1, 'on the one detector');
    await page.locator(`${CARD} button`, { hasText: 'Start maintenance' }).click();
    const form = page.locator(`${CARD} form`);
    await form.locator('option', { hasText: 'press-8' }).waitFor({ state: 'attached' });
    await form.getByLabel('What').selectOption('press-7');
    await form.getByLabel('How long').selectOption({ label: '2 h' });
    await form.getByLabel('Why (optional)').fill('new bearing');
    // Whoever enters something is not disturbed by what comes in each second.
    await send(station, 1, 'press-9');
    await shows(page, CARD, /sources\s*3/);
    const began = Date.now();
    await form.getByRole('button', { name: 'Start maintenance' }).click();
    const told = await shows(page, `${CARD} .edge-maintained`, /press-7/);
    assert.match(
      told,
      /Under maintenance: press-7\s*until .*\d\d?:\d\d.* · new bearing\s*(2 h|1 h 59 min) left/,
    );
    assert.equal(await form.count(), 0);

    const [{ since, until, ...rest }] = await maintenanceInStatus(station);
    assert.deepEqual(rest, { source: 'press-7', reason: 'new bearing' });
    assert.ok(since >= began && until === since + 7_200_000, `${since} to ${until}`);
    const before = await flagged(station);
    await send(station, 5);
    assert.equal(await flagged(station), before, 'nothing of it is flagged');
    await shows(page, '.edge-alerts li', /press-7[^]*Shelved · until .* · new bearing/);
    await send(station, 5, 'press-8');
    assert.ok((await flagged(station)) > before, 'the other one is watched');

    await page.locator(`${CARD} .edge-maintained button`, { hasText: 'End now' }).click();
    await page.locator(`${CARD} .edge-maintained`).waitFor({ state: 'detached' });
    const ended = await flagged(station);
    await send(station, 5);
    assert.ok((await flagged(station)) > ended, 'watched again');
    assert.deepEqual(errors, []);
  });
});

test('maintenance of the whole node ends at a time that is typed; one in the past is not taken', async (t) => {
  await inEditor(t, { flow: FLOW }, async ({ page, errors }, station) => {
    await openSidebar(page);
    await page.locator(`${CARD} button`, { hasText: 'Start maintenance' }).click();
    const form = page.locator(`${CARD} form`);
    await form.getByLabel('How long').selectOption({ label: 'Until a time …' });
    await form.getByLabel('Until').fill('2020-01-01T06:00');
    await form.getByRole('button', { name: 'Start maintenance' }).click();
    await shows(page, `${CARD} form`, /Enter a time in the future/);
    assert.deepEqual(await maintenanceInStatus(station), []);
    const end = new Date(Math.ceil(Date.now() / 60_000 + 90) * 60_000);
    const local = new Date(end.getTime() - end.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    await form.getByLabel('Until').fill(local);
    await form.getByRole('button', { name: 'Start maintenance' }).click();
    const told = await shows(page, `${CARD} .edge-maintained`, /all sources/);
    assert.match(told, /1 h 3\d min left/);
    const [{ source, until }] = await maintenanceInStatus(station);
    assert.equal(source, '');
    // Both clocks are those of this machine; the request takes its time.
    assert.ok(Math.abs((until ?? 0) - end.getTime()) < 10_000, `${until} for ${end.getTime()}`);
    await shows(page, `${CARD} .edge-card-status`, /maintenance/);
    assert.deepEqual(errors, []);
  });
});

// The password is “night shift”.
const PASSWORD = '$2b$04$S/OCcGynEcojeMRhltyjme1a4o.mdQd3k8QU0wwVPCh6z0OBnsTIe';
const USERS = [
  { username: 'anna', password: PASSWORD, permissions: '*' },
  { username: 'viewer', password: PASSWORD, permissions: 'read' },
];

test('the sidebar tells who acknowledged, shelved and began a maintenance; who may only read can change nothing', async (t) => {
  const settings = { adminAuth: { type: 'credentials', users: USERS } };
  const user = { username: 'anna', password: 'night shift' };
  await inEditor(
    t,
    { flow: FLOW, settings },
    async ({ page, errors }, station, program) => {
      await openSidebar(page);
      await send(station, 40);
      await page.locator('.edge-alerts button', { hasText: 'Acknowledge' }).click();
      await shows(page, '.edge-alerts li.edge-seen', /Acknowledged · .*\d.* · by anna/);
      await send(station, 1);
      await page.locator('.edge-alerts button', { hasText: 'Shelve' }).click();
      const said = await shows(page, '.edge-alerts li.edge-seen', /Shelved/);
      assert.match(said, /Shelved · until .*\d\d?:\d\d.* · by anna/);
      await shows(page, `${CARD} .edge-maintained`, /press-7\s*until .* · by anna/);

      const browser = page.context().browser() ?? undefined;
      const viewing = { browser, user: { ...user, username: 'viewer' } };
      const viewer = await Editor.open(program, station.url, viewing);
      await openSidebar(viewer.page);
      await shows(viewer.page, `${CARD} .edge-maintained`, /by anna/);
      for (const name of ['End now', 'Start maintenance']) {
        const button = viewer.page.locator(`${CARD} button`, { hasText: name });
        assert.equal(await button.isDisabled(), true, name);
        assert.match((await button.getAttribute('title')) ?? '', /flows\.write/);
      }
      assert.equal(await viewer.page.locator('.edge-alerts button:enabled').count(), 0);
      assert.equal(await viewer.page.locator('#edge-sidebar-level-latency').isDisabled(), true);
      assert.equal(await viewer.page.locator('.edge-assessment button:visible:enabled').count(), 0);
      await viewer.close();
      assert.deepEqual(errors, []);
    },
    { user },
  );
});

/** What `/edge/status` says of the forest's maintenance. */
async function maintenanceInStatus(station: Station): Promise<Maintenance[]> {
  const { nodes } = (await (await fetch(`${station.url}/edge/status`)).json()) as {
    nodes: { id: string; details?: MaintenanceReport }[];
  };
  return nodes.find(({ id }) => id === 'forest')?.details?.maintenance ?? [];
}
