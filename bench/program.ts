import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../test/support/runtime';
import { findProgram } from '../test/support/tools';

/** Runs a benchmark to its end; what it still holds open then ends with it. */
export function runProgram(main: () => Promise<void>): void {
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}

/** The cores of this computer, as a report names them. */
export function cores(): string {
  return `${cpus().length} × ${cpus()[0].model}`;
}

/** The path of mosquitto; throws where it is not installed. */
export function needMosquitto(): string {
  const program = findProgram('mosquitto');
  if (program === undefined) {
    throw new Error('mosquitto is not installed: apt-get install mosquitto');
  }
  return program;
}

/** Writes bench/results/`name`.json. */
export function saveResults(name: string, results: object): void {
  const folder = join(packageRoot, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(results, null, 2));
}

/** Writes them over those of the same names in bench/results/`name`.json, and keeps its others. */
export function addResults(name: string, results: object): void {
  const file = join(packageRoot, 'bench', 'results', `${name}.json`);
  const earlier = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
  saveResults(name, { ...earlier, ...results });
}
