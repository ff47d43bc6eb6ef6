import { after, type TestContext } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { Editor, launchBrowser, type EditorOptions } from './editor';
import { Station, type StationOptions } from './station';
import { needProgram } from './tools';

/** One browser for all tests of a file; each gets a profile of its own. */
let shared: Promise<Browser> | undefined;
after(async () => (await shared)?.close());

/** Works in the editor of a Node-RED of its own; skips the test where there is no browser. */
export async function inEditor(
  t: TestContext,
  options: StationOptions,
  work: (editor: Editor, station: Station, program: string) => Promise<void>,
  editorOptions: EditorOptions = {},
): Promise<void> {
  const program = needProgram(t, 'chromium');
  if (program === undefined) {
    return;
  }
  const station = await Station.start(options);
  try {
    shared ??= launchBrowser(program);
    const editor = await Editor.open(program, station.url, { browser: await shared, ...editorOptions });
    try {
      await work(editor, station, program);
    } finally {
      await editor.close();
    }
  } finally {
    await station.stop();
  }
}

/** Waits until an element shows a text. */
export async function shows(page: Page, selector: string, text: RegExp): Promise<string> {
  const element = page.locator(selector).filter({ hasText: text }).first();
  await element.waitFor({ state: 'visible', timeout: 15_000 });
  return element.innerText();
}
