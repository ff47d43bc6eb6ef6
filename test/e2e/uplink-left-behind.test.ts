import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inEditor, shows } from '../support/in-editor';
import { makeOrphan } from '../support/orphan';
import { prepareUserDir } from '../support/runtime';
import { postingFlow, Receiver } from '../support/uplink-station';

const SECTION = '#edge-uplink-left';
/** A stranger chose it. */
const HOSTILE = '<img src=x onerror=alert(1)>';

for (const module of ['node-red', 'node-red-4'] as const) {
  test(`the dialog offers what was left behind for download and adoption, and nothing where nothing was (${module})`, async (t) => {
    const receiver = await Receiver.start();
    const texts = ['one', 'two', 'three'];
    let store = '';
    const install = (userDir: string): void => {
      prepareUserDir(userDir);
      ({ store } = makeOrphan(join(userDir, 'edge'), HOSTILE, texts));
    };
    try {
      await inEditor(t, { flow: postingFlow('uplink', receiver.url), module, install }, async (editor) => {
        const { page } = editor;
        await editor.openDialog('uplink');
        await shows(page, SECTION, /Left behind/);
        assert.match(await page.locator(`${SECTION} tbody tr`).innerText(), /<img src=x[^]*3[^]*0/);

        const downloading = page.waitForEvent('download');
        await page.locator(`${SECTION} button`, { hasText: 'Export' }).click();
        const download = await downloading;
        assert.equal(download.suggestedFilename(), `outbox-${store}.ndjson`);
        const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
        assert.deepEqual(
          lines
            .map((line) => JSON.parse(line) as { id: string; payload: string })
            .map(({ id, payload }) => [id, payload]),
          texts.map((text, n) => [`${store}:${n + 1}`, text]),
        );

        await page.locator(`${SECTION} button`, { hasText: 'Adopt' }).click();
        await shows(page, `${SECTION}-state`, /3 messages were adopted/);
        await page.locator(`${SECTION}-view`).waitFor({ state: 'hidden' });
        await editor.closeDialog('cancel');
        await arrived(receiver, texts);
        assert.equal(receiver.bodies.get(`${store}:1`), 'one');

        const looked = page.waitForResponse((response) => response.url().endsWith('/edge/uplink-stores'));
        await editor.openDialog('uplink');
        await looked;
        await page.locator(SECTION).waitFor({ state: 'hidden' });
        await editor.closeDialog('cancel');
        assert.deepEqual(editor.errors, [], 'the browser console');
      });
    } finally {
      receiver.stop();
    }
  });
}

async function arrived(receiver: Receiver, texts: readonly string[]): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!texts.every((text) => receiver.texts.includes(text))) {
    assert.ok(Date.now() < deadline, `arrived: ${receiver.texts.join()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
