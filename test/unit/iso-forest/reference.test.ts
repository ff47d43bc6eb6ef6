import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProvenRows } from '../../../nodes/iso-forest/proven-rows';
import { SeededRandom } from '../../../nodes/shared/random';
import { Bench } from './support';

const SMALL = {
  trees: 40,
  sample: 64,
  history: 200,
  retrain: 20,
  warmup: 40,
  reference: 200,
  persist: false,
};

const SEEDS = [1, 2, 3, 4, 5, 6];

/**
 * A temperature that rises with the season from reading 400 to 1400 and stays there; by how much the score rises with
 * it, and how many readings were flagged since it stays.
 */
async function season(
  options: object,
  rise: number,
  seed: number,
): Promise<{ raised: number; flagged: number }> {
  const bench = new Bench({ ...SMALL, ...options });
  const random = new SeededRandom(seed);
  const scores: number[] = [];
  let flagged = 0;
  for (let reading = 0; reading < 2400; reading++) {
    const warmer = rise * Math.min(1, Math.max(0, reading - 400) / 1000);
    const payload = { temperature: 20 + warmer + random.normal(), load: random.normal() };
    const { kind, score } = await bench.detect(payload);
    scores.push(score ?? 0);
    flagged += kind && reading >= 1400 ? 1 : 0;
  }
  const mean = (from: number, to: number): number =>
    scores.slice(from, to).reduce((sum, score) => sum + score, 0) / (to - from);
  return { raised: mean(1800, 2400) - mean(300, 400), flagged };
}

test('what was good for as long as the history is learned beside the reference; "reference" stays as it was', async () => {
  for (const seed of SEEDS) {
    const joined = await season({ learn: 'both' }, 3, seed);
    const frozen = await season({ learn: 'reference' }, 3, seed);
    assert.ok(joined.raised < 0.06, `both: ${joined.raised} more, seed ${seed}`);
    assert.ok(frozen.raised > 0.08, `reference: ${frozen.raised} more, seed ${seed}`);
    assert.ok(joined.flagged <= 5, `${joined.flagged} of 1000 flagged, seed ${seed}`);
  }
});

test('what creeps out of the reach of the reference is flagged, however slowly', async () => {
  for (const seed of SEEDS) {
    // Whatever lasts for 500 readings is a new regime, and no longer flagged.
    const { flagged } = await season({ learn: 'both' }, 14, seed);
    assert.ok(flagged > 50, `${flagged} of 1000 flagged, seed ${seed}`);
  }
});

test('a fault that nothing flags is not learned within the history', async () => {
  const bench = new Bench({ ...SMALL, thresholdMode: 'score', scoreThreshold: 1, history: 300 });
  const random = new SeededRandom(9);
  const scores: number[] = [];
  for (let reading = 0; reading < 900; reading++) {
    const fault = reading >= 600 ? 5 : 0;
    const { score } = await bench.detect({ a: random.normal() + fault, b: random.normal() });
    scores.push(score ?? 0);
  }
  const mean = (from: number, to: number): number =>
    scores.slice(from, to).reduce((sum, score) => sum + score, 0) / (to - from);
  assert.ok(mean(840, 900) > mean(500, 600) + 0.1, `${mean(840, 900)} after, ${mean(500, 600)} before`);
  assert.ok(Math.abs(mean(840, 900) - mean(600, 660)) < 0.05, 'the score of the fault sinks');
});

test('proven rows: the kept ones span all, are few, and those of a while ago can be read again', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 1500 }),
      (limit, memory, total) => {
        const proven = new ProvenRows(1, limit, memory, { stride: 4, rows: new Float32Array(0) });
        for (let position = 0; position < total; position++) {
          if (proven.wants(position)) {
            proven.add(position, Float32Array.of(position));
          }
        }
        for (const back of [0, Math.floor(memory / 2), memory]) {
          const given = total - back;
          const span = given > 0 ? proven.span(given) : undefined;
          if (!span) {
            assert.ok(given <= 0);
            continue;
          }
          const positions: number[] = [];
          for (let index = span.from; index < span.to; index += span.step ?? 1) {
            positions.push(span.window.value(index, 0));
          }
          let stride = 4;
          while (given > stride * limit) {
            stride *= 2;
          }
          const expected = Array.from({ length: Math.ceil(given / stride) }, (_, at) => at * stride);
          assert.deepEqual(
            positions,
            expected,
            `limit ${limit}, memory ${memory}, given ${given} of ${total}`,
          );
        }
        assert.ok(proven.bytes <= 4 * (limit + memory / 4 + 2), `${proven.bytes} bytes`);
      },
    ),
    { numRuns: 300 },
  );
});
