import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack } from 'msgpackr';
import { EdgeError } from '../../../nodes/shared/errors';
import { SeededRandom } from '../../../nodes/shared/random';
import { bench, NOON } from './support';

const CODES = new Set([
  'DECODE',
  'SCHEMA',
  'NO_CHANNELS',
  'NOT_FINITE',
  'RANGE',
  'TIMESTAMP',
  'TOO_LARGE',
  'SOURCE_LIMIT',
  'DUPLICATE',
]);

const SEED = Number(process.env.FUZZ_SEED ?? 20260131);
const PAYLOADS = 10_000;

const sample = { ts: NOON, temp: 21.5, motor: { rpm: 1500, phases: [1, 2, 3] }, serial: 'AB-12', ok: true };
const seeds = [
  JSON.stringify(sample),
  JSON.stringify([sample, sample]),
  '[[1,2],[3,4]]',
  'ts;temp;rpm\n2026-01-31T12:00:00Z;21,5;1500\n',
  '1,2,3\n4,5,6',
  '-12.5e3',
].map((text) => Buffer.from(text));
const words = [
  '__proto__',
  'constructor',
  '1e999',
  'NaN',
  '-0',
  '\u0000',
  '"',
  '{"a":',
  '[[',
  '9'.repeat(400),
  ',,;\n',
  ' '.repeat(5000),
  '"temp":"x",',
  '{"a":'.repeat(50),
];

function mutate(random: SeededRandom, seed: Buffer): Buffer {
  let bytes = Buffer.from(seed);
  for (let round = random.int(4); round > 0; round--) {
    const at = random.int(bytes.length + 1);
    switch (random.int(5)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(words[random.int(words.length)]),
          bytes.subarray(at),
        ]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(at), bytes.subarray(0, random.int(bytes.length + 1))]);
        break;
      default:
        if (bytes.length > 0) {
          bytes = Buffer.from(bytes);
          bytes[Math.min(at, bytes.length - 1)] = random.int(256);
        }
    }
  }
  return bytes;
}

/** Values that no decoder makes but a flow can send. */
function strange(random: SeededRandom, depth = 0): unknown {
  const leaves: unknown[] = [
    NaN,
    -0,
    1e308,
    '',
    'x',
    null,
    undefined,
    true,
    10n,
    Symbol('s'),
    () => 1,
    new Date(NaN),
  ];
  const more: (() => unknown)[] = [
    () => new Float32Array(random.int(9)).fill(random.normal()),
    () => new DataView(new ArrayBuffer(4)),
    () => new ArrayBuffer(random.int(20)),
    () => new Map([[1, 2]]),
    () => Array.from({ length: random.int(5) }, () => strange(random, depth + 1)),
    () =>
      Object.fromEntries(
        Array.from({ length: random.int(5) }, (_, i) => [
          ['ts', 'a', '', '__proto__', 'id'][i],
          strange(random, depth + 1),
        ]),
      ),
    () => Object.create(null) as unknown,
    () => random.normal() * 10 ** random.int(300),
  ];
  const choice = random.int(leaves.length + more.length * 2);
  return depth > 6 || choice < leaves.length ? leaves[choice % leaves.length] : more[choice % more.length]();
}

const nodes = [
  { format: 'auto', schema: JSON.stringify({ properties: { temp: { type: 'number' } } }), silence: 5 },
  { format: 'json', sourceId: 'payload.serial', idPath: 'id', reduce: 'deadband', tolerance: 1 },
  { format: 'csv', window: 'count', windowSize: 5, windowStep: 2, reduce: 'swinging-door', tolerance: 1 },
  { format: 'msgpack', window: 'time', windowSize: 2, windowStep: 1, lateness: 0 },
  { format: 'float32', sampleRate: 100, features: ['mean', 'kurtosis', 'dominantFrequency', 'band:0-10'] },
  { format: 'int16', features: ['impulse'], reduce: 'deadband', tolerance: 0.5 },
  {
    format: 'auto',
    sampleRate: 10,
    features: ['crest', 'spectralCentroid'],
    channels: [{ name: 'v', max: 1000 }],
  },
].map((properties) => bench({ maxSources: 200, maxChannels: 50, maxBytes: 4096, dedupe: 20, ...properties }));

test(`${PAYLOADS} mutated and strange payloads: each is a reading or a reject with a code of the contract`, () => {
  const random = new SeededRandom(SEED);
  const packed = pack(sample);
  const codes = new Map<string, number>();
  let accepted = 0;
  for (let i = 0; i < PAYLOADS; i++) {
    const { pipeline } = nodes[i % nodes.length];
    const payload =
      random.int(4) === 0
        ? strange(random)
        : mutate(random, random.int(3) === 0 ? packed : seeds[random.int(seeds.length)]);
    const before = Buffer.isBuffer(payload) ? Buffer.from(payload) : undefined;
    const topic = random.int(50) === 0 ? strange(random) : `m${random.int(300)}`;
    try {
      const { outcomes } = pipeline.accept({ topic, payload });
      accepted++;
      for (const { payload: values, reading } of outcomes) {
        assert.ok(Object.values(values).every(Number.isFinite), `payload ${i}, seed ${SEED}`);
        assert.ok(Number.isFinite(reading.ts) && reading.id !== '' && Number.isInteger(reading.seq));
      }
    } catch (error) {
      assert.ok(error instanceof EdgeError, `payload ${i}, seed ${SEED}: ${String(error)}`);
      assert.ok(CODES.has(error.code), `payload ${i}, seed ${SEED}: ${error.code}`);
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
