import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import type { Editor } from '../support/editor';
import { inEditor, shows } from '../support/in-editor';
import type { FlowNode } from '../support/runtime';
import type { Station } from '../support/station';

/** A stranger chose these names. */
const TOPIC = 'plant1/<img src=x onerror="window.strangersScript=1">';
const CHANNEL = '<b class="injected">t</b>';

/** Each request to /feed sends 100 readings, a quarter of a period of a sine apiece, and a broken one at the start. */
const FEED = `
  const from = flow.get('sent') || 0;
  flow.set('sent', from + 100);
  const topic = ${JSON.stringify(TOPIC)};
  const readings = Array.from({ length: 100 }, (_, i) => ({
    topic, payload: { ts: 1769860800000 + 1000 * (from + i), ${JSON.stringify(CHANNEL)}: 20 + 5 * Math.sin((from + i) / 16), load: 1 },
  }));
  return [[{ topic, payload: '{"broken":' }, { topic: 'other', payload: { x: 1 } }, ...readings]];`;

const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'preview' },
  { id: 'in', type: 'http in', z: 'tab', url: '/feed', method: 'post', wires: [['feed', 'out']] },
  { id: 'out', type: 'http response', z: 'tab', wires: [] },
  { id: 'feed', type: 'function', z: 'tab', func: FEED, outputs: 1, wires: [['ingest']] },
  ingest('ingest', { lateness: 60, futureLimit: 60, reduce: 'deadband', tolerance: 1 }),
  ingest('broken', { features: ['nonsense'], window: 'count' }),
];

function ingest(id: string, properties: object): FlowNode {
  return {
    id,
    type: 'sensor-ingest',
    z: 'tab',
    name: '',
    source: 'wire',
    format: 'auto',
    sourceId: 'topic',
    sourceIdType: 'msg',
    timestamp: 'ts',
    channels: [],
    sampleRate: 0,
    window: 'none',
    windowSize: 10,
    windowStep: 10,
    features: ['mean'],
    reduce: 'none',
    tolerance: 1,
    toleranceType: 'absolute',
    heartbeat: 600,
    x: 300,
    y: 100,
    wires: [[], [], []],
    ...properties,
  };
}

async function withDialog(
  t: TestContext,
  module: 'node-red' | 'node-red-4',
  id: string,
  work: (page: Page, station: Station, editor: Editor) => Promise<void>,
): Promise<void> {
  await inEditor(t, { flow: FLOW, module }, async (editor, station) => {
    await editor.openDialog(id);
    await editor.page.click('#edge-ingest-preview-heading');
    await work(editor.page, station, editor);
  });
}

const feed = async (station: Station): Promise<void> => {
  assert.equal((await fetch(`${station.url}/feed`, { method: 'POST' })).status, 200);
};

async function keptReadings(page: Page, ofAll: number): Promise<number> {
  const text = await shows(
    page,
    '#edge-ingest-plot-reduction',
    new RegExp(`^kept \\d+ of ${ofAll} readings`),
  );
  assert.match(text, /· \d+\.\d % fewer bytes · largest error [\d.]+ \(tolerance [\d.]+\)$/);
  const kept = Number(/^kept (\d+)/.exec(text)?.[1]);
  assert.equal(await page.locator('.edge-ingest-plot-kept').count(), kept, 'a dot for each');
  return kept;
}

for (const module of ['node-red', 'node-red-4'] as const) {
  test(`${module}: a deployed node’s messages are captured, plotted, and previewed under other settings`, async (t) => {
    await withDialog(t, module, 'ingest', async (page, station, editor) => {
      await shows(page, '#edge-ingest-outcome', /Paste a message, or press Capture/);
      await feed(station);
      await page.click('#edge-ingest-capture');
      await shows(page, '#edge-ingest-preview-state', /^Live: the last of 101 messages$/);
      const values = await shows(page, '.edge-table', /load/);
      assert.match(values, /<b class="injected">t<\/b>\s+19\.5223\s/);
      assert.match(await page.locator('.edge-ingest-reading').innerText(), /2026-01-31T12:01:39\.000Z/);
      await shows(page, '.edge-ingest-rejections', /1 of 101 messages are rejected:\s*1 × DECODE/);
      assert.match(await page.inputValue('#edge-ingest-sample'), /^\{"ts":1769860899000/);
      const before = await keptReadings(page, 100);
      assert.ok(before > 10 && before < 60, String(before));

      await feed(station);
      await shows(page, '#edge-ingest-preview-state', /^Live: the last of 202 messages$/);
      const live = await keptReadings(page, 200);
      assert.ok(live > before, 'the plot moves by itself');

      await page.click('#edge-ingest-capture');
      await shows(page, '#edge-ingest-preview-state', /^Paused: the last of 202 messages$/);
      await feed(station);
      await page.fill('#node-input-tolerance', '3');
      await shows(page, '#edge-ingest-plot-reduction', /tolerance 3\)/);
      assert.ok((await keptReadings(page, 200)) < live, 'fewer with more tolerance, of the same messages');
      await page.selectOption('#edge-ingest-plot-channel', 'load');
      await page.waitForSelector('#edge-ingest-plot-drawing svg[aria-label^="load, "]');
      await page.selectOption('#node-input-reduce', 'none');
      await page.waitForSelector('#edge-ingest-plot-reduction', { state: 'hidden' });
      assert.equal(await page.locator('.edge-ingest-plot-kept').count(), 0);
      assert.equal(await page.locator('.edge-ingest-plot-line').count(), 1);

      await page.fill('#edge-ingest-sample', '{"temperature": 21.5,');
      await shows(page, '.edge-failure', /DECODE\s*The payload is not valid JSON/);
      assert.equal(await page.inputValue('#edge-ingest-sample-topic'), TOPIC, 'the topic stays');
      await page.fill('#edge-ingest-sample', '{"temperature": 21.5}');
      await shows(page, '.edge-table', /temperature\s*21\.5/);
      await page.selectOption('#node-input-window', 'count');
      await shows(page, '#edge-ingest-outcome .form-tips', /the window has 1 of 10 readings/);
      await page.fill('#node-input-windowStep', '20');
      await shows(page, '.edge-failure', /CONFIG\s*A new one every\s*Property "windowStep"/);

      assert.equal(await page.locator('.injected').count(), 0, 'names are no markup');
      assert.equal(
        await page.evaluate(() => (globalThis as { strangersScript?: number }).strangersScript),
        undefined,
      );
      assert.deepEqual(editor.errors, [], 'the browser console');
    });
  });
}

test('looking stops with the dialog, and while the section is folded', async (t) => {
  await withDialog(t, 'node-red', 'ingest', async (page, station, editor) => {
    await feed(station);
    let requests = 0;
    page.on('request', (request) => {
      requests += request.url().includes('/edge/sensor-ingest/') ? 1 : 0;
    });
    const polls = (): Promise<unknown> =>
      Promise.all([
        page.waitForResponse((response) => response.url().endsWith('/preview')),
        page.clock.fastForward(1100),
      ]);
    await page.clock.install();
    await page.click('#edge-ingest-capture');
    await shows(page, '#edge-ingest-preview-state', /^Live/);
    await polls();
    await polls();
    await page.click('#edge-ingest-preview-heading');
    const folded = requests;
    await page.clock.fastForward(10_000);
    await page.click('#edge-ingest-preview-heading');
    await polls();
    assert.ok(requests <= folded + 3, `${requests - folded} requests while folded`);
    await editor.closeDialog('cancel');
    const closed = requests;
    await page.clock.fastForward(10_000);
    await page.clock.fastForward(10_000);
    assert.equal((await fetch(`${station.url}/edge/status`)).status, 200);
    assert.equal(requests, closed);
    assert.deepEqual(editor.errors, [], 'the browser console');
  });
});

test('a node that does not run cannot be captured, and the dialog says what to do', async (t) => {
  await withDialog(t, 'node-red', 'broken', async (page) => {
    await page.click('#edge-ingest-capture');
    await shows(page, '#edge-ingest-preview-state', /does not run\. Deploy it first, or paste a sample/);
    await page.fill('#edge-ingest-sample', '1');
    await shows(page, '.edge-failure', /CONFIG\s*Features\s*Property "features" has "band:nonsense"/);
  });
});
