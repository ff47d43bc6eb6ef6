import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Detection } from '../../nodes/shared/messages';
import { packageRoot, TestRuntime } from '../support/runtime';

const FOLDER = join(packageRoot, 'test', 'fixtures', 'onnx', 'conformance');
/** Of the training library's answers; relative for those above 1. */
const TOLERANCE = 1e-5;
/** Half-precision numbers themselves are 5e-4 apart around 1. */
const HALF_TOLERANCE = 5e-4;

/** A model as its training library exported it, and what that library answers: see the folder's README. */
interface Case {
  library: string;
  version: string;
  file: string;
  card?: string;
  /** Weights in a file of their own. */
  data?: string;
  task: string;
  feed: {
    features?: string[];
    inputs?: Record<string, string[]>;
    window?: { size: number };
    config?: object;
    missing?: string;
  };
  rows: unknown[][];
  outputs: Record<string, unknown[]>;
  score?: number[];
  refused?: string;
}

const { models } = JSON.parse(readFileSync(join(FOLDER, 'conformance.json'), 'utf8')) as {
  models: Record<string, Case>;
};

let runtime: TestRuntime;
before(async () => {
  runtime = await TestRuntime.start();
  const folder = join(runtime.userDir, 'models');
  mkdirSync(folder, { recursive: true });
  cpSync(FOLDER, folder, { recursive: true, filter: (file) => !/\.(py|md|txt)$/.test(file) });
});
after(() => runtime.stop());

async function deploy({ file, card, feed }: Case): Promise<void> {
  await runtime.deploy([
    {
      id: 'detect',
      type: 'onnx-detect',
      model: `models/${file}`,
      missing: feed.missing ?? 'reject',
      batchSize: 64,
      features: card ? [] : feed.features,
      ...feed.config,
      wires: [['verdicts'], ['verdicts']],
    },
    { id: 'verdicts', type: 'test-sink', wires: [] },
    { id: 'catch', type: 'catch', scope: null, wires: [['errors']] },
    { id: 'errors', type: 'test-sink', wires: [] },
  ]);
}

/** Judges readings in one batch; the detections in their order. */
async function judge(readings: unknown[]): Promise<Detection[]> {
  runtime.inject('detect', { topic: 'machine', payload: readings });
  const found: Detection[] = [];
  await runtime.until(
    () => {
      found.length = 0;
      for (const { detection } of runtime.messages('verdicts')) {
        for (const entry of detection as (Detection & { index: number })[]) {
          found[entry.index] = entry;
        }
      }
      return found.filter(Boolean).length === readings.length || runtime.messages('errors').length > 0;
    },
    'the verdicts',
    20_000,
  );
  const [error] = runtime.messages('errors');
  assert.equal(error, undefined, JSON.stringify(error));
  return found;
}

/** Rows as a flow has them: by the names of their channels. */
function readingsOf({ feed, rows }: Case): unknown[] {
  const readings = feed.window
    ? [...(rows[0] as unknown[][]), ...rows.slice(1).map((row) => row.at(-1))]
    : rows;
  const names = feed.features;
  return readings.map((row) =>
    names ? Object.fromEntries((row as unknown[]).map((value, at) => [names[at], value])) : row,
  );
}

/** The largest difference of numbers at the same place; texts must be the same. */
function difference(ours: unknown, theirs: unknown): number {
  if (Array.isArray(theirs)) {
    assert.ok(Array.isArray(ours) && ours.length === theirs.length, JSON.stringify(ours));
    return Math.max(0, ...theirs.map((value, at) => difference((ours as unknown[])[at], value)));
  }
  if (typeof theirs === 'number' && (typeof ours === 'number' || typeof ours === 'boolean')) {
    return Math.abs(Number(ours) - theirs) / Math.max(1, Math.abs(theirs));
  }
  // A column of one and a bare value are the same answer.
  if (Array.isArray(ours) && ours.length === 1) {
    return difference(ours[0], theirs);
  }
  assert.deepEqual(ours, theirs);
  return 0;
}

for (const [name, entry] of Object.entries(models)) {
  const { library, version, feed, data } = entry;
  const refused = data === undefined ? entry.refused : 'its weights lie in another file';
  if (refused !== undefined) {
    test(`${name} (${library} ${version}) is refused: ${refused}`, async (t) => {
      await deploy(entry);
      runtime.inject('detect', {
        topic: 'machine',
        payload: readingsOf(entry)[0],
      });
      const [{ error }] = await runtime.collect('errors', 1, 20_000);
      const { message } = error as { message: string };
      t.diagnostic(message);
      assert.match(message, /[Ee]xport|choose|Correct|Enter/);
    });
    continue;
  }
  test(`${name} (${library} ${version}) answers as it was trained`, async (t) => {
    await deploy(entry);
    const found = await judge(readingsOf(entry));
    const first = (feed.window?.size ?? 1) - 1;
    for (const { status } of found.slice(0, first)) {
      assert.equal(status, 'LEARNING');
    }
    const tolerance = name.includes('float16') ? HALF_TOLERANCE : TOLERANCE;
    let worst = 0;
    for (const [output, expected] of Object.entries(entry.outputs)) {
      expected.forEach((value, row) => {
        const error = difference(found[first + row].outputs?.[output], value);
        assert.ok(error <= tolerance, `${output} of row ${row} differs by ${error}`);
        worst = Math.max(worst, error);
      });
    }
    entry.score?.forEach((score, row) => {
      const error = difference(found[first + row].score, score);
      assert.ok(error <= tolerance, `the score of row ${row} is ${found[first + row].score}, not ${score}`);
    });
    t.diagnostic(`largest difference ${worst.toExponential(1)}`);
  });
}
