/**
 * ONNX's own node tests through the inference thread, and through the node as readings.
 *
 *   npm run bench:onnx-node-tests -- [--folder /tmp/onnx-backend-node] [--only test_abs]
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ProcessClient } from '../../nodes/shared/worker/process-client';
import { saveResults } from '../program';
import { rankOf, readCases } from './case-files';
import type { CheckCall, CheckMethods } from './check';
import { print, type Report, type Result } from './report';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: '/tmp/onnx-backend-node' },
    only: { type: 'string', default: '' },
  },
});
const MOST_MS = 20_000;
const MOST_MEMORY = 2 * 1024 ** 3;

/** Runs cases in one process after another: what crashes it, or hangs, costs one case. */
class Checker {
  private client: ProcessClient<CheckMethods> | undefined;

  async check(level: keyof CheckMethods, call: CheckCall): Promise<Result> {
    const client = (this.client ??= new ProcessClient<CheckMethods>(join(__dirname, 'check.js'), {
      name: 'node tests',
      memoryLimit: MOST_MEMORY,
    }));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Result>((resolve) => {
      timer = setTimeout(
        () => resolve({ kind: 'late', reason: `no answer in ${MOST_MS / 1000} s` }),
        MOST_MS,
      );
    });
    const answer = client
      .call(level, call)
      .catch((): Result => ({ kind: 'crash', reason: client.ended?.text ?? 'no answer' }));
    const result = await Promise.race([answer, late]);
    clearTimeout(timer);
    if (result.kind === 'crash' || result.kind === 'late') {
      this.close();
    }
    return result;
  }

  close(): void {
    this.client?.kill();
    this.client = undefined;
  }
}

async function main(): Promise<void> {
  const { folder } = values;
  const cases = readCases(folder)?.filter(({ name }) => name.includes(values.only));
  if (!cases) {
    console.log(
      `skipped: ${folder} does not hold ONNX's node tests. test/fixtures/onnx/conformance/README.md, "ONNX's own node tests", says how to get them.`,
    );
    return;
  }
  const answers = join(folder, 'python-results.json');
  const python = existsSync(answers)
    ? (JSON.parse(readFileSync(answers, 'utf8')) as Partial<Record<string, string>>)
    : {};
  const checker = new Checker();
  const reports: Report[] = [];
  for (const test of cases) {
    const call = { folder, test };
    const runtime = await checker.check('runtime', call);
    const node = runtime.kind === 'pass' ? await checker.check('node', call) : undefined;
    reports.push({ test, rank: rankOf(folder, test), python: python[test.name], runtime, node });
  }
  checker.close();
  const unexplained = print(reports);
  console.log(`\n${unexplained} unexplained`);
  saveResults('onnx-node-tests', reports);
  process.exitCode = unexplained > 0 ? 1 : 0;
}

void main();
