import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeError } from '../../../nodes/shared/errors';
import { SeededRandom } from '../../../nodes/shared/random';
import { fuzzedPayload, fuzzedTopic, FUZZED_NODES, REJECT_CODES } from '../../support/payload-fuzzer';
import { bench } from './support';

const SEED = Number(process.env.FUZZ_SEED ?? 20260131);
const PAYLOADS = 10_000;

const nodes = FUZZED_NODES.map((properties) => bench(properties));

test(`${PAYLOADS} mutated and strange payloads: each is a reading or a reject with a code of the contract`, () => {
  const random = new SeededRandom(SEED);
  const codes = new Map<string, number>();
  let accepted = 0;
  for (let i = 0; i < PAYLOADS; i++) {
    const { pipeline } = nodes[i % nodes.length];
    const { format } = FUZZED_NODES[i % nodes.length];
    const payload = fuzzedPayload(random, format);
    const before = Buffer.isBuffer(payload) ? Buffer.from(payload) : undefined;
    try {
      const { outcomes } = pipeline.accept({ topic: fuzzedTopic(random, format), payload });
      accepted++;
      for (const { payload: values, reading } of outcomes) {
        assert.ok(Object.values(values).every(Number.isFinite), `payload ${i}, seed ${SEED}`);
        assert.ok(Number.isFinite(reading.ts) && reading.id !== '' && Number.isInteger(reading.seq));
      }
    } catch (error) {
      assert.ok(error instanceof EdgeError, `payload ${i}, seed ${SEED}: ${String(error)}`);
      assert.ok(REJECT_CODES.has(error.code), `payload ${i}, seed ${SEED}: ${error.code}`);
      codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
    }
    if (before) {
      assert.ok(before.equals(payload as Buffer), 'the payload stays as it came');
    }
  }
  assert.ok(accepted > PAYLOADS / 20, `${accepted} accepted`);
  assert.ok(codes.size >= 6, [...codes.keys()].join());
  for (const { pipeline } of nodes) {
    assert.ok(pipeline.sources.size <= 200);
  }
});
