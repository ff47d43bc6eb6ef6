import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import type { Page } from 'playwright-core';
import { startBroker } from '../../scripts/demo/broker';
import { Canvas } from './canvas';
import type { Editor } from './editor';
import { shows } from './in-editor';
import { packageRoot } from './runtime';
import type { Station } from './station';

/** A value that a person enters; `wrong` first, which the editor has to mark and to explain. */
interface Entry {
  field: string;
  value: string;
  wrong?: [value: string, complaint: RegExp];
  /** The heading that has to be unfolded before. */
  under?: string;
}

interface Subject {
  type: string;
  status: RegExp;
  /** A configuration node that is made with a button of the dialog, and opened again with another. */
  config?: { button: string; edit: string; under?: string; entries: Entry[] };
  entries: Entry[];
}

/** What is entered in each dialog; those of configuration nodes are reached through the nodes that use them. */
function subjects(broker: string): Subject[] {
  return [
    {
      type: 'sensor-ingest',
      status: /listening/,
      config: {
        button: '#node-input-btn-broker-add',
        edit: '#node-input-btn-broker-edit',
        entries: [
          { field: '#node-config-input-name', value: 'machines' },
          { field: '#node-config-input-url', value: broker, wrong: ['broker', /mqtt:\/\/host:1883/] },
          { field: '#node-config-input-protocolVersion', value: '4' },
          {
            field: '#node-config-input-keepalive',
            value: '20',
            wrong: ['-1', /Keep.?alive.* must be at least 0/i],
          },
        ],
      },
      entries: [
        { field: '#node-input-name', value: 'Readings' },
        { field: '#node-input-topic', value: 'plant1/#' },
        {
          field: '#node-input-lateness',
          value: '30',
          wrong: ['-1', /must be at least 0/],
          under: '#edge-ingest-limits-heading',
        },
      ],
    },
    {
      type: 'onnx-detect',
      status: /cnc-failure · cpu/,
      entries: [
        { field: '#node-input-name', value: 'Known failures' },
        { field: '#node-input-threshold', value: '0.6', wrong: ['high', /Threshold.* must be a number/] },
        { field: '#node-input-holdOff', value: '30', wrong: ['-1', /must be at least 0/] },
      ],
    },
    {
      type: 'iso-forest',
      status: /learning: 1 of 1/,
      entries: [
        { field: '#node-input-name', value: 'Unusual' },
        { field: '#node-input-warmup', value: '20', wrong: ['1', /Warm-up.* must be at least 2/] },
        { field: '#node-input-thresholdMode', value: 'contamination' },
        {
          field: '#node-input-contamination',
          value: '0.05',
          wrong: ['0.9', /must be at most 0\.5/],
        },
      ],
    },
    {
      type: 'crdt-state',
      status: /\d+ keys/,
      config: {
        button: '#node-input-btn-gateway-add',
        edit: '#node-input-btn-gateway-edit',
        under: '#crdt-state-more-heading',
        entries: [
          { field: '#node-config-input-name', value: 'Press shop' },
          { field: '#node-config-input-site', value: 'plant1' },
          {
            field: '#node-config-input-telemetryInterval',
            value: '45',
            wrong: ['0', /must be at least 1/],
            under: '#gateway-telemetry-heading',
          },
        ],
      },
      entries: [
        { field: '#node-input-name', value: 'State' },
        { field: '#node-input-space', value: 'line', wrong: ['line/1', /without \/, \+ and #/] },
        { field: '#node-input-strategy', value: 'mean' },
        {
          field: '#node-input-flushMs',
          value: '250',
          wrong: ['-5', /must be at least 0/],
        },
      ],
    },
    {
      type: 'resilient-uplink',
      status: /sending via factory|offline/,
      config: {
        button: '#uplink-add-edge-http',
        edit: '#uplink-connections button:has(.fa-pencil)',
        entries: [
          { field: '#node-config-input-name', value: 'factory' },
          {
            field: '#node-config-input-url',
            value: 'http://127.0.0.1:9/in',
            wrong: ['127.0.0.1/in', /https:\/\/host\/path/],
          },
          { field: '#node-config-input-token', value: 'secret token' },
          { field: '#node-config-input-timeout', value: '3', wrong: ['0', /must be at least 0\.1/] },
        ],
      },
      entries: [
        { field: '#node-input-name', value: 'Cloud' },
        {
          field: '#node-input-topic',
          value: 'edge/{gateway}/{topic}',
          wrong: ['{machine}', /no other braces/],
        },
        { field: '#node-input-ttl', value: '3600', wrong: ['-1', /must be at least 0/] },
      ],
    },
  ];
}

async function fill(page: Page, canvas: Canvas, entries: readonly Entry[]): Promise<void> {
  // Why a field is wrong comes up after most of a second: one a dialog is read, of the others the mark is enough.
  let explained = false;
  for (const { field, value, wrong, under } of entries) {
    if (under !== undefined) {
      await page.click(under);
    }
    if (wrong !== undefined) {
      await canvas.enter(field, wrong[0]);
      await page.locator(`${field}.input-error`).waitFor();
      if (!explained) {
        assert.match(await canvas.complaint(field), wrong[1], field);
        explained = true;
      }
    }
    await canvas.enter(field, value);
    assert.equal(await page.locator(`${field}.input-error`).count(), 0, `${field} is right now`);
  }
}

/** What the fields of the open dialog hold, as far as they were entered. */
async function assertKept(page: Page, entries: readonly Entry[]): Promise<void> {
  for (const { field, value } of entries) {
    const expected = (await page.getAttribute(field, 'type')) === 'password' ? '__PWRD__' : value;
    assert.equal(await page.inputValue(field), expected, field);
  }
}

/** Opens the dialog of a configuration node with a button, whose heading may have to be unfolded before. */
async function openConfig(
  page: Page,
  canvas: Canvas,
  button: string,
  under: string | undefined,
): Promise<void> {
  if (under !== undefined) {
    await page.click(under);
  }
  await page.click(button);
  await canvas.standsStill();
}

/** Everything that a person does with the suite on the first day, by mouse and keyboard. */
export async function firstUse(editor: Editor, station: Station): Promise<void> {
  const { page } = editor;
  const canvas = new Canvas(page);
  const broker = await startBroker();
  const nodes = subjects(broker.url);
  try {
    const ids: string[] = [];
    for (const [index, { type, config, entries }] of nodes.entries()) {
      const id = await canvas.drop(type, 260, 90 + 100 * index);
      ids.push(id);
      await canvas.open(id);
      if (type === 'sensor-ingest') {
        await page.selectOption('#node-input-source', 'mqtt');
      }
      if (config) {
        await openConfig(page, canvas, config.button, config.under);
        await fill(page, canvas, config.entries);
        await canvas.done();
      }
      await fill(page, canvas, entries);
      await canvas.done();
      assert.equal(await canvas.isMarked(id), false, `${type} is valid`);
    }
    const [ingest, , forest] = ids;
    await canvas.wire(ingest, 0, forest);
    await staysMarked(page, canvas, forest);
    await canvas.deploy();
    await canvas.shows(ingest, /listening/);
    await publish(broker.url);
    for (const [index, id] of ids.entries()) {
      await canvas.shows(id, nodes[index].status);
    }

    await page.reload({ waitUntil: 'domcontentloaded' });
    await page.waitForSelector(`g[id="${ids[4]}"]`);
    for (const [index, { type, config, entries }] of nodes.entries()) {
      await canvas.open(ids[index]);
      await assertKept(page, entries);
      if (config) {
        await openConfig(page, canvas, config.edit, config.under);
        await assertKept(page, config.entries);
        await canvas.done();
      }
      assert.equal(await page.locator('.red-ui-tray .input-error').count(), 0, `${type} is valid`);
      await canvas.done();
    }
    await sidebarShows(page, ids);
    await examplesAreOffered(page);
    assert.deepEqual(editor.errors, [], 'the browser console');
    assert.deepEqual(
      station.problems().filter(({ msg }) => !/ECONNREFUSED|127\.0\.0\.1:9/.test(String(msg))),
      [],
    );
  } finally {
    await broker.close();
  }
}

/** A wrong value that is left in place is marked on the canvas, and a deployment asks first. */
async function staysMarked(page: Page, canvas: Canvas, id: string): Promise<void> {
  await canvas.open(id);
  await canvas.enter('#node-input-votes', '0');
  await canvas.done();
  assert.ok(await canvas.isMarked(id), 'a triangle on the canvas');
  await page.click('#red-ui-header-button-deploy');
  const question = page.locator('.red-ui-notification', { hasText: 'not properly configured' });
  await question.getByRole('button', { name: 'Cancel' }).click();
  await canvas.open(id);
  await canvas.enter('#node-input-votes', '1');
  await canvas.done();
  assert.equal(await canvas.isMarked(id), false);
}

async function publish(url: string): Promise<void> {
  const machines = await connectAsync(url, { protocolVersion: 4 });
  for (let n = 0; n < 5; n++) {
    await machines.publishAsync('plant1/press', JSON.stringify({ a: n, b: -n }), { qos: 1 });
  }
  await machines.endAsync();
}

/** The tab opens with its button and has a card for each node, with what it has received. */
async function sidebarShows(page: Page, ids: readonly string[]): Promise<void> {
  // Node-RED 5 has a button for each tab; 4.1 a menu of those that have no place.
  const button = page.locator(
    'button[data-tab-id="millwright-edge"], #red-ui-tab-millwright-edge-link-button',
  );
  if (await button.first().isVisible()) {
    await button.first().click();
  } else {
    await page.locator('.red-ui-tab-link-button-menu').last().click();
    await page.locator('.red-ui-menu-dropdown a:visible', { hasText: 'Edge station' }).click();
  }
  await shows(page, '.edge-sidebar', /Press shop · plant1/);
  for (const id of ids) {
    await page.locator(`.edge-card[data-node="${id}"]`).waitFor();
  }
  await shows(page, `.edge-card[data-node="${ids[0]}"]`, /Readings/);
}

/** Import → Examples lists every flow of the package, and brings the one that is chosen. */
async function examplesAreOffered(page: Page): Promise<void> {
  await page.locator('#red-ui-workspace-chart').press('Control+i');
  await page.click('#red-ui-tab-red-ui-clipboard-dialog-import-tab-examples');
  const tree = page.locator('#red-ui-clipboard-dialog-import-tab-examples');
  await tree.getByText('@millwright/node-red-edge').click();
  for (const file of readdirSync(join(packageRoot, 'flows')).filter((name) => name.endsWith('.json'))) {
    await tree.getByText(file.slice(0, -'.json'.length), { exact: true }).waitFor();
  }
  await tree.getByText('quickstart', { exact: true }).click();
  await page.click('#red-ui-clipboard-dialog-import-opt-new');
  await page.click('#red-ui-clipboard-dialog-ok');
  await page.locator('.red-ui-tab-label', { hasText: 'Quickstart' }).first().waitFor();
}
