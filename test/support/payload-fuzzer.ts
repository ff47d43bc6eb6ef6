import { pack } from 'msgpackr';
import { get } from 'sparkplug-payload';
import type { SeededRandom } from '../../nodes/shared/random';

/** 2026-01-31T12:00:00Z. */
const NOON = 1_769_860_800_000;

const sample = { ts: NOON, temp: 21.5, motor: { rpm: 1500, phases: [1, 2, 3] }, serial: 'AB-12', ok: true };
const texts = [
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

const tahu = get('spBv1.0')!;
const birth = Buffer.from(
  tahu.encodePayload({
    timestamp: NOON,
    seq: 0,
    metrics: [
      { name: 'bdSeq', type: 'UInt64', value: 0 },
      { name: 'temp', alias: 1, type: 'Float', value: 21.5 },
      { name: 'rpm', alias: 2, type: 'Int16', value: -1500 },
    ],
  }),
);
const waveform = Buffer.from(Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)).buffer);
const json = texts.slice(0, 3);
const seedsOf: Partial<Record<string, Buffer[]>> = {
  auto: json,
  json,
  csv: texts.slice(3, 5),
  msgpack: [pack(sample), pack([sample, [1, 2]])],
  float32: [waveform],
  int16: [waveform],
  sparkplug: [birth],
};
const seeds = [...texts, ...Object.values(seedsOf).flatMap((list) => list ?? [])];

const SPARKPLUG_TYPES = ['NBIRTH', 'DBIRTH', 'NDATA', 'DDATA', 'NDEATH', 'DDEATH', 'NCMD', 'STATE'];

/** A payload that began as a good one, mostly of the given format, or is none that any decoder makes. */
export function fuzzedPayload(random: SeededRandom, format: string): unknown {
  if (random.int(4) === 0) {
    return strange(random);
  }
  const own = seedsOf[format];
  const from = own && random.int(3) > 0 ? own : seeds;
  return mutate(random, from[random.int(from.length)]);
}

/** One of few sources, a Sparkplug topic, or what is no topic. */
export function fuzzedTopic(random: SeededRandom, format: string): unknown {
  const kind = random.int(50);
  if (kind === 0) {
    return strange(random);
  }
  return kind < (format === 'sparkplug' ? 45 : 5)
    ? `spBv1.0/plant/${SPARKPLUG_TYPES[random.int(SPARKPLUG_TYPES.length)]}/e${random.int(40)}${random.int(2) ? '/d' : ''}`
    : `m${random.int(300)}`;
}

/** Configurations that between them reach every decoder, window and reduction, with tight bounds. */
export const FUZZED_NODES = [
  { format: 'auto', schema: JSON.stringify({ properties: { temp: { type: 'number' } } }), silence: 5 },
  { format: 'json', sourceId: 'payload.serial', idPath: 'id', reduce: 'deadband', tolerance: 1 },
  { format: 'csv', window: 'count', windowSize: 5, windowStep: 2, reduce: 'swinging-door', tolerance: 1 },
  { format: 'msgpack', window: 'time', windowSize: 2, windowStep: 1, lateness: 0 },
  { format: 'float32', sampleRate: 100, features: ['mean', 'kurtosis', 'dominantFrequency', 'band:0-10'] },
  { format: 'int16', features: ['impulse'], reduce: 'deadband', tolerance: 0.5 },
  { format: 'sparkplug', reduce: 'swinging-door', tolerance: 2 },
  {
    format: 'auto',
    sampleRate: 10,
    features: ['crest', 'spectralCentroid'],
    channels: [{ name: 'v', max: 1000 }],
  },
].map((properties) => ({ maxSources: 200, maxChannels: 50, maxBytes: 4096, dedupe: 20, ...properties }));

/** The codes that a payload can be refused with. */
export const REJECT_CODES: ReadonlySet<string> = new Set([
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
