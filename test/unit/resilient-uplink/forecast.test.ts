import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Activity, SAMPLE_MS, type Holding } from '../../../nodes/resilient-uplink/activity';
import { forecastOf, shortTime } from '../../../nodes/resilient-uplink/forecast';
import { FakeClock } from '../../support/fake-clock';

const LIMIT = 1_000_000;
const SIZE = 100;

/** An outbox that is fed and emptied at steady rates (messages a second). */
async function watched(steps: { seconds: number; arrivals: number; deliveries: number }[]) {
  const clock = new FakeClock();
  const held: Holding = { messages: 0, occupied: 0 };
  const activity = new Activity(clock, () => held);
  activity.start();
  for (const { seconds, arrivals, deliveries } of steps) {
    for (let second = 0; second < seconds; second++) {
      activity.arrived(arrivals, arrivals * SIZE);
      const sent = Math.min(deliveries, held.messages + arrivals);
      activity.ended(sent, true);
      held.messages += arrivals - sent;
      held.occupied = held.messages * SIZE;
      await clock.advance(1000);
    }
  }
  const forecast = forecastOf({ ...held, isBacklog: held.messages > 0, limit: LIMIT }, activity.rates);
  return { clock, held, activity, forecast };
}

function near(value: number | null, expected: number, share = 0.02): void {
  assert.ok(value !== null && Math.abs(value - expected) <= share * expected, `${value} is not ${expected}`);
}

test('an outage that fills the outbox is told with the time that is left', async () => {
  const { held, forecast, activity } = await watched([{ seconds: 60, arrivals: 10, deliveries: 0 }]);
  near(forecast.fullSeconds, (LIMIT - held.occupied) / (10 * SIZE));
  assert.equal(forecast.drainSeconds, null);
  near(activity.rates?.arrivals ?? null, 10);
});

test('after the outage the time until the backlog is gone is told, against what still arrives', async () => {
  const { held, forecast } = await watched([
    { seconds: 300, arrivals: 10, deliveries: 0 },
    { seconds: 200, arrivals: 10, deliveries: 20 },
  ]);
  near(forecast.drainSeconds, held.messages / 10, 0.05);
  assert.equal(forecast.fullSeconds, null);
});

test('steady traffic fills and drains nothing; an outbox without a backlog is drained and a full one full', async () => {
  const steady = await watched([
    { seconds: 20, arrivals: 50, deliveries: 0 },
    { seconds: 600, arrivals: 50, deliveries: 50 },
  ]);
  assert.deepEqual(steady.forecast, { fullSeconds: null, drainSeconds: null });
  const { rates } = steady.activity;
  assert.deepEqual(
    forecastOf({ messages: 3, isBacklog: false, occupied: 0, limit: LIMIT }, rates).drainSeconds,
    0,
  );
  assert.deepEqual(
    forecastOf({ messages: 9, isBacklog: true, occupied: LIMIT - 1, limit: LIMIT }, rates).fullSeconds,
    0,
  );
  assert.deepEqual(forecastOf({ messages: 9, isBacklog: true, occupied: 900, limit: LIMIT }, undefined), {
    fullSeconds: null,
    drainSeconds: null,
  });
});

test('nothing is foretold in the first seconds, and samples are kept for ten minutes only', async () => {
  const young = await watched([{ seconds: 5, arrivals: 10, deliveries: 0 }]);
  assert.equal(young.activity.rates, undefined);
  assert.equal(young.forecast.fullSeconds, null);
  const { activity, clock } = await watched([{ seconds: 700, arrivals: 4, deliveries: 3 }]);
  assert.equal(activity.samples.length, 600_000 / SAMPLE_MS);
  assert.deepEqual(activity.samples.at(-1), {
    at: clock.now(),
    messages: 700,
    arrived: 4,
    delivered: 3,
  });
  activity.stop();
  await clock.advance(10_000);
  assert.notEqual(activity.samples.at(-1)?.at, clock.now());
});

test('a store that is opened anew is no growth', async () => {
  const clock = new FakeClock();
  let held: Holding | undefined = { messages: 0, occupied: 0 };
  const activity = new Activity(clock, () => held);
  activity.start();
  await clock.advance(20_000);
  held = undefined;
  await clock.advance(4000);
  held = { messages: 5000, occupied: 500_000 };
  await clock.advance(20_000);
  assert.equal(activity.rates?.growthBytes, 0);
});

test('a forecast is a time to come or none, whatever the figures', () => {
  const amount = fc.double({ min: 0, max: 1e12, noNaN: true });
  fc.assert(
    fc.property(amount, amount, amount, amount, amount, amount, amount, (...values) => {
      const [messages, occupied, limit, arrivals, arrivalBytes, endings, leaving] = values;
      const { fullSeconds, drainSeconds } = forecastOf(
        { messages, isBacklog: messages > 0, occupied, limit },
        { arrivals, arrivalBytes, deliveries: endings, endings, growthBytes: arrivalBytes - leaving },
      );
      for (const seconds of [fullSeconds, drainSeconds]) {
        assert.ok(seconds === null || (seconds >= 0 && Number.isFinite(seconds)), String(seconds));
      }
      assert.ok(endings > arrivals || !drainSeconds, 'what gets no less is not drained');
      assert.ok(arrivalBytes > leaving || !fullSeconds, 'what gets no more is not filled');
    }),
  );
});

test('a time is shown in a unit of which there are at least two', () => {
  assert.deepEqual([0, 0.4, 59, 119, 120, 7199, 7200, 172_799, 172_800].map(shortTime), [
    '0 s',
    '0 s',
    '59 s',
    '119 s',
    '2 min',
    '120 min',
    '2 h',
    '48 h',
    '2 d',
  ]);
});
