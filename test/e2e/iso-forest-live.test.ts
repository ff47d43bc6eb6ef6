import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import type { Editor } from '../support/editor';
import { inEditor, shows } from '../support/in-editor';
import type { FlowNode } from '../support/runtime';
import type { Station } from '../support/station';

/** A stranger chose these names. */
const TOPIC = 'plant1/<img src=x onerror="window.strangersScript=1">';
const CHANNEL = '<b class="injected">current</b>';

/** Each request to /feed?count=&strange= sends so many readings of a healthy press, and then strange ones. */
const FEED = `
  let state = flow.get('state') || 7;
  const uniform = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const noise = () => uniform() + uniform() + uniform() - 1.5;
  const reading = (strange) => ({ torque: 40 + noise(), ${JSON.stringify(CHANNEL)}: 12 + noise() + (strange ? 20 : 0) });
  const { topic, count, strange } = msg.req.query;
  const all = Number(count) + Number(strange);
  const messages = Array.from({ length: all }, (_, i) => ({ topic, payload: reading(i >= Number(count)) }));
  flow.set('state', state);
  return [messages, { ...msg, payload: '' }];`;

const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'live' },
  { id: 'in', type: 'http in', z: 'tab', url: '/feed', method: 'post', wires: [['feed']] },
  { id: 'feed', type: 'function', z: 'tab', func: FEED, outputs: 2, wires: [['forest'], ['out']] },
  { id: 'out', type: 'http response', z: 'tab', wires: [] },
  forest('forest', {}),
  forest('broken', { variant: 'nonsense' }),
];

function forest(id: string, properties: object): FlowNode {
  return {
    ...{ id, type: 'iso-forest', z: 'tab', name: '', x: 300, y: 100, wires: [[], []] },
    ...{
      channels: [],
      scope: 'source',
      history: 200,
      retrain: 50,
      learn: 'both',
      reference: 200,
      warmup: 40,
    },
    ...{ trees: 20, sample: 64, variant: 'blend', shingle: 1, smoothing: 0, missing: 'reject', seed: 42 },
    ...{ thresholdMode: 'auto', alarmRate: 0.0005, contamination: 0.1, scoreThreshold: 0.6 },
    ...{ votes: 1, voteWindow: 1, holdOff: 0, explain: true, persist: false, maxSources: 10000 },
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
    await editor.page.click('#edge-forest-live-heading');
    await work(editor.page, station, editor);
  });
}

async function feed(station: Station, topic: string, count: number, strange = 0): Promise<void> {
  const query = new URLSearchParams({ topic, count: String(count), strange: String(strange) });
  assert.equal((await fetch(`${station.url}/feed?${query.toString()}`, { method: 'POST' })).status, 200);
}

for (const module of ['node-red', 'node-red-4'] as const) {
  test(`${module}: scores are seen live, with why, and replayed against a threshold that is not deployed`, async (t) => {
    await withDialog(t, module, 'forest', async (page, station, editor) => {
      const marks = (kind: string): Promise<number> => page.locator(`#edge-forest-plot .${kind}`).count();
      await shows(page, '#edge-forest-live-state', /The node runs and has received nothing yet/);
      await feed(station, TOPIC, 30);
      await shows(page, '#edge-forest-progress', /Learning: 30 of 40 readings/);
      assert.equal(await page.isVisible('#edge-forest-plot'), false);
      await feed(station, TOPIC, 540, 2);
      await shows(page, '#edge-forest-result', /^Flagged: 2 of \d+ readings in 1 episode\./);
      assert.equal(await marks('edge-forest-flagged'), 2);
      assert.equal(await marks('edge-forest-replayed'), 0);
      assert.equal(await page.locator('#edge-forest-plot .edge-forest-line').count(), 1);
      assert.match((await page.getAttribute('#edge-forest-plot .edge-forest-threshold', 'd')) ?? '', /^M.*H/);
      assert.ok((await page.locator('#edge-forest-histogram .edge-forest-bar-flagged').count()) > 0);
      await shows(page, '#edge-forest-progress', /The reference of 200 readings judges/);
      assert.match(
        await page.locator('#edge-forest-channels tbody tr').first().innerText(),
        /^<b class="injected">current<\/b>\s+3\d(\.\d+)?\s+1[12](\.\d+)?\s+\d+ %/,
      );

      await page.selectOption('#node-input-thresholdMode', 'score');
      await page.fill('#node-input-scoreThreshold', '0.4');
      await page.click('#edge-forest-replay');
      const low = await shows(
        page,
        '#edge-forest-result',
        /^From a score of 0\.4: \d+ of \d+ readings in .*; now 2\.$/,
      );
      const flagged = Number(/: (\d+) of/.exec(low)?.[1]);
      assert.ok(flagged > 2, low);
      assert.equal(await marks('edge-forest-replayed'), flagged, 'a ring for each');
      assert.equal(await marks('edge-forest-flagged'), 2, 'what was flagged is still seen');
      await page.fill('#node-input-scoreThreshold', '1');
      await shows(page, '#edge-forest-result', /^From a score of 1: none of \d+ readings; now 2\.$/);
      assert.equal(await marks('edge-forest-replayed'), 0);
      await page.fill('#node-input-scoreThreshold', '2');
      await shows(page, '#edge-forest-live-failure', /CONFIG\s*Score\s*Property "scoreThreshold"/);
      await page.click('#edge-forest-replay');
      await page.waitForSelector('.edge-failure', { state: 'detached' });
      await shows(page, '#edge-forest-result', /^Flagged: 2 of/);

      await feed(station, 'press-2', 100);
      await page.waitForSelector('#edge-forest-source option[value="press-2"]', { state: 'attached' });
      await page.selectOption('#edge-forest-source', 'press-2');
      await shows(page, '#edge-forest-result', /^Flagged: none of/);
      assert.equal(await page.locator('#edge-forest-channels tr').count(), 0);

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
  await withDialog(t, 'node-red', 'forest', async (page, station, editor) => {
    await shows(page, '#edge-forest-live-state', /nothing yet/);
    let requests = 0;
    page.on('request', (request) => {
      requests += request.url().includes('/edge/iso-forest/') ? 1 : 0;
    });
    await page.clock.install();
    const polls = (): Promise<unknown> =>
      Promise.all([
        page.waitForResponse((response) => response.url().includes('/scores')),
        page.clock.fastForward(2100),
      ]);
    await page.click('#edge-forest-live-heading');
    await page.clock.fastForward(10_000);
    assert.equal(requests, 0, 'while folded');
    await page.click('#edge-forest-live-heading');
    await polls();
    await editor.closeDialog('cancel');
    const closed = requests;
    await page.clock.fastForward(10_000);
    await page.clock.fastForward(10_000);
    assert.equal((await fetch(`${station.url}/edge/status`)).status, 200);
    assert.equal(requests, closed);
    assert.deepEqual(editor.errors, [], 'the browser console');
  });
});

test('a node that does not run says what to do', async (t) => {
  await withDialog(t, 'node-red', 'broken', async (page) => {
    await shows(page, '#edge-forest-live-state', /does not run\. Deploy it first/);
    assert.equal(await page.isVisible('#edge-forest-replay'), false);
  });
});
