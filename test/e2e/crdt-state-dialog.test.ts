import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { inEditor, shows } from '../support/in-editor';
import type { FlowNode } from '../support/runtime';

/** A stranger chose this name. */
const KEY = 'plant1/<img src=x onerror="window.strangersScript=1">';

function replica(id: string, other: string, properties: object = {}): FlowNode[] {
  return [
    { id: `gateway-${id}`, type: 'edge-gateway', gatewayId: `gateway ${id}` },
    {
      ...{
        id,
        type: 'crdt-state',
        z: 'tab',
        name: '',
        gateway: `gateway-${id}`,
        space: 'line',
        x: 300,
        y: 100,
      },
      ...{ strategy: 'last_write_wins', transport: 'wire', broker: '', flushMs: 200, persist: true },
      rules: [
        { pattern: 'load/#', strategy: 'mean' },
        { pattern: 'parts', strategy: 'counter' },
      ],
      wires: [[], [other]],
      ...properties,
    },
  ];
}

const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'state' },
  ...replica('a', 'b'),
  ...replica('b', 'a'),
  ...replica('idle', 'idle', { space: 'empty', wires: [[], []] }),
];

async function merged(page: Page, strategy: string): Promise<string> {
  await page.selectOption('#node-input-strategy', strategy);
  return page.innerText('#crdt-state-merged');
}

for (const module of ['node-red', 'node-red-4'] as const) {
  test(`${module}: the example is worked out for any values, and rules are kept in their order`, async (t) => {
    await inEditor(t, { flow: FLOW, module }, async (editor) => {
      await editor.openDialog('a');
      const { page } = editor;
      assert.equal(await merged(page, 'last_write_wins'), '60');
      assert.equal(await merged(page, 'mean'), '30');
      assert.equal(await merged(page, 'min'), '10');
      assert.equal(await merged(page, 'counter'), '90');
      assert.equal(await merged(page, 'union'), '["a","b","c"]');
      assert.equal(await merged(page, 'set'), '["A17","B02"]');
      assert.equal(await merged(page, 'flag'), 'true');
      assert.equal(await merged(page, 'max'), '60');
      await page.locator('#crdt-state-writes input').first().fill('75');
      await shows(page, '#crdt-state-merged', /^75$/);

      const rows = page.locator('#node-input-rules-container li');
      assert.equal(await rows.count(), 2);
      await rows.nth(1).locator('.red-ui-editableList-item-handle').hover();
      await page.mouse.down();
      const first = await rows.nth(0).boundingBox();
      assert.ok(first);
      await page.mouse.move(first.x + 10, first.y + 10, { steps: 8 });
      await page.mouse.move(first.x + 10, first.y + 2, { steps: 4 });
      await page.mouse.up();
      await editor.closeDialog('ok');
      const { rules, strategy } = await editor.node('a');
      assert.deepEqual(rules, [
        { pattern: 'parts', strategy: 'counter' },
        { pattern: 'load/#', strategy: 'mean' },
      ]);
      assert.equal(strategy, 'max');
      assert.deepEqual(editor.errors, []);
    });
  });

  test(`${module}: keys, concurrent values and peers are seen live, and only while the section is open`, async (t) => {
    await inEditor(t, { flow: FLOW, module }, async (editor, station) => {
      await editor.openDialog('a');
      const { page } = editor;
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      await page.click('#crdt-state-live-heading');
      await shows(page, '#crdt-state-keys', /There is no key yet/);
      for (const [id, payload] of [
        ['a', 10],
        ['b', 50],
      ] as const) {
        station.inject(id, { topic: 'load/press', payload });
      }
      station.inject('a', { topic: 'parts', operation: 'increment', payload: 3 });
      station.inject('b', { topic: KEY, payload: { rpm: 1200 } });
      await shows(
        page,
        '#crdt-state-keys',
        /load\/press\s*30\s*written at the same time:\s*10 gateway a\s*50 gateway b\s*mean/,
      );
      await shows(page, '#crdt-state-keys', /plant1\/<img src=x/);
      await shows(page, '#crdt-state-peers', /gateway b\s*just now\s*0\s*0/);
      await shows(page, '#crdt-state-summary', /Keys: 3 · peers: 1 · pending: 0/);
      if (process.env.EDGE_SHOTS) {
        const shots = process.env.EDGE_SHOTS;
        await page.screenshot({ path: `${shots}/${module}-live.png` });
        await page.locator('#node-input-name').scrollIntoViewIfNeeded();
        await page.screenshot({ path: `${shots}/${module}-top.png` });
      }
      await page.fill('#crdt-state-find', 'PARTS');
      await page.waitForFunction(() => document.querySelectorAll('#crdt-state-keys tbody tr').length === 1);
      await shows(page, '#crdt-state-keys', /parts\s*3\s*counter/);
      assert.equal(await page.evaluate('window.strangersScript'), undefined);
      await page.click('#crdt-state-live-heading');
      const before = asked.length;
      await new Promise((resolve) => setTimeout(resolve, 2500));
      assert.equal(asked.length, before, 'a folded section asks for nothing');
      await editor.closeDialog('cancel');
      assert.deepEqual(editor.errors, []);
    });
  });
}

test('the live view of a node that is not deployed says so', async (t) => {
  await inEditor(t, { flow: FLOW }, async (editor, station) => {
    await editor.openDialog('idle');
    await fetch(`${station.url}/flows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ id: 'tab', type: 'tab' }]),
    });
    await editor.page.click('#crdt-state-live-heading');
    await shows(editor.page, '#crdt-state-live-state', /This node does not run\. Deploy it first/);
  });
});
