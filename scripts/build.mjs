// Compiles the package into dist/ and puts every file where Node-RED looks for it. Any failure ends it non-zero.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const root = join(import.meta.dirname, '..');
const at = (...parts) => join(root, ...parts);
const nodeTypes = readdirSync(at('nodes')).filter((name) => existsSync(at('nodes', name, `${name}.html`)));

rmSync(at('dist'), { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '-p', at('tsconfig.json')], { stdio: 'inherit' });

/** Bundles a dialog, or the sidebar, into the html that Node-RED sends to the editor. */
function bundleEditor(entry, target, form) {
  const bundle = buildSync({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2020',
    logLevel: 'warning',
  });
  writeFileSync(target, `${form}\n<script type="text/javascript">\n${bundle.outputFiles[0].text}</script>\n`);
}

function copyTexts(name, target) {
  for (const language of readdirSync(at('locales'))) {
    for (const extension of ['json', 'html']) {
      const file = at('locales', language, `${name}.${extension}`);
      if (existsSync(file)) {
        mkdirSync(join(target, 'locales', language), { recursive: true });
        cpSync(file, join(target, 'locales', language, `${name}.${extension}`));
      }
    }
  }
}

for (const name of nodeTypes) {
  const target = at('dist', 'nodes', name);
  const form = readFileSync(at('nodes', name, `${name}.html`), 'utf8');
  bundleEditor(at('nodes', name, 'editor.ts'), join(target, `${name}.html`), form);
  const icon = at('icons', `${name}.svg`);
  if (existsSync(icon)) {
    mkdirSync(join(target, 'icons'), { recursive: true });
    cpSync(icon, join(target, 'icons', `${name}.svg`));
  }
  copyTexts(name, target);
}

bundleEditor(at('sidebar', 'editor.ts'), at('dist', 'sidebar', 'edge-sidebar.html'), '');
copyTexts('edge-sidebar', at('dist', 'sidebar'));
copyTexts('assessment', at('dist', 'assess'));

rmSync(at('examples'), { recursive: true, force: true });
cpSync(at('flows'), at('examples'), { recursive: true, filter: (file) => !file.endsWith('.md') });
