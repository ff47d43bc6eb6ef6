import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inEditor } from '../support/in-editor';
import { npm } from '../support/npm';
import { InstalledPackage } from '../support/package';
import { packageRoot } from '../support/runtime';
import { Station } from '../support/station';
import { firstUse } from '../support/first-use';

const TYPES = [
  'edge-gateway',
  'edge-broker',
  'edge-http',
  'sensor-ingest',
  'onnx-detect',
  'iso-forest',
  'crdt-state',
  'resilient-uplink',
];

let installed: InstalledPackage;

before(() => {
  installed = InstalledPackage.make();
});
after(() => installed.remove());

test('the tarball holds the nodes, their dialogs, texts, icons, examples and models, and nothing else', () => {
  const [{ files }] = JSON.parse(npm('pack', packageRoot, '--dry-run', '--json', '--ignore-scripts')) as {
    files: { path: string }[];
  }[];
  const paths = files.map(({ path }) => path);
  for (const type of TYPES) {
    for (const file of [
      `${type}.js`,
      `${type}.html`,
      `locales/en-US/${type}.json`,
      `locales/en-US/${type}.html`,
    ]) {
      assert.ok(paths.includes(`dist/nodes/${type}/${file}`), `${type}/${file} is missing`);
    }
  }
  for (const flow of readdirSync(join(packageRoot, 'flows'))) {
    assert.ok(paths.includes(`examples/${flow}`), flow);
  }
  assert.ok(paths.includes('models/cnc-failure.onnx'));
  assert.ok(paths.includes('context.js'), 'the context store');
  assert.deepEqual(
    paths.filter((path) => /(^|\/)(test|bench|simulation|scripts)\/|\.py$|\.ts$/.test(path)),
    [],
  );
});

for (const module of ['node-red', 'node-red-4'] as const) {
  test(`the tarball installs into the user folder of ${module} and runs its example`, async () => {
    const station = await Station.start({
      flow: [],
      module,
      install: (userDir) => {
        installed.installInto(userDir);
        const edge = `{ module: require('@millwright/node-red-edge/context'), config: {} }`;
        writeFileSync(
          join(userDir, 'settings.js'),
          `module.exports = { contextStorage: { default: { module: 'memory' }, edge: ${edge} } };`,
        );
      },
    });
    try {
      const json = { headers: { accept: 'application/json' } };
      const sets = (await (await fetch(`${station.url}/nodes`, json)).json()) as {
        module: string;
        types: string[];
        enabled: boolean;
        err?: string;
      }[];
      const ours = sets.filter(({ module: name }) => name === '@millwright/node-red-edge');
      assert.deepEqual(
        ours.filter(({ err, enabled }) => err ?? !enabled),
        [],
      );
      assert.deepEqual(ours.flatMap(({ types }) => types).sort(), [...TYPES].sort());

      const example = await fetch(
        `${station.url}/library/examples/flows/@millwright/node-red-edge/predictive-maintenance`,
      );
      assert.equal(example.status, 200, 'the example under Import');
      const deployed = await fetch(`${station.url}/flows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        // The example's cloud endpoint is on Node-RED's own port.
        body: (await example.text()).replaceAll('http://127.0.0.1:1880', station.url),
      });
      assert.equal(deployed.status, 204);
      for (const type of TYPES.slice(3)) {
        const icon = await fetch(`${station.url}/icons/@millwright/node-red-edge/${type}.svg`);
        assert.equal(icon.status, 200, `icon of ${type}`);
      }
      const stores = await fetch(`${station.url}/settings`, json);
      const { context } = (await stores.json()) as { context: { stores: string[] } };
      assert.deepEqual(context.stores, ['default', 'edge'], 'the context store is offered in the editor');
      assert.deepEqual(station.problems(), []);
    } finally {
      await station.stop();
    }
  });
}

// Mostly waiting for dialogs that slide and words that appear: both at once.
test(
  'each node is dragged, filled, corrected, deployed and found again as it was',
  { concurrency: 2 },
  async (t) => {
    const install = (userDir: string): void => installed.installInto(userDir);
    const flow = [{ id: 'tab', type: 'tab', label: 'press shop' }];
    await Promise.all(
      (['node-red', 'node-red-4'] as const).map((module) =>
        t.test(module, (each) => inEditor(each, { flow, module, install }, firstUse)),
      ),
    );
  },
);
