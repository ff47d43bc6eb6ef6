// Puts the bundled simulation into the function nodes "Simulated machines" of flows/. With --check it only compares.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const root = join(import.meta.dirname, '..');
const bundle = buildSync({
  entryPoints: [join(root, 'simulation', 'function-node.ts')],
  bundle: true,
  write: false,
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning',
});
const code = bundle.outputFiles[0].text;
let stale = false;
for (const file of globSync('flows/**/*.json', { cwd: root })) {
  const path = join(root, file);
  const flow = JSON.parse(readFileSync(path, 'utf8'));
  const simulators = flow.filter(({ type, name }) => type === 'function' && name === 'Simulated machines');
  if (simulators.every(({ initialize }) => initialize === code)) {
    continue;
  }
  stale = true;
  for (const simulator of simulators) {
    simulator.initialize = code;
  }
  if (!process.argv.includes('--check')) {
    writeFileSync(path, `${JSON.stringify(flow, null, 2)}\n`);
  }
}
if (stale && process.argv.includes('--check')) {
  console.error('flows/ holds an older simulation: run `npm run flows`');
  process.exit(1);
}
