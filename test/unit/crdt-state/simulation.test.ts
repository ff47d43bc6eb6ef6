import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Replica } from '../../../nodes/crdt-state/replica';
import { Scenario, type ScenarioOptions } from './scenario';

const SEEDS = Number(process.env['EDGE_SEEDS'] ?? 200);
const FIRST = Number(process.env['EDGE_SEED'] ?? 1);

async function play(seed: number, options?: ScenarioOptions): Promise<void> {
  try {
    await new Scenario(seed, options).play();
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`seed ${seed}: ${message}`, { cause: thrown });
  }
}

test(`any history of ${SEEDS} seeds ends with all replicas level and nothing lost`, async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    await play(seed);
  }
});

test('a crash after writes were told without hearing anybody keeps the identity', async () => {
  // The history of this seed has one.
  await play(6814);
});

/** How many seeds a broken protocol is given to be found out. */
const MUTANT_SEEDS = 150;

/** What the simulation says against a broken protocol; nothing when it passes. */
async function verdict(options?: ScenarioOptions): Promise<string> {
  for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
    try {
      await new Scenario(seed, { steps: 60, ...options }).play();
    } catch (thrown) {
      assert.ok(thrown instanceof assert.AssertionError, String(thrown));
      return thrown.message;
    }
  }
  return '';
}

const WRONG = /reads .* wrongly|never learns of|never found out/;

test('the simulation finds out a delta that is joined before what it depends on', async (t) => {
  t.mock.method(
    Replica.prototype,
    'readiness',
    function (this: Replica, delta: Parameters<Replica['readiness']>[0]) {
      const end = delta.context.get(delta.sender) ?? 0;
      const known = this.context.get(delta.sender) ?? 0;
      return known >= end ? 'duplicate' : known >= delta.from ? 'ready' : 'gap';
    },
  );
  assert.match(await verdict(), WRONG);
});

test('the simulation finds out a delta with own siblings only', async () => {
  const tamper: ScenarioOptions['tamper'] = (frame) =>
    frame.kind === 'delta'
      ? {
          ...frame,
          entries: frame.entries
            .map(
              ([key, siblings]) => [key, siblings.filter(({ replica }) => replica === frame.sender)] as const,
            )
            .filter(([, siblings]) => siblings.length > 0),
        }
      : frame;
  assert.match(await verdict({ tamper }), WRONG);
});

test('the simulation finds out deletes that are collected without a floor', async (t) => {
  t.mock.getter(Replica.prototype, 'floor', () => new Map());
  assert.match(await verdict(), WRONG);
});

test('the simulation finds out a restored image that keeps its identity', async (t) => {
  t.mock.method(Replica.prototype, 'renew', () => undefined);
  assert.match(await verdict(), WRONG);
});
