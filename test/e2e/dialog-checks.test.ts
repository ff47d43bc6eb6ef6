import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { Canvas } from '../support/canvas';
import { inEditor } from '../support/in-editor';
import { packageRoot, type FlowNode } from '../support/runtime';

const DEFAULTS = JSON.parse(
  readFileSync(join(packageRoot, 'test', 'fixtures', 'contract-defaults.json'), 'utf8'),
) as Record<string, object>;

const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'checks' },
  {
    ...DEFAULTS['sensor-ingest'],
    ...{ id: 'ingest', type: 'sensor-ingest', z: 'tab', x: 300, y: 100, wires: [[], [], []] },
  },
  { id: 'state', type: 'crdt-state', z: 'tab', x: 300, y: 200, wires: [[], []] },
  {
    ...{ id: 'known', type: 'onnx-detect', z: 'tab', x: 300, y: 300, model: 'builtin:cnc-failure' },
    ...{ votes: 1, voteWindow: 5, wires: [[], []] },
  },
  { id: 'gateway', type: 'edge-gateway', name: 'Press shop' },
];

for (const module of ['node-red', 'node-red-4'] as const) {
  test(`${module}: a check that depends on another field sees what is entered there, before Done`, async (t) => {
    await inEditor(t, { flow: FLOW, module }, async (editor) => {
      const { page, errors } = editor;
      const canvas = new Canvas(page);
      assert.equal(await canvas.isMarked('ingest'), false);
      await editor.openDialog('ingest');
      const [source, topic] = ['#node-input-source', '#node-input-topic'];
      await canvas.enter(source, 'mqtt');
      await isWrong(page, topic);
      await canvas.enter(topic, 'plant/#/spindle');
      assert.match(await canvas.complaint(topic), /plant\/#\/spindle/);
      await canvas.enter(topic, 'plant/+/spindle');
      await isFine(page, topic);
      await canvas.enter(topic, '');
      await isWrong(page, topic);
      await canvas.enter(source, 'wire');
      await isFine(page, topic);

      const kind = '#node-input-toleranceType';
      await canvas.enter('#node-input-reduce', 'deadband');
      await canvas.enter(kind, 'percent');
      assert.match(await canvas.complaint(kind), /min and max/);
      await page.locator('.red-ui-editableList-addButton').first().click();
      for (const [column, value] of Object.entries({ name: 'torque', path: 'torque', min: '0', max: '80' })) {
        await canvas.enter(`.edge-ingest-columns .edge-ingest-${column}`, value);
      }
      await isFine(page, kind);
      await canvas.enter('.edge-ingest-columns .edge-ingest-max', '');
      await isWrong(page, kind);
      await canvas.enter('#node-input-reduce', 'none');
      await isFine(page, kind);

      await canvas.enter('#node-input-window', 'count');
      await page.locator('.edge-ingest-features').getByLabel('dominantFrequency').check();
      await editor.closeDialog('ok');
      assert.equal(await canvas.isMarked('ingest'), true, 'a frequency without a sample rate');

      await editor.openDialog('state');
      await canvas.enter('#node-input-transport', 'mqtt');
      await isWrong(page, '#node-input-broker');
      await canvas.enter('#node-input-transport', 'wire');
      await isFine(page, '#node-input-broker');
      await editor.closeDialog('cancel');

      assert.equal(
        (await editor.node('state')).transport,
        undefined,
        'looking at what is entered saves nothing',
      );

      await editor.openDialog('known');
      await canvas.enter('#node-input-votes', '4');
      await isFine(page, '#node-input-votes');
      await canvas.enter('#node-input-voteWindow', '3');
      await isWrong(page, '#node-input-votes');
      await editor.closeDialog('cancel');

      await editor.openConfigDialog('edge-gateway', 'gateway');
      await page.click('#gateway-remote-heading');
      await page.check('#node-config-input-remote');
      await isWrong(page, '#node-config-input-remoteKey');
      await page.uncheck('#node-config-input-remote');
      await isFine(page, '#node-config-input-remoteKey');
      await editor.closeDialog('cancel');
      assert.deepEqual(errors, []);
    });
  });
}

async function isWrong(page: Page, field: string): Promise<void> {
  await page.locator(`${field}.input-error`).waitFor({ state: 'attached' });
}

/** Waits until a field is not marked as wrong. */
async function isFine(page: Page, field: string): Promise<void> {
  await page.locator(`${field}:not(.input-error)`).waitFor({ state: 'attached' });
}
