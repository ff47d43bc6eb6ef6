import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Editor } from '../support/editor';
import { Station } from '../support/station';
import { needProgram } from '../support/tools';

const LOCALES = join(__dirname, '..', '..', '..', 'locales');

/** A language of a region with help pages of its own, and one without, which falls back to the English ones. */
const LANGUAGES: [language: string, hasHelp: boolean][] = [
  ['zh-CN', true],
  ['fr', false],
];

interface HelpGlobal {
  RED: { nodes: { getNodeHelp(type: string): string } };
}

test("dialogs and help come in the language of the reader's browser", async (t) => {
  const program = needProgram(t, 'chromium');
  if (program === undefined) {
    return;
  }
  const flow = [
    { id: 'tab', type: 'tab', label: 'line' },
    { id: 'forest', type: 'iso-forest', z: 'tab', wires: [[], []] },
  ];
  const station = await Station.start({ flow });
  t.after(() => station.stop());
  for (const [language, hasHelp] of LANGUAGES) {
    const editor = await Editor.open(program, station.url, { language });
    try {
      await editor.openDialog('forest');
      const shown = await editor.page.textContent('label[for="node-input-holdOff"]');
      const catalog = JSON.parse(readFileSync(join(LOCALES, language, 'iso-forest.json'), 'utf8')) as {
        'iso-forest': { label: { holdOff: string } };
      };
      assert.equal(shown?.trim(), catalog['iso-forest'].label.holdOff, language);
      const help = await editor.page.evaluate(() =>
        (globalThis as unknown as HelpGlobal).RED.nodes.getNodeHelp('iso-forest'),
      );
      const page = readFileSync(join(LOCALES, hasHelp ? language : 'en-US', 'iso-forest.html'), 'utf8');
      const firstWords = /<p>(.{20})/s.exec(page)?.[1] ?? language;
      assert.ok(help.includes(firstWords), `${language}: ${help.slice(0, 80)}`);
    } finally {
      await editor.close();
    }
  }
});
