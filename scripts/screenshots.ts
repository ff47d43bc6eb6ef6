/**
 * Takes the pictures of docs/images: every dialog, the sidebar and the flow, light and dark:
 * `node dist/scripts/screenshots.js [folder] [language]`. Needs chromium.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { Editor } from '../test/support/editor';
import { packageRoot } from '../test/support/runtime';
import { Station } from '../test/support/station';
import { readFlow } from '../test/support/template';
import { findProgram } from '../test/support/tools';

const CONFIG_TYPES = ['edge-gateway', 'edge-broker', 'edge-http'];
const SUITE = ['sensor-ingest', 'onnx-detect', 'iso-forest', 'crdt-state', 'resilient-uplink'];

const SIDEBAR_ALONE = `.edge-sidebar { background: var(--red-ui-secondary-background); height: 1160px !important;
  left: 0; position: fixed; top: 0; width: 320px; z-index: 1000; }`;

interface SidebarGlobal {
  RED: { sidebar: { show(id: string): void } };
}

async function main(): Promise<void> {
  const folder = process.argv[2] ?? join(packageRoot, 'docs', 'images');
  const language = process.argv[3] ?? 'en-US';
  mkdirSync(folder, { recursive: true });
  const program = findProgram('chromium');
  if (!program) {
    throw new Error('chromium is not installed');
  }
  const template = readFlow('predictive-maintenance');
  // On Node-RED's own port, where the template's cloud endpoint is.
  const station = await Station.start({ flow: template, port: 1880 });
  for (const theme of ['light', 'dark'] as const) {
    const editor = await Editor.open(program, `${station.url}/#flow/edge-pm`, {
      dark: theme === 'dark',
      language,
    });
    const { page } = editor;
    const take = (what: Locator, name: string): Promise<Buffer> =>
      what.screenshot({ path: join(folder, `${name}-${theme}.png`) });
    await page.evaluate((dark) => {
      document.documentElement.classList.toggle('nr-theme-dark', dark);
      document.body.classList.toggle('nr-theme-dark', dark);
    }, theme === 'dark');
    await page.setViewportSize({ width: 1240, height: 820 });
    await page.evaluate(() => (globalThis as unknown as SidebarGlobal).RED.sidebar.show('millwright-edge'));
    // The simulated machines replay their history first; then the plots of the sidebar fill, and forget the replay.
    await page.waitForTimeout(75_000);
    await page.setViewportSize({ width: 1240, height: 1180 });
    // The whole of it, which on the screen one scrolls through.
    const whole = await page.addStyleTag({ content: SIDEBAR_ALONE });
    await take(page.locator('.edge-sidebar'), 'sidebar');
    await whole.evaluate((style) => style.parentNode?.removeChild(style));
    await page.setViewportSize({ width: 2200, height: 760 });
    await page.screenshot({
      path: join(folder, `flow-${theme}.png`),
      // The canvas between the sidebars.
      clip: { x: 216, y: 40, width: 1560, height: 600 },
    });
    await page.setViewportSize({ width: 1240, height: 820 });
    for (const type of SUITE) {
      await editor.openDialog(template.find((node) => node.type === type)?.id ?? '');
      await take(page.locator('.red-ui-tray').last(), type);
      await editor.closeDialog('cancel');
    }
    for (const type of CONFIG_TYPES) {
      await editor.openConfigDialog(type, '_ADD_');
      await take(page.locator('.red-ui-tray').last(), type);
      await editor.closeDialog('cancel');
    }
    await editor.close();
  }
  await station.stop();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
