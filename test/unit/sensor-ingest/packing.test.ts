import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeliveryPacker, type Delivery } from '../../../nodes/sensor-ingest/thread/packing';
import { DeliveryUnpacker } from '../../../nodes/sensor-ingest/thread/unpacking';
import { hexOf } from '../../../nodes/sensor-ingest/rows/digest';
import { jsonBytes, type RowReading } from '../../../nodes/sensor-ingest/rows/row-reader';
import { EdgeError } from '../../../nodes/shared/errors';

const PLAIN = { noNullPrototype: true } as const;
const text = fc.oneof(fc.string(), fc.constantFrom('', '__proto__', 'plant/a', 'temperatur °C', '\ud800'));
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const word = fc.integer({ min: 0, max: 0xffffffff });
const payload = fc
  .oneof(fc.constant([['t', 1] as [string, number]]), fc.array(fc.tuple(text, number), { maxLength: 6 }))
  .map((fields) => {
    const made: Record<string, number> = {};
    for (const [name, value] of fields) {
      Object.defineProperty(made, name, { value, enumerable: true, writable: true, configurable: true });
    }
    return made;
  });
const window = fc.option(
  fc.record(
    { start: number, end: number, count: fc.nat(), sampleRate: number },
    { requiredKeys: ['start', 'end', 'count'], ...PLAIN },
  ),
  { nil: undefined },
);

const row: fc.Arbitrary<RowReading> = fc
  .record(
    {
      source: text,
      payload,
      ts: number,
      timed: fc.boolean(),
      id: text,
      fingerprint: fc.option(fc.record({ high: word, low: word }, PLAIN), { nil: undefined }),
      quality: fc.constantFrom('good' as const, 'uncertain' as const, 'bad' as const),
      historical: fc.boolean(),
      window,
      named: fc.boolean(),
    },
    PLAIN,
  )
  .map(({ named, ...made }) => (named && made.fingerprint ? { ...made, id: hexOf(made.fingerprint) } : made))
  .map((made) => ({ ...made, jsonBytes: jsonBytes(made.payload) }));

const read: fc.Arbitrary<Delivery['read']> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record(
      { readings: fc.array(row, { maxLength: 5 }), batch: fc.boolean(), bytes: fc.nat() },
      PLAIN,
    ),
  },
  { weight: 1, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: text.map((at) => new EdgeError('DECODE', `No ${at}.`, { row: 3, at })) },
  { weight: 1, arbitrary: fc.constant(new EdgeError('RANGE', 'Too high.')) },
);
const delivery: fc.Arbitrary<Delivery> = fc
  .record(
    {
      topic: text,
      qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
      retain: fc.boolean(),
      read,
      payload: fc.option(fc.uint8Array(), { nil: undefined }),
      named: fc.boolean(),
    },
    PLAIN,
  )
  .map(({ named, ...made }) => {
    if (named && made.read && !(made.read instanceof Error)) {
      made.read.readings.forEach((reading) => (reading.source = made.topic));
    }
    return made;
  });

/** Errors compare by what a user sees of them. */
function shown({ read: found, ...rest }: Delivery): object {
  return found instanceof EdgeError
    ? { ...rest, code: found.code, message: found.message, details: found.details }
    : { ...rest, read: found };
}

test('deliveries come out of the thread as they went in, batch after batch', () => {
  fc.assert(
    fc.property(fc.array(fc.array(delivery, { maxLength: 8 }), { maxLength: 5 }), (batches) => {
      const packer = new DeliveryPacker();
      const unpacker = new DeliveryUnpacker();
      for (const batch of batches) {
        batch.forEach((one) => packer.add(one));
        assert.equal(packer.count, batch.length);
        const packed = packer.take();
        const arrived = unpacker.unpack(structuredClone(packed, { transfer: [packed.numbers.buffer] }));
        assert.deepEqual(arrived.map(shown), batch.map(shown));
      }
    }),
  );
});

test('senders that change their channels all the time do not fill the memory, and are read as well', () => {
  const packer = new DeliveryPacker();
  const unpacker = new DeliveryUnpacker();
  let most = 0;
  for (let batch = 0; batch < 50; batch++) {
    const sent = Array.from({ length: 100 }, (_, i) => ({ [`c${batch}.${i}`]: i, same: batch }));
    for (const values of sent) {
      const reading = {
        ...{ source: 's', payload: values, ts: 0, timed: false, id: '1', fingerprint: undefined },
        ...{ quality: 'good' as const, historical: false, window: undefined },
      };
      const message = { readings: [reading], batch: false, bytes: 9 };
      packer.add({ topic: 's', qos: 0, retain: false, read: message, payload: undefined });
    }
    const arrived = unpacker.unpack(packer.take());
    assert.deepEqual(
      arrived.map(({ read: found }) => (found instanceof EdgeError ? found : found?.readings[0].payload)),
      sent,
    );
    most = Math.max(most, (unpacker as unknown as { shapes: unknown[] }).shapes.length);
  }
  assert.ok(most <= 1100, `${most} sets of channels are remembered`);
});
