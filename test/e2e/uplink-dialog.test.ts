import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { Canvas } from '../support/canvas';
import type { Editor } from '../support/editor';
import { inEditor, shows } from '../support/in-editor';
import { freePort, Mosquitto } from '../support/mosquitto';
import type { FlowNode } from '../support/runtime';
import type { Station } from '../support/station';
import { needProgram } from '../support/tools';
import { QUICK } from '../support/uplink-flow';

interface Scene {
  page: Page;
  editor: Editor;
  station: Station;
  /** Bodies that the HTTP destination has taken. */
  taken: string[];
  /** Whether it refuses bodies that begin with "bad". */
  strict: { on: boolean };
  methods: string[];
}

/** An HTTP destination that refuses what begins with "bad" for good. */
async function destination(taken: string[], strict: { on: boolean }, methods: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      methods.push(request.method ?? '');
      const refused = strict.on && body.startsWith('bad');
      response.statusCode = refused ? 422 : 204;
      if (!refused && request.method === 'POST') {
        taken.push(body);
      }
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  server.unref();
  await once(server, 'listening');
  return server;
}

function flow(web: string, broker: string, gone: string): FlowNode[] {
  return [
    { id: 'tab', type: 'tab', label: 'uplink' },
    { id: 'gone', type: 'edge-broker', name: 'old server', url: gone },
    { id: 'web', type: 'edge-http', name: 'factory', url: web },
    { id: 'cloud', type: 'edge-broker', name: 'region', url: broker },
    { id: 'in', type: 'http in', z: 'tab', url: '/feed', method: 'post', wires: [['set']] },
    {
      ...{ id: 'set', type: 'function', z: 'tab', outputs: 2, wires: [['uplink'], ['out']] },
      func: 'return [{ topic: msg.req.query.topic, payload: msg.req.query.payload }, { ...msg, payload: "" }];',
    },
    { id: 'out', type: 'http response', z: 'tab', wires: [] },
    {
      ...{ id: 'uplink', type: 'resilient-uplink', z: 'tab', name: 'up', x: 300, y: 100, wires: [[], []] },
      ...{ connections: ['gone', 'web', 'cloud'], ...QUICK, healthInterval: 1, retryMaxMs: 60000 },
    },
    {
      ...{ id: 'fresh', type: 'resilient-uplink', z: 'tab', name: '', x: 300, y: 200, wires: [[], []] },
      ...{ connections: [], d: true },
    },
  ];
}

async function withScene(t: TestContext, work: (scene: Scene) => Promise<void>): Promise<void> {
  const program = needProgram(t, 'mosquitto');
  if (program === undefined) {
    return;
  }
  const mosquitto = await Mosquitto.start(program);
  const taken: string[] = [];
  const strict = { on: true };
  const methods: string[] = [];
  const server = await destination(taken, strict, methods);
  const web = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  try {
    const nodes = flow(web, mosquitto.url, `mqtt://127.0.0.1:${await freePort()}`);
    await inEditor(t, { flow: nodes }, async (editor, station) => {
      await work({ page: editor.page, editor, station, taken, strict, methods });
    });
  } finally {
    server.close();
    await mosquitto.stop();
  }
}

async function feed(station: Station, topic: string, payload: string): Promise<void> {
  const query = new URLSearchParams({ topic, payload });
  assert.equal((await fetch(`${station.url}/feed?${query.toString()}`, { method: 'POST' })).status, 200);
}

function rowOf(page: Page, name: string): Locator {
  return page
    .locator('#uplink-connections li')
    .filter({ has: page.locator(`option:checked:text("${name}")`) });
}

async function rowShows(page: Page, name: string, place: string, text: RegExp): Promise<void> {
  await rowOf(page, name).locator(place).filter({ hasText: text }).waitFor({ timeout: 15_000 });
}

test('each connection shows how it is doing and is tried on demand, and dragging one changes the order', async (t) => {
  await withScene(t, async ({ page, editor, station, methods, taken }) => {
    await feed(station, 'press', 'first');
    await editor.openDialog('uplink');
    await rowShows(page, 'old server', '.edge-uplink-state', /not working.*(ECONNREFUSED|refused)/);
    await rowShows(page, 'factory', '.edge-uplink-state', /^sending/);
    await rowShows(page, 'region', '.edge-uplink-state', /^standing by/);
    const title = await rowOf(page, 'old server').locator('.edge-uplink-state').getAttribute('title');
    assert.match(title ?? '', /it failed and is tried again by itself[^]*Failures in a row: \d+[^]*refused/i);

    for (const [name, result] of [
      ['region', /It works\. 127\.0\.0\.1:\d+ accepted the login in \d+ ms\.[^]*nothing was published/],
      ['factory', /It works\. 127\.0\.0\.1:\d+ answered in \d+ ms\.[^]*HEAD/],
      ['old server', /It does not work\. Nothing listens at 127\.0\.0\.1:\d+\./],
    ] as const) {
      await rowOf(page, name).getByRole('button', { name: 'test' }).press('Enter');
      await rowShows(page, name, '.edge-uplink-result', result);
    }
    assert.ok(methods.includes('HEAD'));
    assert.deepEqual(taken, ['first'], 'a test sends nothing');

    const handle = await rowOf(page, 'region').locator('.red-ui-editableList-item-handle').boundingBox();
    const target = await rowOf(page, 'old server').boundingBox();
    assert.ok(handle && target);
    await page.mouse.move(handle.x + 4, handle.y + handle.height / 2);
    await page.mouse.down();
    await page.mouse.move(handle.x + 4, target.y + target.height / 2, { steps: 8 });
    await page.mouse.move(handle.x + 4, target.y - 4, { steps: 8 });
    await page.mouse.up();
    await editor.closeDialog('ok');
    assert.deepEqual((await editor.node('uplink')).connections, ['cloud', 'gone', 'web']);
    assert.deepEqual(editor.errors, [], 'the browser console');
  });
});

test('dead letters are read, exported and sent once more, one or all', async (t) => {
  await withScene(t, async ({ page, editor, station, taken, strict }) => {
    await editor.openDialog('uplink');
    await page.click('#uplink-dead-letters-heading');
    await shows(page, '#uplink-dead-letters-state', /None: no server has refused/);
    assert.equal(await page.isVisible('#uplink-export'), false);
    for (const payload of ['bad one', 'bad <b class="injected">two</b>', 'bad three']) {
      await feed(station, 'press/1', payload);
    }
    await shows(page, '#uplink-dead-letters-state', /^3 messages \(.* B\) were refused/);
    const row = page.locator('#uplink-dead-letters-list tbody tr').nth(1);
    assert.match(await row.innerText(), /press\/1\s+.*422\s+\d+ B\s+bad <b/);
    assert.equal(await page.locator('.injected').count(), 0, 'what a stranger sent is no markup');

    const downloading = page.waitForEvent('download');
    await page.click('#uplink-export');
    const exported = JSON.parse(await readFile(await (await downloading).path(), 'utf8')) as {
      body: string;
    }[];
    assert.deepEqual(
      exported.map(({ body }) => body),
      ['bad one', 'bad <b class="injected">two</b>', 'bad three'],
    );

    strict.on = false;
    await row.getByRole('button').press('Enter');
    await shows(page, '#uplink-dead-letters-done', /^1 put back to be sent/);
    await shows(page, '#uplink-dead-letters-state', /^2 messages/);
    await page.click('#uplink-requeue-all');
    await shows(page, '#uplink-dead-letters-done', /^2 put back to be sent/);
    await shows(page, '#uplink-dead-letters-state', /^None/);
    await rowShows(page, 'factory', '.edge-uplink-state', /^sending$/);
    assert.deepEqual([...taken].sort(), ['bad <b class="injected">two</b>', 'bad one', 'bad three'].sort());
    assert.deepEqual(editor.errors, [], 'the browser console');
  });
});

test('what waits and what is delivered is drawn while somebody looks, and nothing is asked after', async (t) => {
  await withScene(t, async ({ page, editor, station }) => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    const count = (what: string): number => asked.filter((path) => path.endsWith(what)).length;
    await feed(station, 'press', 'x');
    await editor.openDialog('uplink');
    assert.equal(count('/activity'), 0, 'folded');
    await page.click('#uplink-activity-heading');
    await page.waitForSelector('#uplink-activity-plot svg .edge-uplink-queue', { state: 'attached' });
    await page.waitForSelector('#uplink-activity-plot svg .edge-uplink-delivered', { state: 'attached' });
    await shows(page, '#uplink-activity-facts', /Waiting\s*0, 0 B of 1 GB/);
    await shows(page, '#uplink-activity-facts', /Empty in\s*no backlog/);
    const before = count('/activity');
    await page.waitForResponse((response) => response.url().endsWith('/activity'));
    assert.ok(count('/activity') > before, 'it is asked again');
    await editor.closeDialog('cancel');
    const after = asked.length;
    // Longer than from one question to the next.
    await page.waitForTimeout(2500);
    assert.deepEqual(
      asked.slice(after).filter((path) => path.includes('resilient-uplink')),
      [],
    );
    await editor.openDialog('fresh');
    await page.click('#uplink-activity-heading');
    await shows(page, '#uplink-activity-state', /does not run with this configuration yet/);
    await page.click('#uplink-dead-letters-heading');
    await shows(page, '#uplink-dead-letters-state', /does not run with this configuration yet/);
  });
});

test('the dialog of an uplink that is not deployed yet says nothing of states, and leaves nothing in the console', async (t) => {
  await inEditor(t, { flow: [{ id: 'tab', type: 'tab', label: 'new' }] }, async ({ page, errors }) => {
    const canvas = new Canvas(page);
    const id = await canvas.drop('resilient-uplink', 400, 200);
    const answered = page.waitForResponse((response) => response.url().includes(`/${id}/connections`));
    await canvas.open(id);
    const answer = await answered;
    assert.deepEqual([answer.status(), await answer.json()], [200, { connections: null }]);
    assert.equal(await page.locator('.edge-uplink-state:visible').count(), 0);
    assert.deepEqual(errors, []);
  });
});
