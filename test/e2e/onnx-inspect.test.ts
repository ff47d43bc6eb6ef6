import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import type { Editor } from '../support/editor';
import { inEditor, shows } from '../support/in-editor';
import * as onnx from '../support/onnx-builder';
import { packageRoot, prepareUserDir, type FlowNode } from '../support/runtime';

const CONFORMANCE = join(packageRoot, 'test', 'fixtures', 'onnx', 'conformance');
/** A stranger chose these names. */
const HOSTILE = '<img src=x onerror="window.strangersScript=1">';
const OVERSTRAINED =
  '{"type": 0, "air_temperature": 300, "process_temperature": 310, "rotational_speed": 1400, "torque": 70, "tool_wear": 210}';
const CHANNELS = [
  ...['type', 'air_temperature', 'process_temperature', 'rotational_speed', 'torque', 'tool_wear'],
];

function detect(id: string, properties: object): FlowNode {
  return {
    id,
    type: 'onnx-detect',
    z: 'tab',
    name: '',
    ...{ model: 'models/broken.onnx', digest: '', features: [], task: 'auto', output: '', positive: '' },
    ...{ threshold: '', votes: 1, voteWindow: 1, holdOff: 0, missing: 'reject', batchSize: 64 },
    ...{ batchDelayMs: 0, queueLimit: 10_000, overload: 'reject', providers: ['cpu'], shadow: '' },
    x: 300,
    y: 100,
    wires: [[], []],
    ...properties,
  };
}

const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'inspect' },
  detect('detect', {}),
  detect('window', { model: 'models/torch-lstm.onnx' }),
  detect('hostile', { model: 'models/hostile.onnx', threshold: 0.1, task: 'reconstruct' }),
];

function install(userDir: string): void {
  prepareUserDir(userDir);
  const models = join(userDir, 'models');
  mkdirSync(models);
  writeFileSync(join(models, 'broken.onnx'), 'this is no model');
  for (const file of ['torch-lstm.onnx', 'torch-lstm.json']) {
    copyFileSync(join(CONFORMANCE, file), join(models, file));
  }
  const hostile = onnx.model(
    {
      nodes: [onnx.node('Abs', [HOSTILE], [`${HOSTILE}y`])],
      inputs: [onnx.value(HOSTILE, onnx.FLOAT, ['N', 3])],
      outputs: [onnx.value(`${HOSTILE}y`, onnx.FLOAT, ['N', 3])],
    },
    { [HOSTILE]: HOSTILE },
  );
  writeFileSync(join(models, 'hostile.onnx'), hostile);
  const features = ['a', 'b', 'c'].map((name) => ({ name: name + HOSTILE, unit: HOSTILE }));
  const card = { name: HOSTILE, version: HOSTILE, features, license: HOSTILE, limits: [HOSTILE.repeat(3)] };
  writeFileSync(join(models, 'hostile.json'), JSON.stringify(card));
}

async function withEditor(
  t: TestContext,
  module: 'node-red' | 'node-red-4',
  work: (page: Page, editor: Editor) => Promise<void>,
): Promise<void> {
  await inEditor(t, { flow: FLOW, module, install }, async (editor) => {
    await work(editor.page, editor);
    assert.deepEqual(editor.errors, [], 'the browser console');
  });
}

const PANEL = '#edge-onnx-model';
const OUTCOME = '#edge-onnx-outcome';
const HINT = '#edge-onnx-features-hint';

async function run(page: Page, sample?: string): Promise<void> {
  if (sample !== undefined) {
    await page.fill('#edge-onnx-sample', sample);
  }
  await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('/edge/onnx-detect/try')),
    page.click('#edge-onnx-try'),
  ]);
}

for (const module of ['node-red', 'node-red-4'] as const) {
  test(`${module}: a model is chosen, inspected, tried and saved`, async (t) => {
    await withEditor(t, module, async (page, editor) => {
      await editor.openDialog('detect');
      await page.click('#edge-onnx-inspect');
      await shows(page, `${PANEL} .edge-failure`, /MODEL_INVALID\s*Property "model" or "providers"/);

      await page.click('#edge-onnx-choose-model');
      const menu = '.red-ui-autoComplete-container:visible';
      await shows(page, `${menu} li`, /builtin:cnc-failure\s*cnc-failure 1\.0\.0 · classify · 122 KB/);
      await page.locator(`${menu} li`).filter({ hasText: 'builtin:cnc-failure' }).click();
      assert.equal(await page.inputValue('#node-input-model'), 'builtin:cnc-failure');
      await shows(page, '#edge-onnx-inspect-state', /settings have changed since/);

      await page.click('#edge-onnx-inspect');
      await shows(page, `${PANEL} .edge-onnx-title`, /cnc-failure\s*1\.0\.0\s*122 KB/);
      assert.equal(await page.locator(`${PANEL} .edge-failure`).count(), 0);
      const panel = await page.innerText(PANEL);
      assert.match(panel, /e9dc32370fb766be2c0e3d4446efb0b865f38fc1300a55ba0893ab15ffd19455\s*pin/);
      assert.match(panel, /5\s+torque\s+Nm\s+3\.8 … 76\.6/);
      assert.match(panel, /Threshold\s+0\.5 \(from the model card\)/);
      assert.equal(await page.locator(`${PANEL} .edge-onnx-failing`).count(), 4);
      await page.click(`${PANEL} summary:has-text("Inputs and outputs")`);
      await shows(page, `${PANEL} .edge-table`, /features\s*float32\s*\[N, 6\]/);
      await page.click(`${PANEL} summary:has-text("Model card")`);
      await shows(page, `${PANEL} .edge-onnx-card`, /License\s*Apache-2\.0/);

      await page.click('.edge-onnx-pin');
      await shows(page, '.edge-onnx-pin', /pinned/);
      await page.click('#edge-onnx-inspect');
      await page.waitForSelector(`${PANEL}:not(.edge-onnx-stale)`);

      await page.fill('#node-input-features-lines', 'type\ntorque');
      await shows(page, HINT, /2 channels are listed, and the model takes 6/);
      await page.fill('#node-input-features-lines', [...CHANNELS].reverse().join('\n'));
      await shows(
        page,
        HINT,
        /same channels as in the model card.*place 1 is “tool_wear” here and “type” there/,
      );
      await page.click(`${HINT} button`);
      assert.equal(await page.inputValue('#node-input-features-lines'), CHANNELS.join('\n'));
      await page.waitForSelector(HINT, { state: 'hidden' });

      await page.click('#edge-onnx-try-heading');
      assert.match(await page.inputValue('#edge-onnx-sample'), /"torque": 40/, 'the card’s sample');
      await run(page);
      await shows(page, `${OUTCOME} .edge-onnx-clear`, /0\.0003542\s*Clear\s*below the threshold of 0\.5/);
      await run(page, OVERSTRAINED);
      await shows(page, `${OUTCOME} .edge-onnx-detected`, /Detected\s*reaches the threshold of 0\.5/);
      await shows(page, `${OUTCOME} .edge-onnx-label`, /OSF/);
      await shows(page, `${OUTCOME} .edge-table`, /OSF\s*0\.4911/);
      await page.fill('#node-input-threshold', '0.99999999');
      await page.waitForSelector(`${OUTCOME}.edge-onnx-stale`);
      await run(page);
      await page.waitForSelector(`${OUTCOME}:not(.edge-onnx-stale)`);
      await shows(page, `${OUTCOME} .edge-onnx-clear`, /below the threshold of 1/);
      await run(page, '{"torque": 70}');
      await shows(page, `${OUTCOME} .edge-failure`, /FEATURE_MISSING\s*Feature "type" is missing/);
      await page.fill('#edge-onnx-sample', '{"torque":');
      await page.click('#edge-onnx-try');
      await shows(page, `${OUTCOME} .edge-failure`, /SAMPLE\s*The sample is no JSON/);

      await page.fill('#node-input-shadow', 'models/torch');
      await page.press('#node-input-shadow', 'End');
      await page.locator(`${menu} li`).filter({ hasText: 'models/torch-lstm.onnx' }).click();
      await editor.closeDialog('ok');
      const { model, digest, features, threshold, shadow } = await editor.node('detect');
      assert.deepEqual(
        [model, features, threshold, shadow],
        ['builtin:cnc-failure', CHANNELS, '0.99999999', 'models/torch-lstm.onnx'],
      );
      assert.match(String(digest), /^e9dc3237[0-9a-f]{56}$/);
    });
  });
}

test('of a model with a window one reading stands for all, and a list makes a window', async (t) => {
  await withEditor(t, 'node-red', async (page, editor) => {
    await editor.openDialog('window');
    await page.click('#edge-onnx-inspect');
    await shows(page, PANEL, /Looks at the last 16 readings of a source at once/);
    await page.click('#edge-onnx-try-heading');
    assert.match(await page.inputValue('#edge-onnx-sample'), /"z": 0/);
    await run(page);
    await shows(page, OUTCOME, /0\.004249\s*Clear[\s\S]*stands for all 16 of the window/);
    await run(page, '[{"x": 1, "y": 1, "z": 1}, {"x": 2, "y": 2, "z": 2}]');
    await shows(page, OUTCOME, /the window needs 16 readings, and the sample has 2/);
  });
});

test('what a stranger wrote into a model is text and nothing else', async (t) => {
  await withEditor(t, 'node-red', async (page, editor) => {
    await editor.openDialog('hostile');
    await page.click('#edge-onnx-choose-model');
    await shows(page, '.red-ui-autoComplete-container:visible li', /hostile\.onnx\s*<img src=x/);
    await page.keyboard.press('Escape');
    await page.click('#edge-onnx-inspect');
    await shows(page, `${PANEL} .edge-onnx-title`, /^<img src=x onerror/);
    await page.evaluate(() => document.querySelectorAll('details').forEach((part) => (part.open = true)));
    await page.fill('#node-input-features-lines', 'a\nb\nc');
    await shows(page, HINT, /Place 1 is “a” here and “a<img src=x/);
    await page.click(`${HINT} button`);
    await page.click('#edge-onnx-try-heading');
    await run(page, '[1, -2, 3]');
    await shows(page, `${OUTCOME} .edge-table`, /b<img src=x/);
    await page.click(`${OUTCOME} summary`);
    await shows(page, `${OUTCOME} pre`, /^<img src=x/);
    assert.equal(
      await page.locator('.red-ui-tray img[src="x"], .red-ui-popover-panel img[src="x"]').count(),
      0,
    );
    assert.equal(
      await page.evaluate(() => (globalThis as { strangersScript?: number }).strangersScript),
      undefined,
    );
  });
});

test('a model that is not there, and a dialog that is closed while it waits', async (t) => {
  await withEditor(t, 'node-red', async (page, editor) => {
    await editor.openDialog('detect');
    await page.fill('#node-input-model', 'models/typo.onnx');
    await page.keyboard.press('Escape');
    await page.click('#edge-onnx-inspect');
    await shows(
      page,
      `${PANEL} .edge-failure`,
      /MODEL_NOT_FOUND[\s\S]*Available: builtin:[\s\S]*builtin:cnc-failure/,
    );
    // The browser reports the 404 by itself.
    assert.match(editor.errors.splice(0).join(), /404/);
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    await page.route('**/edge/onnx-detect/inspect', async (route) => {
      await held;
      await route
        .fulfill({ json: { failure: { code: 'LATE', message: 'too late' } } })
        .catch(() => undefined);
    });
    const asked = page.waitForRequest('**/edge/onnx-detect/inspect');
    await page.click('#edge-onnx-inspect');
    await asked;
    assert.equal(await page.isDisabled('#edge-onnx-inspect'), true);
    const aborted = page.waitForEvent('requestfailed');
    await editor.closeDialog('cancel');
    await aborted;
    answer();
    await editor.openDialog('window');
    assert.equal(await page.isVisible(PANEL), false);
  });
});
