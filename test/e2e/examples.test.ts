import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { inEditor } from '../support/in-editor';
import { packageRoot } from '../support/runtime';
import { readFlow } from '../support/template';

const NAMES = readdirSync(join(packageRoot, 'flows'))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

/** A node as the canvas has drawn it. */
interface Drawn {
  id: string;
  name?: string;
  type: string;
  z: string;
  x: number;
  y: number;
  w: number;
  h: number;
  valid?: boolean;
}

interface EditorGlobal {
  RED: {
    view: { importNodes(flow: object, options: object): void };
    workspaces: { show(id: string): void };
    nodes: { eachNode(visit: (node: Drawn) => void): void };
  };
}

/** What the editor's Import → Examples does with an example. */
async function importExample(page: Page, name: string): Promise<void> {
  await page.evaluate(async (example) => {
    const answer = await fetch(`library/examples/flows/@millwright/node-red-edge/${example}`);
    if (!answer.ok) {
      throw new Error(`${example} is not offered: ${answer.status}`);
    }
    const { RED } = globalThis as unknown as EditorGlobal;
    RED.view.importNodes((await answer.json()) as object, { touchImport: true, generateIds: false });
  }, name);
}

/** The nodes of a tab, once the canvas knows how large they are. */
async function drawn(page: Page, tab: string): Promise<Drawn[]> {
  await page.evaluate((id) => (globalThis as unknown as EditorGlobal).RED.workspaces.show(id), tab);
  const nodes = await page.waitForFunction((id) => {
    const found: Drawn[] = [];
    (globalThis as unknown as EditorGlobal).RED.nodes.eachNode((node) => {
      if (node.z === id) {
        const { type, name, x, y, w, h, valid } = node;
        found.push({ id: node.id, type, name, z: id, x, y, w, h, valid });
      }
    });
    const isDrawn = (node: Drawn): boolean => document.getElementById(node.id) !== null && node.w > 0;
    return found.length > 0 && found.every(isDrawn) ? found : undefined;
  }, tab);
  return (await nodes.jsonValue()) ?? [];
}

function nameOf({ name, type }: Drawn): string {
  return name ? `"${name}"` : type;
}

function overlaps(nodes: readonly Drawn[]): string[] {
  return nodes.flatMap((one, index) =>
    nodes
      .slice(index + 1)
      .filter(
        (other) =>
          Math.abs(one.x - other.x) < (one.w + other.w) / 2 &&
          Math.abs(one.y - other.y) < (one.h + other.h) / 2,
      )
      .map((other) => `${nameOf(one)} and ${nameOf(other)}`),
  );
}

test('every example is imported without an error, is valid, and lies readably on the canvas', async (t) => {
  await inEditor(t, { flow: [] }, async ({ page, errors }) => {
    for (const name of NAMES) {
      await importExample(page, name);
      for (const { id } of readFlow(name).filter(({ type }) => type === 'tab')) {
        const nodes = await drawn(page, id);
        // The types of other packages, such as the dashboard's, are not installed here.
        const invalid = nodes.filter(({ valid, type }) => valid === false && type !== 'unknown');
        assert.deepEqual(invalid.map(nameOf), [], `${name}: not valid`);
        assert.deepEqual(overlaps(nodes), [], `${name}: overlap`);
        assert.deepEqual(
          nodes.filter(({ x, w }) => x < w / 2).map(nameOf),
          [],
          `${name}: cut off at the left`,
        );
        assert.ok(
          nodes.some(({ type }) => type === 'comment'),
          `${name}: a comment that says what it does`,
        );
      }
    }
    assert.deepEqual(errors, []);
  });
});
