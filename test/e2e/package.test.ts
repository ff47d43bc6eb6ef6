import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot } from '../support/runtime';
import { Station } from '../support/station';

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

let folder: string;
let tarball: string;

function npm(...parameters: string[]): string {
  // npm tells its scripts where it is; outside of one, the npm on the PATH does.
  const cli = process.env.npm_execpath;
  const [program, first] = cli ? [process.execPath, [cli]] : ['npm', []];
  return execFileSync(program, [...first, ...parameters], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, npm_config_onnxruntime_node_install: 'skip' },
  });
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-package-'));
  npm('pack', packageRoot, '--pack-destination', folder, '--ignore-scripts');
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '');
});
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

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
      install: (userDir) =>
        void npm('install', '--prefix', userDir, '--no-audit', '--no-fund', '--prefer-offline', tarball),
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
      assert.deepEqual(station.problems(), []);
    } finally {
      await station.stop();
    }
  });
}
