import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ScenarioOptions } from './scenario';

/** One rule of the protocol that is taken away from a copy of the compiled code. */
interface Mutant {
  rule: string;
  file: string;
  /** Must be found, or the gate is open and the test fails. */
  from: RegExp;
  to: string;
  /** How the histories are played; see {@link ScenarioOptions}. */
  double?: ScenarioOptions['double'];
}

const MUTANTS: Mutant[] = [
  {
    rule: 'a delta waits for what it depends on',
    file: 'replica.js',
    from: /'gap'/g,
    to: "'ready'",
  },
  {
    rule: "a delta carries a key's whole sibling set",
    file: 'own-writes.js',
    from: /const \{ siblings \} = slot;/g,
    to: 'const siblings = slot.siblings.filter(({ replica }) => replica === this.replica.id);',
  },
  {
    rule: 'a delta depends on what it replaces',
    file: 'replica.js',
    from: /[^;{}]*raise\)?\(this\.replaced, sibling\);/g,
    to: '',
  },
  {
    rule: 'whoever is below the floor gets the full state',
    file: 'replica.js',
    from: /const reached = [^;]+;/g,
    to: 'const reached = true;',
  },
  {
    rule: 'collected deletes are remembered in the floor',
    file: 'replica.js',
    from: /[^;{}]*joinVector\)\(this\.image\.floor, new Map[^;]+;/g,
    to: '',
  },
  {
    rule: 'a restored image takes a new incarnation',
    file: 'identity.js',
    from: /this\.replica\.renew\(/g,
    to: 'void (',
  },
  {
    rule: 'a replica that was started again listens before it tells anything new',
    file: 'listening.js',
    from: /this\.listens = true;/g,
    to: '',
  },
  {
    rule: 'a replica that was started again listens until somebody has told what it knows',
    file: 'listening.js',
    from: /if \(!this\.answered && /g,
    to: 'if (false && ',
  },
  {
    rule: 'a greeting tells its process from a copy of it',
    file: 'synchronizer.js',
    from: /\.\.\.\(hello && \{ session \}\)/g,
    to: '',
    double: 'alike',
  },
  {
    rule: 'what a listening copy tells is no reason to give way to it',
    file: 'double.js',
    from: /isNews && \(kind === 'delta' \|\| kind === 'reply'\)/g,
    to: 'isNews',
    double: 'alike',
  },
  {
    rule: 'a store that is known as a copy takes an identity of its own',
    file: 'host.js',
    from: /image\?\.copied/g,
    to: 'false',
    double: 'known',
  },
  {
    rule: 'nothing is published before it is on disk',
    file: 'host.js',
    from: /await store\.write\(rows\)/g,
    to: 'void store.write(rows).catch(() => undefined)',
  },
  {
    rule: 'a turn that could not be stored is undone',
    file: 'host.js',
    from: /replica\.rollback\(\);/g,
    to: '',
  },
  {
    rule: 'what one side has seen replaced does not come back',
    file: 'sibling.js',
    from: /knows\(remoteContext, local\[(i|0)\]\)/g,
    to: 'false',
  },
  {
    rule: 'order comes from dots, not from clocks',
    file: 'sibling.js',
    from: /knows\(remoteContext, local\[(i|0)\]\)/g,
    to: '(remote.length > 0 && remote[remote.length - 1].stamp > local[$1].stamp)',
  },
  {
    rule: 'a retired replica that comes back takes a new incarnation',
    file: 'identity.js',
    from: /this\.replica\.rejoin\(/g,
    to: 'void (',
  },
];

/** Histories that a mutant is given to be found out, of so many steps each. */
const SEEDS = 250;
const STEPS = 60;

const PLAY = `
const { playHistory } = require('./dist/test/unit/crdt-state/play.js');
(async () => {
  for (let seed = 1; seed <= ${SEEDS}; seed++) {
    try {
      await playHistory(seed, { steps: ${STEPS}, ...JSON.parse(process.argv[2]) });
    } catch (failure) {
      console.log(JSON.stringify({ wrong: failure.wrong, message: failure.message }));
      return;
    }
  }
  console.log('{}');
})();
`;

const root = join(__dirname, '..', '..', '..', '..');
let copy: string;

before(() => {
  copy = mkdtempSync(join(tmpdir(), 'edge-mutants-'));
  for (const folder of ['nodes/crdt-state', 'nodes/shared', 'test/unit/crdt-state']) {
    cpSync(join(root, 'dist', folder), join(copy, 'dist', folder), {
      recursive: true,
      filter: (path) => !/\.(test\.js|map|ts|html)$/.test(path),
    });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'play.js'), PLAY);
});
after(() => rmSync(copy, { recursive: true, force: true }));

/** What the simulator says to the copy as it is. */
function verdict(options: ScenarioOptions): Promise<{ wrong?: boolean; message?: string }> {
  return new Promise((resolve, reject) => {
    const parameters = [join(copy, 'play.js'), JSON.stringify(options)];
    execFile(process.execPath, parameters, { timeout: 60_000 }, (error, stdout, stderr) => {
      if (error) {
        reject(new Error(`${error.message}\n${stderr}`));
      } else {
        resolve(JSON.parse(stdout) as { wrong?: boolean; message?: string });
      }
    });
  });
}

for (const { rule, file, from, to, double } of MUTANTS) {
  test(`the simulator fails without the rule: ${rule}`, async (t) => {
    const path = join(copy, 'dist/nodes/crdt-state', file);
    const whole = readFileSync(path, 'utf8');
    const mutant = whole.replace(from, to);
    assert.notEqual(mutant, whole, `${file} has no ${from.source} any more: fit the mutant to the code`);
    writeFileSync(path, mutant);
    t.after(() => writeFileSync(path, whole));
    const { wrong, message } = await verdict({ double });
    assert.ok(wrong, message ?? `${SEEDS} seeds pass without it`);
    t.diagnostic(message?.split('\n')[0] ?? '');
  });
}
