/**
 * Takes pictures of the flow and of every dialog, light and dark: `node dist/scripts/screenshots.js [folder]`.
 * Needs chromium.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Editor } from '../test/support/editor';
import { packageRoot } from '../test/support/runtime';
import { Station } from '../test/support/station';
import { readFlow } from '../test/support/template';
import { findProgram } from '../test/support/tools';

const CONFIG_TYPES = ['edge-gateway', 'edge-broker', 'edge-http'];
const SUITE = /^(sensor-ingest|onnx-detect|iso-forest|crdt-state|resilient-uplink)$/;

async function main(): Promise<void> {
  const folder = process.argv[2] ?? join(packageRoot, 'docs', 'images');
  mkdirSync(folder, { recursive: true });
  const program = findProgram('chromium');
  if (!program) {
    throw new Error('chromium is not installed');
  }
  const template = readFlow('predictive-maintenance');
  // On Node-RED's own port, where the template's cloud endpoint is.
  const station = await Station.start({ flow: template, port: 1880 });
  for (const theme of ['light', 'dark'] as const) {
    const editor = await Editor.open(program, `${station.url}/#flow/edge-pm`, { dark: theme === 'dark' });
    await editor.page.evaluate((dark) => {
      document.documentElement.classList.toggle('nr-theme-dark', dark);
      document.body.classList.toggle('nr-theme-dark', dark);
    }, theme === 'dark');
    // The simulated machines replay their history first.
    await editor.page.waitForTimeout(8000);
    await editor.page.setViewportSize({ width: 2200, height: 760 });
    await editor.page.screenshot({
      path: join(folder, `flow-${theme}.png`),
      // The canvas between the sidebars.
      clip: { x: 216, y: 40, width: 1560, height: 600 },
    });
    await editor.page.setViewportSize({ width: 1500, height: 1000 });
    for (const { id, type } of template.filter((node) => SUITE.test(node.type))) {
      await editor.openDialog(id);
      await editor.page.screenshot({ path: join(folder, `${type}-${id.slice(8)}-${theme}.png`) });
      await editor.closeDialog('cancel');
    }
    for (const type of CONFIG_TYPES) {
      await editor.openConfigDialog(type, '_ADD_');
      await editor.page.screenshot({ path: join(folder, `${type}-${theme}.png`) });
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
