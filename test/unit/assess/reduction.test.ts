import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { channelShares } from '../../../assess/channel-shares';
import { ingestConfig } from '../../../assess/ingest';
import { compareSettings, decodeAll, KINDS, TOLERANCES } from '../../../assess/reduction';
import { message, simulated, START } from './support';

const CONFIG = ingestConfig({});

test('no reading is left out by more than the tolerance, and nothing is kept twice', () => {
  const series = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 80 });
  fc.assert(
    fc.property(series, (values) => {
      const messages = values.map((value, n) =>
        message('m1', { value, ts: START + n * 1000 }, START + n * 1000),
      );
      const { channels, readings } = decodeAll(messages, CONFIG);
      for (const result of compareSettings(messages, CONFIG, channels)) {
        assert.ok(
          result.maxError <= result.tolerance * (1 + 1e-9),
          `${result.maxError} of ${result.tolerance}`,
        );
        assert.equal(result.pointsIn, readings);
        assert.ok(result.pointsOut >= 1 && result.pointsOut <= result.pointsIn);
        assert.ok(result.bytesOut <= result.bytesIn);
      }
    }),
    { numRuns: 60 },
  );
});

test('of a slow signal each larger tolerance keeps fewer bytes', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.3, max: 3, noNaN: true }), (turns) => {
      const messages = Array.from({ length: 400 }, (_, n) => {
        const at = START + n * 1000;
        return message('m1', { value: Math.sin((2 * Math.PI * turns * n) / 400), ts: at }, at);
      });
      const results = compareSettings(messages, CONFIG, decodeAll(messages, CONFIG).channels);
      for (const kind of KINDS) {
        const bytes = results.filter((one) => one.kind === kind).map(({ bytesOut }) => bytesOut);
        assert.equal(bytes.length, TOLERANCES.length);
        for (let i = 1; i < bytes.length; i++) {
          assert.ok(bytes[i] <= bytes[i - 1], `${kind}: ${bytes.join(', ')}`);
        }
        assert.ok(bytes[3] < 0.3 * results[0].bytesIn, `${kind} keeps ${bytes[3]} of ${results[0].bytesIn}`);
      }
    }),
    { numRuns: 20 },
  );
});

test('spans, sources and refusals are those of the messages', () => {
  const messages = [
    message('m1', { a: 1 }, START),
    message('m1', { a: 5 }, START + 1000),
    message('m2', { a: -2, b: 7 }, START),
    message('m2', 'no reading', START),
  ];
  const decoded = decodeAll(messages, CONFIG);
  assert.deepEqual(decoded.channels, [
    { name: 'a', min: -2, max: 5 },
    { name: 'b', min: 7, max: 7 },
  ]);
  assert.deepEqual(decoded.sources, [
    { name: 'm1', readings: 2 },
    { name: 'm2', readings: 1 },
  ]);
  assert.equal(decoded.refusals.length, 1);
  assert.equal(decoded.refusals[0].count, 1);
});

test('the channels that take the others along come first', () => {
  const { rows, channels } = decodeAll(simulated(1, 300), CONFIG);
  const shares = channelShares(rows, channels, { kind: 'deadband', tolerance: 2 });
  const place = (name: string): number => shares.findIndex((one) => one.name === name);
  assert.ok(place('torque') >= 0 && place('torque') < place('tool_wear'), JSON.stringify(shares));
  assert.ok(shares.every(({ share }) => share > 0 && share <= 1));
});
