import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Editor } from '../support/editor';
import { inEditor } from '../support/in-editor';
import { packageRoot, type FlowNode } from '../support/runtime';
import type { Station } from '../support/station';
import { readFlow } from '../support/template';

const NODES = ['sensor-ingest', 'onnx-detect', 'iso-forest', 'crdt-state', 'resilient-uplink'];
const CONFIG_NODES = ['edge-gateway', 'edge-broker', 'edge-http'];

function flow(): FlowNode[] {
  return [
    { id: 'tab', type: 'tab', label: 'dialogs' },
    ...NODES.map((type, index) => ({
      id: `a-${type}`,
      type,
      z: 'tab',
      name: '',
      x: 200,
      y: 80 * (index + 1),
      wires: [],
    })),
    ...CONFIG_NODES.map((type) => ({ id: `a-${type}`, type, name: '' })),
  ];
}

async function withEditor(
  t: TestContext,
  module: 'node-red' | 'node-red-4',
  work: (editor: Editor, station: Station) => Promise<void>,
  nodes: FlowNode[] = flow(),
): Promise<void> {
  await inEditor(t, { flow: nodes, module }, async (editor, station) => {
    await work(editor, station);
    assert.deepEqual(editor.errors, [], 'the browser console');
  });
}

/** Locale keys that were shown instead of a text. */
function untranslated(text: string): string[] {
  return (
    text.match(
      /(?:sensor-ingest|onnx-detect|iso-forest|crdt-state|resilient-uplink|edge-\w+)\.[a-z][\w.-]+/g,
    ) ?? []
  );
}

for (const module of ['node-red', 'node-red-4'] as const) {
  test(`${module}: every dialog opens in words, keeps what was entered and logs no error`, async (t) => {
    await withEditor(t, module, async (editor) => {
      const palette = await editor.paletteTypes();
      for (const type of NODES) {
        assert.ok(palette.includes(type), `${type} is not in the palette`);
        await editor.openDialog(`a-${type}`);
        const text = await editor.dialogText();
        assert.deepEqual(untranslated(text), [], type);
        await editor.page.fill('#node-input-name', 'press');
        await editor.closeDialog('ok');
        const node = await editor.node(`a-${type}`);
        assert.equal(node.name, 'press');
      }
      for (const type of CONFIG_NODES) {
        await editor.openConfigDialog(type, `a-${type}`);
        assert.deepEqual(untranslated(await editor.dialogText()), [], type);
        await editor.closeDialog('cancel');
      }
    });
  });
}

test('opening and closing a dialog of the template changes none of its properties', async (t) => {
  const template = readFlow('predictive-maintenance');
  await withEditor(
    t,
    'node-red',
    async (editor) => {
      for (const { id, type } of template.filter((entry) => NODES.includes(entry.type))) {
        const before = await editor.node(id);
        await editor.openDialog(id);
        await editor.closeDialog('ok');
        const after = await editor.node(id);
        for (const property of Object.keys(template.find((entry) => entry.id === id) ?? {})) {
          assert.deepEqual(after[property], before[property], `${type}.${property}`);
        }
      }
    },
    template,
  );
});

test('a dropped node holds every property of the contract, with its default', async (t) => {
  await withEditor(t, 'node-red', async (editor) => {
    for (const type of NODES) {
      const defaults = await editor.page.evaluate((nodeType) => {
        const red = (
          globalThis as unknown as {
            RED: { nodes: { getType(type: string): { defaults: Record<string, { value: unknown }> } } };
          }
        ).RED;
        return Object.fromEntries(
          Object.entries(red.nodes.getType(nodeType).defaults).map(([name, { value }]) => [name, value]),
        );
      }, type);
      const expected = contractDefaults()[type];
      for (const [property, value] of Object.entries(expected)) {
        assert.ok(property in defaults, `${type} lacks ${property}`);
        assert.deepEqual(defaults[property], value, `${type}.${property}`);
      }
    }
  });
});

/** The defaults that the contract names, node by node. */
function contractDefaults(): Record<string, Record<string, unknown>> {
  return JSON.parse(
    readFileSync(join(packageRoot, 'test', 'fixtures', 'contract-defaults.json'), 'utf8'),
  ) as Record<string, Record<string, unknown>>;
}
