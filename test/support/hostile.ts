import { SeededRandom } from '../../nodes/shared/random';

/** A message that no sane flow sends, and how it was made. */
export interface HostileMessage {
  what: string;
  msg: Record<string, unknown>;
  frozen: boolean;
}

class Machine {
  temperature = 20;
  readonly #hidden = 1;
  get pressure(): number {
    return this.#hidden;
  }
}

/** Values that are no telemetry, made anew each time. */
const VALUES: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  symbol: () => Symbol('s'),
  function: () => () => 1,
  'async function': () => async () => Promise.reject(new Error('never awaited')),
  bigint: () => 10n ** 30n,
  NaN: () => NaN,
  '-0': () => -0,
  true: () => true,
  'empty text': () => '',
  'huge text': () => 'x'.repeat(2_000_000),
  'text with nulls': () => '\u0000\ud800\uffff',
  'broken JSON': () => '{"a":',
  'JSON with __proto__': () =>
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"v":1}',
  'parsed __proto__': () => JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"v":3}') as unknown,
  'deep JSON': () => '['.repeat(10_000) + ']'.repeat(10_000),
  'deep object': () => nested(10_000, (inner) => ({ inner })),
  'deep list': () => nested(10_000, (inner) => [inner]),
  'deep batch': () => [nested(10_000, (inner) => ({ inner }))],
  cyclic: () => {
    const loop: Record<string, unknown> = { v: 1 };
    loop['self'] = loop;
    return loop;
  },
  'cyclic list': () => {
    const loop: unknown[] = [1];
    loop.push(loop);
    return loop;
  },
  'cyclic batch': () => {
    const loop: unknown[] = [];
    loop.push(loop, loop);
    return loop;
  },
  'throwing getter': () => throwing(new Error('this getter throws')),
  'getter that throws nothing': () => throwing(undefined),
  'getter that throws what has no text': () => throwing(Object.create(null)),
  'throwing toJSON': () => ({
    v: 1,
    toJSON() {
      throw new Error('this toJSON throws');
    },
  }),
  'throwing proxy': () =>
    new Proxy(
      {},
      {
        get() {
          throw new Error('this proxy throws');
        },
        ownKeys() {
          throw new Error('this proxy throws');
        },
      },
    ),
  'revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'no prototype': () => Object.assign(Object.create(null) as object, { v: 1 }),
  date: () => new Date(NaN),
  map: () => new Map([['v', 1]]),
  set: () => new Set([1]),
  regexp: () => /(a+)+$/,
  error: () => new Error('an error as a payload'),
  promise: () => Promise.resolve(1),
  'class instance': () => new Machine(),
  holes: () => Object.assign([], { 0: { v: 1 }, 2: { v: 2 } }),
  'list of holes': () => new Array<number>(5),
  'mixed batch': () => [{ v: 1 }, null, 'x', [1]],
  'empty batch rows': () => [[], {}],
  'large batch': () => Array.from({ length: 2000 }, (_, i) => (i < 1999 ? { v: i } : { v: 'end' })),
  buffer: () => Buffer.from([0xff, 0x00, 0xfe]),
  'empty buffer': () => Buffer.alloc(0),
  bigints: () => new BigInt64Array(2),
  'data view': () => new DataView(new ArrayBuffer(4)),
  'many keys': () => Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i])),
  'keys of methods': () => ({ toString: 1, hasOwnProperty: 2, then: 3, length: -1 }),
  thenable: () => ({
    then(resolve: () => void) {
      resolve();
    },
  }),
};

/** Where in a message the value lies. */
const PLACES = [
  'payload',
  'topic',
  'operation',
  'reading',
  'detections',
  'detection',
  'priority',
  'ttl',
  'state',
  'error',
  'extra',
];
const NESTINGS: ((value: unknown) => unknown)[] = [
  (value) => value,
  (value) => value,
  (value) => ({ v: value, x: 1 }),
  (value) => [1, value],
  (value) => [{ v: 1 }, value],
];
const OPERATIONS = [
  '',
  'set',
  'get',
  'add',
  'resolve',
  'import',
  'commission',
  'maintenance',
  'model',
  'ledger',
  'toString',
];

/** Messages with a weird value each; the same for the same seed. Every value is a payload once, if the count allows. */
export function hostileMessages(seed: number, count: number): HostileMessage[] {
  const random = new SeededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[random.int(list.length)];
  const names = Object.keys(VALUES);
  return Array.from({ length: count }, (_, index) => {
    const first = index < names.length;
    const name = first ? names[index] : pick(names);
    const place = first || random.int(2) === 0 ? 'payload' : pick(PLACES);
    const nesting = first ? 0 : random.int(NESTINGS.length);
    const msg: Record<string, unknown> = { topic: 'line', payload: { v: 1, x: 2 } };
    if (!first && random.int(4) === 0) {
      msg['operation'] = pick(OPERATIONS);
    }
    msg[place] = NESTINGS[nesting](VALUES[name]());
    const frozen = !first && random.int(20) === 0;
    const what = `${name} in msg.${place}, nesting ${nesting}, operation ${typeof msg['operation'] === 'string' ? msg['operation'].slice(0, 20) : typeof msg['operation']}${frozen ? ', frozen' : ''}`;
    return { what, msg, frozen };
  });
}

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) {
    value = wrap(value);
  }
  return value;
}

function throwing(thrown: unknown): object {
  return Object.defineProperty({ v: 1 }, 'w', {
    enumerable: true,
    get() {
      throw thrown;
    },
  });
}
