import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { completeAssumptions, valuesOf, type Assumptions } from '../../../assess/assumptions';
import { capacityOf } from '../../../assess/capacity';
import { moneyOf, monthlyPrice } from '../../../assess/money';
import { personalFields } from '../../../assess/privacy';
import { EdgeError } from '../../../nodes/shared/errors';
import { message, simulated, START } from './support';

function assumed(changed: Partial<Assumptions> = {}): Assumptions {
  return { ...valuesOf(completeAssumptions({}, {})), ...changed };
}

const DAY = { messagesPerSecond: 10, bytesPerSecond: 1e6 };
const LESS = { messagesPerSecond: 1, bytesPerSecond: 1e5 };

test('the return is what is saved and avoided, less what it costs', () => {
  const prices = assumed({ pricePerGb: 1, pricePerMillion: 0 });
  assert.ok(Math.abs(monthlyPrice(DAY, prices) - 2628) < 1e-9, 'a GB each 1,000 s');
  const { cases } = moneyOf(DAY, LESS, {
    ...prices,
    ...{ downtimePerHour: 1000, failuresPerYear: 12, hoursPerFailure: 2, catchRate: 50, avoidedShare: 100 },
    ...{ falseAlarmsPerMonth: 1, falseAlarmCost: 100, gatewayMonthly: 65.2, gatewayCost: 6400 },
  });
  const [expected, half, double] = cases;
  assert.ok(Math.abs(expected.downtimeAvoided - 1000) < 1e-9);
  assert.ok(Math.abs(expected.benefit - (2628 * 0.9 + 1000 - 100 - 65.2)) < 1e-6);
  assert.ok(Math.abs((expected.months ?? 0) - 6400 / expected.benefit) < 1e-9);
  assert.ok(Math.abs(half.downtimeAvoided - 500) < 1e-9);
  assert.equal(double.once, 12_800);
});

test('half the catch rate or double the cost never pays back sooner, and a loss never does', () => {
  const amount = fc.double({ min: 0, max: 1e5, noNaN: true });
  fc.assert(
    fc.property(amount, amount, amount, (downtimePerHour, gatewayCost, falseAlarmCost) => {
      const { cases } = moneyOf(DAY, LESS, assumed({ downtimePerHour, gatewayCost, falseAlarmCost }));
      const [expected, ...worse] = cases.map(({ months }) => months ?? Infinity);
      assert.ok(worse.every((months) => months >= expected));
      assert.ok(cases.every(({ months, benefit }) => months === null || benefit > 0));
    }),
  );
});

test('an assumption says where it comes from, and nonsense is refused by the name of its option', () => {
  const all = completeAssumptions({ downtimePerHour: '2000' }, { sources: 6 });
  const from = Object.fromEntries(all.map(({ name, from: origin }) => [name, origin]));
  assert.equal(from.downtimePerHour, 'given');
  assert.equal(from.sources, 'measured');
  assert.equal(from.pricePerGb, 'default');
  for (const [name, value] of Object.entries({ catchRate: 101, sources: 1.5, pricePerGb: 'much' })) {
    assert.throws(
      () => completeAssumptions({ [name]: value }, {}),
      (error) =>
        error instanceof EdgeError && error.code === 'REQUEST' && error.details?.property !== undefined,
    );
  }
});

test('fields of people are found by name and by value, measurements are not', () => {
  const payload = {
    ...{ torque: 41.2, position: 3.2, latch: 1, username_count: 3, rotational_speed: 1500, operator: 3.7 },
    shift: { operatorName: 'Anna Schmidt', badge_id: 4711, phone: '0301234567' },
    ...{ x7: 'anna@example.com', place: '52.5200, 13.4050', gps: { lat: 52.52, lon: 13.4 } },
    rows: [{ employeeId: 'E-1' }, { employeeId: 'E-2' }],
  };
  const found = personalFields([message('plant1/cnc-01', payload, START)]);
  assert.deepEqual(Object.fromEntries(found.map(({ path, kind }) => [path, kind])), {
    'payload.shift.operatorName': 'name',
    'payload.shift.badge_id': 'person-id',
    'payload.shift.phone': 'phone',
    'payload.x7': 'email',
    'payload.place': 'location',
    'payload.gps.lat': 'location',
    'payload.gps.lon': 'location',
    'payload.rows.employeeId': 'person-id',
  });
  assert.doesNotMatch(JSON.stringify(found), /Anna|4711|example|52\.5/, 'no value is told');
  const asBytes = personalFields([message('t', Buffer.from(JSON.stringify(payload)), START)]);
  assert.equal(asBytes.length, found.length, 'as it comes over MQTT');
});

test('nothing of a simulated machine looks like personal data', () => {
  assert.deepEqual(personalFields(simulated(3, 20)), []);
});

test('a machine carries what its core and its memory hold', () => {
  const timings = {
    ingest: { meanMs: 0.02, p95Ms: 0.1, readings: 1000 },
    forest: { meanMs: 0.08, p95Ms: 0.2, readings: 1000 },
  };
  const small = capacityOf(timings, 1, 1000, 8e9);
  assert.ok(Math.abs(small.load - 0.1) < 1e-12);
  assert.equal(small.carries, true);
  assert.equal(small.mostSources, 5000, 'half a core');
  assert.equal(capacityOf(timings, 1, 5001, 8e9).carries, false, 'core');
  assert.equal(capacityOf(timings, 1, 1000, 5e8).carries, false, 'memory');
});
