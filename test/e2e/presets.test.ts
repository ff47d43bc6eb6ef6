import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBrokerConfig } from '../../nodes/edge-broker/config';
import { BROKER_PRESETS } from '../../nodes/edge-broker/presets';
import { parseHttpConfig } from '../../nodes/edge-http/config';
import { HTTP_PRESETS } from '../../nodes/edge-http/presets';
import { inEditor } from '../support/in-editor';
import type { FlowNode } from '../support/runtime';

const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'presets' },
  { id: 'broker', type: 'edge-broker', name: '' },
  { id: 'web', type: 'edge-http', name: '' },
];

const DIALOGS = [
  { type: 'edge-broker', id: 'broker', presets: BROKER_PRESETS, parse: parseBrokerConfig },
  { type: 'edge-http', id: 'web', presets: HTTP_PRESETS, parse: parseHttpConfig },
];

test('a preset fills the dialog of a connection, says what is left to do, and is valid once the address is', async (t) => {
  await inEditor(t, { flow: FLOW }, async (editor) => {
    const { page } = editor;
    for (const { type, id, presets, parse } of DIALOGS) {
      for (const preset of presets) {
        await editor.openConfigDialog(type, id);
        await page.fill('#node-config-input-url', '');
        await page.selectOption(`#${type}-preset`, preset.id);
        const hint = page.locator(`#${type}-preset-hint`);
        assert.ok((await hint.innerText()).length > 60, preset.id);
        const url = await page.inputValue('#node-config-input-url');
        assert.equal(url, preset.fields.url);
        const marked = await page.locator('#node-config-input-url.input-error').count();
        assert.equal(marked, 1, `${preset.id}: the address is not complete`);
        const own = url.replace(/<(\w+)>/g, 'my$1');
        await page.fill('#node-config-input-url', own);
        if (preset.fields.shareClientId) {
          await page.fill('#node-config-input-clientId', 'press7');
        }
        // Chosen again, it leaves an address alone that a person has entered.
        await page.selectOption(`#${type}-preset`, '');
        await page.selectOption(`#${type}-preset`, preset.id);
        await editor.closeDialog('ok');
        const node = await editor.node(id);
        assert.equal(node.url, own);
        for (const [property, value] of Object.entries(preset.fields)) {
          if (property !== 'url') {
            assert.equal(String(node[property]), String(value), `${preset.id} ${property}`);
          }
        }
        assert.equal('preset' in node, false);
        parse(node);
      }
    }
    assert.deepEqual(editor.errors, []);
  });
});
