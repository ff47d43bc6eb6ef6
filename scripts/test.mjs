// Runs compiled test suites: `node scripts/test.mjs unit node e2e`. The suites are the folders of test/.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
for (const suite of process.argv.slice(2)) {
  const files = globSync(`dist/test/${suite}/**/*.test.js`, { cwd: root }).sort();
  if (files.length === 0) {
    console.error(`No tests in test/${suite}`);
    process.exit(1);
  }
  console.log(`# ${suite}: ${files.length} files`);
  const { status } = spawnSync(
    process.execPath,
    [
      '--enable-source-maps',
      '--disable-warning=ExperimentalWarning',
      '--test',
      '--test-reporter=spec',
      `--test-concurrency=${suite === 'fault' || suite === 'package' ? 1 : 2}`,
      ...files,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}
