import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { freePort } from '../support/mosquitto';
import { npm } from '../support/npm';
import { prepareUserDir, type FlowNode } from '../support/runtime';
import { shows } from '../support/in-editor';
import { Station } from '../support/station';
import { readFlow } from '../support/template';
import { needProgram, unavailable } from '../support/tools';

const DASHBOARD = '@flowfuse/node-red-dashboard@1.31';

/** Node-RED with the example and FlowFuse's dashboard, which comes from the registry. */
async function startStation(t: TestContext): Promise<Station | undefined> {
  const port = await freePort();
  const text = JSON.stringify(readFlow('dashboard')).replaceAll(
    'http://127.0.0.1:1880',
    `http://127.0.0.1:${port}`,
  );
  let missing = '';
  const install = (userDir: string): void => {
    const began = Date.now();
    try {
      npm(
        'install',
        '--prefix',
        userDir,
        '--no-audit',
        '--no-fund',
        '--prefer-offline',
        '--ignore-scripts',
        DASHBOARD,
      );
    } catch (error) {
      missing = error instanceof Error ? error.message : 'npm failed';
    }
    t.diagnostic(`npm install of the dashboard took ${((Date.now() - began) / 1000).toFixed(0)} s`);
    prepareUserDir(userDir);
  };
  const station = await Station.start({ flow: JSON.parse(text) as FlowNode[], port, install });
  if (missing) {
    await station.stop();
    unavailable(t, `${DASHBOARD} cannot be installed: ${missing.slice(0, 300)}`);
    return undefined;
  }
  return station;
}

async function press(page: Page, label: string): Promise<void> {
  await page.getByRole('button', { name: label }).click();
}

test('dashboard: a pressed failure is in the table with what stood out; the page shows score, queue and link', async (t) => {
  const program = needProgram(t, 'chromium');
  const station = program === undefined ? undefined : await startStation(t);
  if (program === undefined || !station) {
    return;
  }
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1300, height: 950 } });
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(`${station.url}/dashboard/pump`);
    await shows(page, '.nrdb-ui-text', /State\s*As usual/);
    await shows(page, '.nrdb-ui-text', /Link\s*works/);
    const rows = page.locator('.nrdb-ui-table tbody tr', { hasText: 'plant1/pump-3' });
    assert.equal(await rows.count(), 0, 'no alert before the failure');

    await press(page, 'Block the filter');
    const row = await shows(page, '.nrdb-ui-table tbody tr', /plant1\/pump-3/);
    assert.match(row, /(pressure|flow) \d+ %/, 'what stood out');
    assert.match(row, /0\.\d\d ≥ 0\.\d\d/, 'the score against its threshold');
    await shows(page, '.nrdb-ui-text', /State\s*Unusual/);
    await press(page, 'Acknowledge all');
    await shows(page, '.nrdb-ui-table tbody tr', /plant1\/pump-3[^]*yes/);

    await press(page, 'Start maintenance');
    await shows(page, '.nrdb-ui-text', /State\s*Under maintenance/);
    await press(page, 'Cut the link');
    await shows(page, '.nrdb-ui-text', /Link\s*waits/);
    await press(page, 'Mend it');
    await shows(page, '.nrdb-ui-text', /Link\s*works/);
    await shows(page, '.nrdb-ui-text', /Oldest waiting\s*0 s/);

    assert.equal(await page.locator('.nrdb-ui-chart canvas, .nrdb-ui-chart svg').count(), 3, 'three plots');
    assert.deepEqual(errors, []);
    assert.deepEqual(station.problems(), []);
  } finally {
    await browser.close();
    await station.stop();
  }
});
